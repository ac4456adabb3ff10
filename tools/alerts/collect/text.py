"""Categories of short texts: messages of platforms, events and jobs."""

from __future__ import annotations

import re

from tools.alerts.signatures.base import Role
from tools.alerts.signatures.line import parse_line
from tools.alerts.signatures.rules import recognise

_MORE: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("lost_worker", re.compile(r"lost (?:a )?worker|lost contact with another worker|worker .*(?:died|gone|killed)", re.IGNORECASE)),
    ("stalled_loader", re.compile(r"stalled data loader", re.IGNORECASE)),
    ("stalled", re.compile(r"\bstalled\b(?! data loader)|no (?:progress|step) for|\bhung\b", re.IGNORECASE)),
    ("host_oom", re.compile(r"out of memory: (?:the kernel|an allocation)|exceeded (?:its )?memory|memory limit", re.IGNORECASE)),
    ("ckpt_disk", re.compile(r"disk full|no space left", re.IGNORECASE)),
    ("killed_from_outside", re.compile(r"killed by signal (?:9|15)|signal 9|SIGKILL|was killed|exit(?:ed)? (?:code )?(?:137|-9)\b", re.IGNORECASE)),
    ("image_missing", re.compile(r"manifest unknown|not found.*(?:image|manifest|tag)|(?:image|manifest).*not found|does not exist|no such image", re.IGNORECASE)),
    ("image_denied", re.compile(r"unauthorized|denied|authentication required|forbidden|401|403", re.IGNORECASE)),
    ("image_rate", re.compile(r"toomanyrequests|rate limit", re.IGNORECASE)),
    ("image_timeout", re.compile(r"i/o timeout|TLS handshake timeout|connection refused|no such host|dial tcp", re.IGNORECASE)),
    ("disk_full", re.compile(r"no space left", re.IGNORECASE)),
    ("quota", re.compile(r"exceeded quota|quota", re.IGNORECASE)),
    ("webhook", re.compile(r"webhook", re.IGNORECASE)),
    ("timeout", re.compile(r"timed? ?out|no answer|not answer|deadline", re.IGNORECASE)),
    ("model_load", re.compile(r"(?:load|open|read)\w* (?:the )?(?:model|artefact|artifact)|model .*(?:cannot|could not) be loaded", re.IGNORECASE)),
    ("image_pull", re.compile(r"image (?:cannot|could not) be pulled|pull", re.IGNORECASE)),
)  # fmt: skip


def categories_of(text: str) -> tuple[str, ...]:
    """Every category a short text carries, most specific first; empty for an ordinary one."""
    found: list[str] = []
    signature = recognise(parse_line(text))
    if signature is not None and signature.role is not Role.ADVICE:
        found.append(signature.category)
    found += [name for name, pattern in _MORE if pattern.search(text)]
    return tuple(dict.fromkeys(found))

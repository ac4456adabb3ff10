"""From a target's name to where it is: what people may see of it, and the secret URL to use."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tools.errors import BadArguments, Unavailable, unknown
from tools.notices.base import NoticeTarget
from tools.notices.written import Destination, Rules

if TYPE_CHECKING:
    from tools.fleet import Fleet

_MAIL = ("mailto", "mailtos")
_WEB = ("json", "jsons", "xml", "xmls", "form", "forms")
_MISLEADING = {
    "wecom": "wecom:// is Pushplus; a WeCom group bot is wecombot://KEY and a WeCom application "
    "wechat://CORP:SECRET@AGENT/USER"
}


def targets(rules: Rules) -> Sequence[NoticeTarget]:
    """Every target, by name. Slack channels are targets too, but are not listed."""
    return tuple(describe(d) for _, d in sorted(rules.destinations.items()))


def find(fleet: Fleet, rules: Rules, name: str) -> NoticeTarget:
    """One target; a ``#channel`` where the fleet has Slack. Raises ``BadArguments``."""
    folded = {n.casefold(): d for n, d in rules.destinations.items()}
    found = rules.destinations.get(name) or folded.get(name.casefold())
    if found is not None:
        return describe(found)
    if "slack" in fleet.sections and re.fullmatch(r"#[\w.-]{1,80}|[CDGU][A-Z0-9]{6,20}", name):
        return NoticeTarget(name, "slack", f"Slack {name}", "slack")
    raise unknown("notice target", name, rules.destinations, "通知目标")


def describe(destination: Destination) -> NoticeTarget:
    """What people may see of a target, without reading its secret where that lies elsewhere."""
    d = destination
    mark = hashlib.sha256(repr((d.url, d.url_env, d.url_file, d.file)).encode()).hexdigest()[:12]
    if d.file is not None:
        return NoticeTarget(d.name, "file", d.file, mark)
    try:
        kind, address = _seen(d.name, secret_url(d))
    except Unavailable as error:
        return NoticeTarget(d.name, "unreadable", error.en, mark)
    return NoticeTarget(d.name, kind, address, mark)


def secret_url(destination: Destination) -> str:
    """The URL with its secrets: for the sender only, never for a person, log or table.

    Raises:
        Unavailable: the variable or the file it is kept in is not there.
    """
    name = destination.name
    if destination.url_env is not None:
        found = os.environ.get(destination.url_env, "").strip()
        if not found:
            raise Unavailable(
                f"The environment variable {destination.url_env} of target {name} is not set.",
                f"目标 {name} 的环境变量 {destination.url_env} 未设置。",
            )
        return found
    if destination.url_file is not None:
        try:
            return Path(destination.url_file).read_text().strip()
        except OSError as error:
            raise Unavailable(
                f"The file {destination.url_file} of target {name} cannot be read: "
                f"{error.strerror}.",
                f"目标 {name} 的文件 {destination.url_file} 无法读取。",
            ) from None
    return destination.url or ""


def _seen(name: str, url: str) -> tuple[str, str]:
    scheme, sign, rest = url.partition("://")
    scheme = scheme.lower()
    if not sign or not re.fullmatch(r"[a-z0-9+-]{2,30}", scheme) or not rest:
        raise BadArguments(
            f"The url of target {name} is not a notification URL; see docs/notices.md.",
            f"目标 {name} 的 url 不是通知 URL；见 docs/notices.md。",
        )
    if scheme in _MISLEADING:
        raise BadArguments(f"The url of target {name} misleads: {_MISLEADING[scheme]}.")
    if scheme in _WEB:
        return "webhook", f"{scheme}://{_host(url)}/•••"
    if scheme in _MAIL:
        return "e-mail", f"mail by {_host(url)}"
    return scheme, f"{scheme}://•••"


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "•••"
    return f"{parts.hostname or '•••'}{port}"

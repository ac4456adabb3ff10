"""Words that look like names although nobody lists them: ``voice-bot``, ``train-abc-3``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.offline.grammar import words as lexicon
from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_NO_ALERTS = lexicon("no_alerts")
"""States of pods and nodes, and products: written like alerts, and none."""
SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "channel",
        compiled(
            r"(?<!\w)[#@](?:[a-z][\w.-]*(?:(?<=-)[\u4e00-\u9fff]{1,8}(?=[\s:,.\"]|$))?|[\u4e00-\u9fff]{1,12}(?=[\s:,.\"]|$))|\b[\w.+-]+@[\w-]+\.[\w.]+\b"
        ),
    ),
    (
        "job",
        compiled(
            r"(?<![\w/-])(?<!\w\.)(?:train|tune|prune|quanti[sz]e|distil+|export|finetune|fit|job|run)-[a-z0-9][a-z0-9_.-]*(?<![.-])"
        ),
    ),
    (
        "node",
        compiled(
            r"(?<![\w/-])(?<!\w\.)(?:[a-z0-9]+-)*(?:node|worker|host|server|machine)-?[a-z]?\d+(?:\.[a-z0-9.-]+)?(?![\w-])"
        ),
    ),
    (
        "image",
        compiled(
            r"(?<![\w/.-])(?<![a-z0-9]:)(?!(?:gpu|card|cuda|device)s?:\d)(?:[a-z0-9.-]+(?::\d+)?/)*[a-z][a-z0-9._-]*:(?:v?\d[\w.-]*(?<![.-])|latest|main|dev|stable|prod|staging|nightly|sha[\w-]*)(?![\w/])"
        ),
    ),
    (
        "ref",
        compiled(
            r"(?<![\w/-])(?<!\w\.)(?!v\d+/v?\d)[a-z][a-z0-9-]*/[a-z0-9][a-z0-9._-]*(?<![.-])(?![\w/-]|:\w)"
        ),
    ),
    ("name", compiled(r"(?<![\w/#@'-])(?<!\w\.)[a-z][a-z0-9]*(?:[-_][a-z0-9]+)+(?![\w/])")),
)
_CAMEL = compiled(
    r"(?<![\w/-])(?<!\w\.)(?:[A-Z]+[a-z0-9]+){2,}[A-Z]*(?![\w-])|(?<![\w/.-])(?![A-Z]{2,}(?:ing|ed|s|'s|es|er)(?![\w-]))[A-Z]{2,}[a-z]+(?:[A-Z]\w*)?(?![\w-])"
)


def shaped(raw: str, low: str) -> Iterator[tuple[str, Span]]:
    """Words that look like names although nobody knows them: ``voice-bot``, ``train-abc-3``."""
    for kind, pattern in SHAPES:
        for match in pattern.finditer(low):
            yield kind, Span(*match.span())
    for match in _CAMEL.finditer(raw):
        if match.group().lower() in _NO_ALERTS:
            continue
        yield "alert", Span(*match.span())

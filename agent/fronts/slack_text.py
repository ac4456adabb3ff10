"""Text to and from Slack's own notation. Pure.

Whatever Steward says is data to Slack: ``&``, ``<`` and ``>`` are escaped everywhere, so that no
log line, alert or model output can mention a channel, forge a link or start a command.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Literal

from agent.redaction import mask, visible

MESSAGE = 3_500
"""Characters of a message before the rest goes into a file; Slack advises 4,000."""
FOLDED = 75
"""A first line longer than this that ends without a stop goes on in the next one."""
STREAM = 11_000
"""Characters of one streamed message; Slack allows 12,000."""

_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_BOLD = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")
_LINK = re.compile(r"\[([^\]\n]+)\]\((https?://[^\s)]+)\)")
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|([^>]*))?>")
_CHANNEL = re.compile(r"<#([A-Z0-9]+)(?:\|([^>]*))?>")
_SPECIAL = re.compile(r"<!([a-z]+)[^>]*>")
_URL = re.compile(r"<((?:https?|mailto):[^|>]+)(?:\|[^>]*)?>")


def escape(text: str) -> str:
    """Text that Slack shows as it is, never as a mention, link or entity."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def safe(text: str) -> str:
    """Masked, with invisible characters made visible: for plain text objects."""
    return visible(mask(text))


def mrkdwn(text: str, brain: Literal["offline", "model"]) -> str:
    """An answer in Slack's notation.

    A model writes Markdown, which is translated. A finding written offline keeps its columns:
    everything after the first line is preformatted.
    """
    clean = escape(safe(text.strip()))
    if brain == "model":
        return _from_markdown(clean)
    first, rest = _first_sentence(clean)
    return f"{first}\n{preformatted(rest)}" if rest.strip() else first


def _first_sentence(clean: str) -> tuple[str, str]:
    """The first line, put together again where it was folded at the width of a terminal."""
    first, _, rest = clean.partition("\n")
    while rest and len(first) > FOLDED and first[-1] not in ".:!?。：！？":
        more, _, rest = rest.partition("\n")
        first = f"{first} {more.strip()}"
    return first, rest


def _from_markdown(clean: str) -> str:
    plain = _LINK.sub(r"\1 (\2)", clean)
    return _BOLD.sub(r"*\1*", _HEADING.sub(r"*\1*", plain))


def report(text: str) -> str:
    """A report of Steward's own, or a model's in Markdown: headings stand out."""
    lines = _from_markdown(escape(safe(text))).split("\n")
    shown = [
        f"*{line}*" if line and not before and after.startswith("- ") and line[0] != "*" else line
        for before, line, after in zip(["x", *lines], lines, [*lines[1:], ""], strict=False)
    ]
    return "\n".join(shown)


def preformatted(text: str) -> str:
    """Escaped text in a code block that its content cannot end."""
    return "```\n" + text.strip("\n").replace("```", "`\u200b``") + "\n```"


def shorten(text: str, limit: int, note: str) -> tuple[str, bool]:
    """``text`` cut at a line within ``limit`` characters with a note, and whether it was cut."""
    if len(text) <= limit:
        return text, False
    room = limit - len(note) - 1
    cut = text.rfind("\n", room // 2, room)
    return f"{text[: cut if cut > 0 else room]}\n{note}", True


def said(text: str, bot: str, name_of: Callable[[str], str | None]) -> str:
    """What a person wrote, without the mention of Steward and without Slack's notation."""
    text = text.replace(f"<@{bot}>", " ")
    text = _MENTION.sub(lambda m: f"@{name_of(m[1]) or m[2] or m[1]}", text)
    text = _CHANNEL.sub(lambda m: f"#{m[2] or m[1]}", text)
    text = _SPECIAL.sub(r"@\1", text)
    text = _URL.sub(r"\1", text)
    return html.unescape(text).strip()

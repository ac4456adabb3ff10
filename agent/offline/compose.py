"""An answer in words from typed results: the first lines answer, the evidence follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.offline.text import Lang
from tools.contract import Call, Finding
from tools.errors import ToolError

_SUBJECTS = ("deployment", "target", "model", "job", "node", "alert", "query", "metric", "id")
"""Arguments that name what a result is about, the most telling first."""


@dataclass(frozen=True, slots=True)
class _Part:
    subject: str
    head: str
    details: tuple[str, ...]
    failed: bool


def compose(results: Sequence[tuple[Call, Finding | ToolError]], lang: Lang) -> str:
    """One text for all results, in ``lang``.

    A single result says itself. Several are opened by the first line of each, in the order asked,
    then come the details of each; what could not be looked at is said last, with its reason, and
    never hides what was found. The question itself is not repeated.
    """
    told = [_part(call, result, lang) for call, result in _deduplicated(results)]
    parts = list(dict.fromkeys(told))  # every card answers that there is no driver
    if not parts:
        return "没有可看的结果。" if lang == "zh" else "There was nothing to look at."
    found = [p for p in parts if not p.failed]
    failed = [p for p in parts if p.failed]
    if not found:
        return "\n".join(dict.fromkeys("\n".join((p.head, *p.details)) for p in failed))
    if len(found) == 1:
        lines = [found[0].head, *found[0].details]
    else:
        lines = [_named(p, lang) for p in found]
        for part in found:
            if part.details:
                lines += ["", *_titled(part, lang)]
    if failed:
        lines += ["", *(_not_seen(p, lang) for p in failed)]
    return "\n".join(lines).strip("\n")


def _deduplicated(
    results: Sequence[tuple[Call, Finding | ToolError]],
) -> list[tuple[Call, Finding | ToolError]]:
    kept: list[tuple[Call, Finding | ToolError]] = []
    for call, result in results:
        if all(call != other for other, _ in kept):
            kept.append((call, result))
    return kept


def _part(call: Call, result: Finding | ToolError, lang: Lang) -> _Part:
    lines = [line.rstrip() for line in result.say(lang).strip().splitlines()] or [""]
    subject = next((str(call.args[k]) for k in _SUBJECTS if call.args.get(k) is not None), "")
    return _Part(subject, lines[0], tuple(lines[1:]), isinstance(result, ToolError))


def _named(part: _Part, lang: Lang) -> str:
    """The first line, opened with what it is about unless it says so itself."""
    stop = "。" if lang == "zh" else "."
    head = part.head.rstrip(":：") + stop if part.head.endswith((":", "：")) else part.head
    if not part.subject or part.subject.lower() in head.lower():
        return head
    return f"{part.subject}{'：' if lang == 'zh' else ': '}{head}"


def _titled(part: _Part, lang: Lang) -> list[str]:
    title = part.subject or part.head.rstrip(".:。：")
    return [f"{title}{'：' if lang == 'zh' else ':'}", *part.details]


def _not_seen(part: _Part, lang: Lang) -> str:
    about = f"{part.subject} " if part.subject and part.subject not in part.head else ""
    reason = " ".join((part.head, *part.details))
    return f"未能查看 {about}：{reason}" if lang == "zh" else f"Not seen: {about}{reason}"

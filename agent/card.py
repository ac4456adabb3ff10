"""The approval card as plain text: what a person reads before a yes. Pure; no markup anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime

from agent.events import Action, State
from agent.redaction import visible
from agent.say import state_words
from tools.actions.wording import aside, front_words, kind_words, rule_words
from tools.amounts import span
from tools.columns import columns, wrap
from tools.contract import Effect, Target
from tools.words import Lang

_LABELS = {
    "call": ("call", "调用"),
    "target": ("target", "目标"),
    "change": ("change", "变更"),
    "risk": ("risk", "风险"),
    "reach": ("reach", "影响"),
    "verify": ("verify", "验证"),
    "undo": ("undo", "撤销"),
    "warning": ("warning", "注意"),
    "asked": ("asked by", "提议人"),
    "may": ("may decide", "可批准"),
    "yes": ("said yes", "已同意"),
    "expires": ("expires", "有效期"),
    "state": ("state", "状态"),
    "outcome": ("outcome", "结果"),
}

_RISKS = {Effect.CHANGE: ("change", "变更"), Effect.DESTROY: ("DESTROY", "销毁")}
_VERSIONS = {"absent": "不存在", "none": "无", "not silenced": "未静默"}


def card(action: Action, lang: Lang, now: datetime, width: int = 80) -> str:
    """The whole card, at most ``width`` columns wide.

    The call is shown raw, as it will run. Control and direction-changing characters are shown as
    their escapes, so that nothing on the card can pretend to be something else.
    """
    head = f"操作 {action.number}：" if lang == "zh" else f"Action {action.number}: "
    lines = [*wrap(f"{head}{visible(action.plan.words(lang).title)}", width, "")]
    for key, text in _fields(action, lang, now):
        label = _LABELS[key][1 if lang == "zh" else 0]
        pad = label + " " * max(1, 12 - columns(label))
        for number, row in enumerate(_rows(text, width - 14)):
            lines.append(f"  {pad if number == 0 else ' ' * 12}{row}")
    return "\n".join(line.rstrip() for line in lines)


def _fields(action: Action, lang: Lang, now: datetime) -> Iterator[tuple[str, str]]:
    plan, words = action.plan, action.plan.words(lang)
    zh = lang == "zh"
    args = ", ".join(
        f"{k}={json.dumps(v, ensure_ascii=False)}"
        for k, v in action.call.args.items()
        if v is not None  # null is the default
    )
    yield "call", f"{action.call.tool}({args})"
    yield "target", _target(plan.target, lang)
    yield "change", plan.diff
    yield "risk", _RISKS[plan.risk][zh]
    yield "reach", words.blast_radius
    tail = ""
    if plan.undo_on_failure:
        tail = "；验证失败时自动撤销" if zh else "; undone by itself if the check fails"
    length = span(plan.deadline, lang)
    within = aside(f"{length}内" if zh else f"within {length}", lang)
    yield "verify", f"{words.verification}{within}{tail}"
    yield "undo", words.undo
    for warning in words.warnings:
        yield "warning", warning
    yield (
        "asked",
        f"{action.requester.name}{aside(front_words(action.requester.front, lang), lang)}",
    )
    people = ", ".join(action.approvers) or "-"
    need = aside(f"需 {action.needed} 人" if zh else f"{action.needed} of them", lang)
    yield "may", people + (need if action.needed > 1 else "")
    if action.approved_by:
        rule = aside(rule_words(action.rule, lang), lang) if action.rule else ""
        yield "yes", ", ".join(action.approved_by) + rule
    if action.state is State.PROPOSED:
        left = aside(span(action.expires_at - now, lang), lang)
        yield "expires", f"{action.expires_at:%H:%M %Z}{left}"
    else:
        yield "state", state_words(action.state, lang)
    ended = action.why(lang) or (action.verdict.said(lang) if action.verdict else "")
    if ended and action.state is not State.PROPOSED:
        yield "outcome", ended


def _target(target: Target, lang: Lang) -> str:
    version, word = _short(target.version), "version"
    if lang == "zh":
        said = _VERSIONS.get(version, version)
        version, word = re.sub(r"^(\d+) verdicts$", r"\1 条结论", said), "版本"
    tail = aside(f"{word} {version}", lang)
    return f"{kind_words(target.kind, lang)} {target.name}{tail}"


def _short(version: str) -> str:
    """A content hash by its first twelve digits, as people compare them; the yes binds it whole."""
    return version[:12] if re.fullmatch("[0-9a-f]{32,}", version) else version


def _rows(text: str, width: int) -> Iterator[str]:
    for line in visible(text).expandtabs(2).splitlines() or [""]:
        yield from wrap(line, width, "  ")

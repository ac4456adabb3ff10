"""Sentences about actions, shared by every front. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.events import Action, Decided, State
from agent.redaction import visible
from tools.actions.wording import rule_words
from tools.contract import Call
from tools.errors import ToolError
from tools.words import Lang

_EN = {
    State.PROPOSED: "waits for a decision",
    State.APPROVED: "approved, about to start",
    State.APPLYING: "running",
    State.APPLIED: "done, being verified",
    State.VERIFIED: "done and verified",
    State.REJECTED: "rejected",
    State.EXPIRED: "expired",
    State.STALE: "not done: the world changed",
    State.FAILED: "failed",
    State.UNVERIFIED: "NOT VERIFIED",
    State.UNKNOWN: "UNKNOWN: a person must look",
    State.UNDONE: "undone",
}
_ZH = {
    State.PROPOSED: "等待决定",
    State.APPROVED: "已批准，即将开始",
    State.APPLYING: "执行中",
    State.APPLIED: "已执行，验证中",
    State.VERIFIED: "已完成并验证",
    State.REJECTED: "已拒绝",
    State.EXPIRED: "已过期",
    State.STALE: "未执行：环境已变化",
    State.FAILED: "失败",
    State.UNVERIFIED: "未能验证",
    State.UNKNOWN: "结果未知：需要人工确认",
    State.UNDONE: "已撤销",
}


def state_words(state: State, lang: Lang) -> str:
    """A state in words."""
    return (_ZH if lang == "zh" else _EN)[state]


def decided_why(said: Decided, lang: Lang) -> str:
    """Why somebody said yes or no; the door gives its own reason."""
    name = said.reason.removeprefix("pre-approved: ")
    if lang == "zh" and said.front == "door" and name != said.reason:
        return f"预先批准：{rule_words(name, lang)}"
    return said.reason


def outcome_line(action: Action, lang: Lang) -> str:
    """One line on how an action ended: state, title, evidence or reason, who said yes or no."""
    evidence = action.why(lang)
    if action.state is State.VERIFIED and action.verdict:
        evidence = action.verdict.said(lang)
    by = ", ".join(action.approved_by)
    who = (f"（批准：{by}）" if lang == "zh" else f" (approved by {by})") if by else ""
    state = state_words(action.state, lang)
    refuser = _refuser(action)
    if refuser:
        state += f"（{refuser}）" if lang == "zh" else f" by {refuser}"
        evidence = "" if action.reason == f"rejected by {refuser}" else evidence
    if action.state is State.EXPIRED:
        evidence = evidence[:1].upper() + evidence[1:]
    tail = f" {evidence}" if evidence and lang == "en" else evidence
    stop = "。" if lang == "zh" else "."
    title = visible(action.plan.words(lang).title)
    sep = "：" if lang == "zh" else ": "
    number = f"操作 {action.number}" if lang == "zh" else f"Action {action.number}"
    return f"{number} {state}{sep}{title}{who}{stop}{visible(tail)}"


def _refuser(action: Action) -> str:
    if action.state is not State.REJECTED:
        return ""
    return next((d.who for d in reversed(action.decisions) if d.verdict == "reject"), "")


def proposal_line(action: Action, lang: Lang) -> str:
    """One or two lines that say a change waits, and for whom."""
    title = visible(action.plan.words(lang).title)
    if action.state is State.APPROVED:
        by = ", ".join(action.approved_by)
        if lang == "zh":
            return f"操作 {action.number}（{title}）属于预先批准的类别“{rule_words(action.rule, lang)}”（{by}），即将执行。"
        return (
            f"Action {action.number} ({title}) is pre-approved by {by} ({action.rule}) and starts."
        )
    people = (
        ""
        if action.needed < 2
        else (f"（需 {action.needed} 人）" if lang == "zh" else f" ({action.needed} people)")
    )
    if lang == "zh":
        return f"已提议为操作 {action.number}：{title}。在有人批准{people}之前不会执行任何更改。"
    return f"Proposed as action {action.number}: {title}. Nothing changes until it is approved{people}."


def held_line(held: Sequence[Call], after: Action, lang: Lang) -> str:
    """That the further steps of a plan are not taken, because one before them did not succeed."""
    if lang == "zh":
        rest = "、".join(call.tool for call in held)
        return f"不再继续 {rest}：操作 {after.number} {state_words(after.state, lang)}。"
    rest = ", ".join(call.tool for call in held)
    return f"Not going on with {rest}: action {after.number} is {after.state}."


def refused_line(call: Call, error: ToolError, lang: Lang) -> str:
    """That a next step, or a stale change, could not be proposed."""
    if lang == "zh":
        return f"无法提议 {call.tool}：{error.say(lang)}"
    return f"{call.tool} could not be proposed: {error.en}"


def usage_line(turns: Sequence[Mapping[str, float]], lang: Lang) -> str:
    """Tokens and cost of a conversation's turns."""
    read, written, cached, cost = (
        sum(turn.get(key, 0) for turn in turns)
        for key in ("input_tokens", "output_tokens", "cached_tokens", "cost")
    )
    if lang == "zh":
        return (
            f"{len(turns)} 轮：输入 {read:,.0f} 个 token（缓存命中 {cached:,.0f}），"
            f"输出 {written:,.0f}，费用 {cost:.4f}。"
        )
    return (
        f"{len(turns)} turns: {read:,.0f} tokens in ({cached:,.0f} cached), "
        f"{written:,.0f} out, cost {cost:.4f}."
    )

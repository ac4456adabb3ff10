"""The tool that shows one action of the ledger as a card in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tools.actions.listing import ListedAction, listed
from tools.actions.wording import aside, front_words, kind_words, rule_words, state_words
from tools.contract import Json, Phrases, reading
from tools.errors import BadArguments
from tools.words import ActionNumber
from tools.world import ActionDetail
from tools.zone import short, zone_named, zone_of

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World


@dataclass(frozen=True, slots=True)
class ActionCard:
    """One action: what, who, why, outcome and evidence."""

    action: ListedAction
    args: Mapping[str, Json]
    more: ActionDetail | None
    undone_by_title: str
    undone_by_zh: str
    now: datetime
    timezone: str

    def say(self, lang: Lang) -> str:
        """Where it stands, then everything that is known, one thing a line."""
        a = self.action
        head = f"操作 {a.number}" if lang == "zh" else f"Action {a.number}"
        stop = "：" if lang == "zh" else ": "
        lines = [f"{head} {state_words(a.state, lang)}{stop}{a.title_in(lang)}"]
        lines += [f"  {label}{stop}{text}" for label, text in self._fields(lang)]
        if self.more and self.more.diff:
            lines.append("  变更内容：" if lang == "zh" else "  change:")
            lines += [f"    {row}" for row in self.more.diff.splitlines()[:40]]
        return "\n".join(piece for line in lines for piece in folded(line))

    def _fields(self, lang: Lang) -> Iterator[tuple[str, str]]:
        zh = lang == "zh"
        a, more = self.action, self.more
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.args.items())
        yield ("调用" if zh else "call"), f"{a.tool}({arguments})"
        kind, _, name = a.target.partition("/")
        yield ("目标" if zh else "target"), f"{kind_words(kind, lang)} {name}"
        front = aside(front_words(more.requested_at, lang), lang) if more else ""
        comma = "，" if zh else ", "
        asked = f"{a.requested_by}{front}{comma}{self._at(a.created_at)}"
        yield ("提出人" if zh else "asked by"), asked
        if more:
            yield from self._decisions(more, zh)
            yield from self._ends(more, zh)
        elif a.summary:
            yield ("结果" if zh else "outcome"), a.summary_in(lang)

    def _decisions(self, more: ActionDetail, zh: bool) -> Iterator[tuple[str, str]]:
        for d in more.decisions:
            label = ("批准" if zh else "approved by") if d.verdict == "approve" else None
            label = label or ("拒绝" if zh else "rejected by")
            lang: Lang = "zh" if zh else "en"
            front = rule_words(more.rule, lang) or front_words(d.front, lang)
            where = aside(front, lang) if front else ""
            why = f"{'：' if zh else ': '}{d.reason}" if d.reason and not more.rule else ""
            yield label, f"{d.who}{where}{'，' if zh else ', '}{self._at(d.at)}{why}"
        if self.action.state == "proposed":
            people = ", ".join(more.approvers) or "-"
            need = f"{more.needed} of {people}" if more.needed > 1 else people
            yield ("可批准" if zh else "may decide"), need
            yield ("有效期至" if zh else "expires"), self._at(more.expires_at)

    def _ends(self, more: ActionDetail, zh: bool) -> Iterator[tuple[str, str]]:
        words = more.zh if zh and more.zh else more
        risk = ("销毁" if more.risk == "destroy" else "变更") if zh else more.risk
        pairs = (
            ("risk", "风险", risk),
            ("reach", "影响", words.blast_radius),
            ("verification", "验证方式", words.verification),
            ("outcome", "结果", words.outcome),
            ("evidence", "证据", words.evidence),
            ("why", "原因", words.reason if words.reason != words.evidence else ""),
            ("undo", "撤销方式", "" if more.undone_by else words.undo),
        )
        yield from ((label_zh if zh else en, text) for en, label_zh, text in pairs if text)
        for warning in words.warnings:
            yield ("注意" if zh else "warning"), warning
        if self.action.undoes:
            yield (
                ("撤销的是" if zh else "undoes"),
                f"{'操作' if zh else 'action'} {self.action.undoes}",
            )
        if more.undone_by:
            title = (zh and self.undone_by_zh) or self.undone_by_title
            tail = (f"（{title}）" if zh else f" ({title})") if title else ""
            number = f"{'操作' if zh else 'action'} {more.undone_by}{tail}"
            yield ("已被撤销" if zh else "undone by"), number

    def _at(self, at: datetime) -> str:
        return short(at, self.now, zone_named(self.timezone))


def folded(line: str) -> Iterator[str]:
    """``line`` in pieces of at most 100 columns, indented alike."""
    import textwrap

    from tools.columns import columns

    if columns(line) <= 100:
        yield line
        return
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    width = 98 if line.isascii() else 50
    yield from textwrap.wrap(
        line, width, subsequent_indent=indent, break_on_hyphens=False, replace_whitespace=False
    )


@reading(
    Phrases(
        en=(
            "show action {id}",
            "what was action {id}",
            "details of action {id}",
            "what would action {id} do",
            "did action {id} succeed",
            "open proposal {id}",
            "who approved action {id}",
            "why was action {id} rejected",
            "status of action {id}",
            "action {id}",
            "tell me about proposal {id}",
            "was action {id} applied",
            "what happened with action {id}",
            "has change {id} been applied",
        ),
        zh=(
            "看下操作 {id}",
            "{id} 号操作是什么",
            "操作 {id} 的详情",
            "操作 {id} 成功了吗",
            "谁批准了操作 {id}",
            "如果批准操作 {id} 会发生什么",
            "显示操作 {id} 的内容",
            "{id} 号提议是什么",
            "操作 {id} 为什么被拒绝",
            "第 {id} 号操作执行了吗",
        ),
    )
)
def show_action(world: World, id: ActionNumber) -> ActionCard:
    """Show one action: its preview, who asked, who decided, outcome and evidence."""
    row = world.actions.row(id)
    if row is None:
        newest = world.actions.rows(limit=1)
        raise BadArguments(
            f"There is no action {id}"
            + (f"; the newest is {newest[0].number}." if newest else "."),
            f"没有编号为 {id} 的操作" + (f"；最新的是 {newest[0].number}。" if newest else "。"),
        )
    undo = world.actions.row(row.more.undone_by) if row.more and row.more.undone_by else None
    title, title_zh = (undo.title, undo.title_zh) if undo else ("", "")
    now, zone = world.clock.now(), zone_of(world.fleet).key
    return ActionCard(listed(row), row.args, row.more, title, title_zh, now, zone)

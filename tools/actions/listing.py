"""The tool that lists actions of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from tools.actions.wording import OPEN, cut, state_words
from tools.contract import Phrases, reading
from tools.words import Word
from tools.zone import short, zone_named, zone_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from tools.words import Lang
    from tools.world import ActionRow, World

ActionState = Annotated[
    Literal[
        "proposed",
        "approved",
        "applying",
        "applied",
        "verified",
        "rejected",
        "expired",
        "stale",
        "failed",
        "unverified",
        "unknown",
        "undone",
        "open",
    ],
    Word("action_state"),
    Field(description="proposed = waits for approval; open = not ended yet"),
]


LIMIT = 30
"""So many are shown; the total is told."""
READ = 500


@dataclass(frozen=True, slots=True)
class ListedAction:
    """One action of the list."""

    number: int
    title: str
    tool: str
    target: str
    state: str
    requested_by: str
    decided_by: tuple[str, ...]
    created_at: datetime
    changed_at: datetime
    expires_at: datetime | None
    """When an undecided one expires."""
    summary: str
    undoes: int | None
    title_zh: str = ""
    summary_zh: str = ""

    def title_in(self, lang: Lang) -> str:
        """The title; English where there is no Chinese."""
        return (lang == "zh" and self.title_zh) or self.title

    def summary_in(self, lang: Lang) -> str:
        """The summary; English where there is no Chinese."""
        return (lang == "zh" and self.summary_zh) or self.summary


@dataclass(frozen=True, slots=True)
class ActionList:
    """Actions in one state, or the newest of all; newest first."""

    state: str | None
    actions: tuple[ListedAction, ...]
    total: int
    waiting: int
    now: datetime
    timezone: str

    def say(self, lang: Lang) -> str:
        """How many, which, and where each stands."""
        zone = zone_named(self.timezone)
        lines = [self._head(lang)]
        for action in self.actions:
            lines += _said(action, self.now, zone, lang)
        rest = self.total - len(self.actions)
        if rest > 0:
            lines.append(f"另有更早的 {rest} 个。" if lang == "zh" else f"and {rest} older ones")
        if self.waiting and self.state in (None, "proposed", "open"):
            lines.append(
                "批准：steward actions approve <编号>（或在卡片上操作）。"
                if lang == "zh"
                else "To decide: steward actions approve NUMBER (or the card's buttons)."
            )
        return "\n".join(lines)

    def _head(self, lang: Lang) -> str:
        total = self.total
        if self.state is None:
            return _head_of_all(total, self.waiting, lang)
        words = state_words(self.state, lang)
        if self.state == "proposed":
            if not total:
                return "没有操作在等待批准。" if lang == "zh" else "Nothing waits for approval."
            noun = "action waits" if total == 1 else "actions wait"
            return f"{total} 个操作等待批准。" if lang == "zh" else f"{total} {noun} for approval."
        if lang == "zh":
            return f"“{words}”的操作共 {total} 个。" if total else f"没有“{words}”的操作。"
        noun = "action" if total == 1 else "actions"
        return f"{total or 'No'} {noun} in state {self.state}."


def _head_of_all(total: int, waiting: int, lang: Lang) -> str:
    if not total:
        return "还没有任何操作。" if lang == "zh" else "There are no actions yet."
    if lang == "zh":
        return f"共有 {total} 个操作，" + (
            f"{waiting} 个等待批准。" if waiting else "没有等待批准的。"
        )
    noun = "action" if total == 1 else "actions"
    wait = "none waits" if not waiting else "1 waits" if waiting == 1 else f"{waiting} wait"
    return f"{total} {noun}; {wait} for approval."


def _said(action: ListedAction, now: datetime, zone: ZoneInfo, lang: Lang) -> list[str]:
    at = short(action.changed_at, now, zone)
    who = _who(action, lang)
    first = (
        f"{action.number:>4}  {at:<11} {state_words(action.state, lang)}: {action.title_in(lang)}"
    )
    lines = [cut(first, 100), cut(f"      {who}", 100)]
    if action.summary and action.state != "proposed":
        lines[1] = cut(f"      {who} {action.summary_in(lang)}", 100)
    return lines


def _who(action: ListedAction, lang: Lang) -> str:
    zh = lang == "zh"
    said = f"由 {action.requested_by} 提出" if zh else f"asked by {action.requested_by}"
    if action.decided_by:
        names = ", ".join(action.decided_by)
        said += f"，{names} 批准" if zh else f", approved by {names}"
    if action.undoes:
        said += f"，撤销操作 {action.undoes}" if zh else f", undoes action {action.undoes}"
    if action.state == "proposed" and action.expires_at:
        left = f"{action.expires_at:%H:%M} UTC"
        said += f"，{left} 过期" if zh else f", expires {left}"
    return said + ("。" if zh else ".")


@reading(
    Phrases(
        en=(
            "list actions",
            "show all actions",
            "what is waiting for approval",
            "what is waiting for my approval?",
            "pending proposals",
            "pending approvals",
            "which actions are {state}",
            "list {state} actions",
            "anything I have to sign off on",
            "what needs my approval",
            "show the approval queue",
            "which changes were proposed but not approved",
            "actions awaiting approval",
            "is anything waiting for me to approve",
            "what changes have you made",
            "what have you done so far",
            "what did you change today",
            "action log",
            "show the ledger",
            "is the request still waiting for approval",
        ),
        zh=(
            "列出操作",
            "操作列表",
            "操作记录",
            "有什么等着审批",
            "待审批的操作有哪些",
            "哪些变更还没批",
            "有哪些 {state} 的操作",
            "还有什么需要我批准的",
            "审批队列",
            "申请批了没",
            "有没有等我确认的变更",
            "你都做过哪些操作",
            "今天执行了哪些变更",
        ),
    )
)
def list_actions(world: World, state: ActionState | None = None) -> ActionList:
    """List proposed, approved and finished actions of the ledger."""
    states = OPEN if state == "open" else (state,) if state else ()
    rows = world.actions.rows(states=states, limit=READ)
    waiting = rows if state == "proposed" else world.actions.rows(states=("proposed",), limit=READ)
    return ActionList(
        state,
        tuple(listed(row) for row in rows[:LIMIT]),
        len(rows),
        len(waiting),
        world.clock.now(),
        zone_of(world.fleet).key,
    )


def listed(row: ActionRow) -> ListedAction:
    """A row of the ledger as the list shows it."""
    expires = row.more.expires_at if row.more and row.state == "proposed" else None
    return ListedAction(
        row.number,
        row.title,
        row.tool,
        row.target,
        row.state,
        row.requested_by,
        row.decided_by,
        row.created_at,
        row.changed_at,
        expires,
        row.summary,
        row.undoes,
        row.title_zh,
        row.summary_zh,
    )

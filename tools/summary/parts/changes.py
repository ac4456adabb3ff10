"""What changed, and what waits for a yes: the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tools.actions.listing import listed
from tools.actions.wording import OPEN, cut, state_words
from tools.amounts import plural
from tools.contract import as_json
from tools.summary.part import Look, Part, Remark
from tools.words import Said
from tools.zone import short

if TYPE_CHECKING:
    from tools.world import ActionRow

TITLE = Said("Changes", "变更")
WAITING = Said("Waiting for approval", "等待批准")
READ = 1000
SHOWN = 100
"""A day has fewer; what is beyond is counted."""


def collect(look: Look) -> Part:
    """Every action of the window in the order it was proposed, with its outcome."""
    rows = look.world.actions.rows(since=look.since, limit=READ)
    ordered = sorted((_as_of(r, look) for r in rows), key=lambda r: r.number)
    unknown = look.world.actions.rows(states=("unknown",), limit=READ)
    shown = [r for r in ordered if r.state != "proposed"][-SHOWN:]
    lines = [Said(_line(r, look, "en"), _line(r, look, "zh")) for r in shown]
    hidden = len([r for r in ordered if r.state != "proposed"]) - len(shown)
    if hidden:
        lines.insert(
            0, Said(f"{hidden} earlier ones: steward actions list", f"另有更早的 {hidden} 个")
        )
    lines = lines or [Said("none.", "无。")]
    done = sum(r.state in ("verified", "undone") for r in ordered)
    return Part(
        "changes",
        TITLE,
        tuple(lines),
        _remarks(ordered, unknown),
        Said(f"{plural(done, 'change')} done and verified", f"{done} 项变更已完成并验证")
        if done
        else None,
        {"actions": [as_json(listed(r)) for r in ordered]},
    )


def waiting(look: Look) -> Part | None:
    """Proposals nobody has decided, the soonest to expire first."""
    rows = look.world.actions.rows(states=("proposed",), limit=READ)
    alive = [r for r in rows if _as_of(r, look).state == "proposed"]
    if not alive:
        return Part("waiting", WAITING, (Said("nothing.", "无。"),), (), _nothing())
    ordered = sorted(alive, key=lambda r: r.more.expires_at if r.more else r.created_at)
    note = Said(
        f"{plural(len(alive), 'action')} {'waits' if len(alive) == 1 else 'wait'} for approval",
        f"{len(alive)} 个操作等待批准",
    )
    return Part(
        "waiting",
        WAITING,
        tuple(Said(_asked(r, look, "en"), _asked(r, look, "zh")) for r in ordered),
        (Remark("note", note),),
        None,
        {"actions": [as_json(listed(r)) for r in ordered]},
    )


def _as_of(row: ActionRow, look: Look) -> ActionRow:
    """A proposal whose time is over counts as expired before anybody touches it again."""
    if row.state == "proposed" and row.more and row.more.expires_at <= look.until:
        return replace(row, state="expired", changed_at=row.more.expires_at)
    return row


def _nothing() -> Said:
    return Said("nothing waits for approval", "没有等待批准的操作")


def _line(row: ActionRow, look: Look, lang: str) -> str:
    zh = lang == "zh"
    at = short(row.changed_at, look.until, look.zone)
    who = row.requested_by
    if row.decided_by and row.decided_by != (row.requested_by,):
        who += f" → {', '.join(row.decided_by)}"
    said = f"{at} #{row.number} {state_words(row.state, 'zh' if zh else 'en')}"
    ends = "：" if zh else ": "
    told = cut(f"{said}{ends}{row.title_in(lang)} ({who})", 98)
    return f"{told}\n  {cut(row.summary_in(lang), 96)}" if row.summary else told


def _asked(row: ActionRow, look: Look, lang: str) -> str:
    at = short(row.created_at, look.until, look.zone)
    if row.more is None:
        return cut(f"#{row.number} {row.title_in(lang)}", 98)
    expires = short(row.more.expires_at, look.until, look.zone)
    if lang == "zh":
        return cut(
            f"#{row.number} {row.title_in(lang)}（{row.requested_by}，{at}；{expires} 过期）", 98
        )
    return cut(f"#{row.number} {row.title} ({row.requested_by}, {at}; expires {expires})", 98)


def _remarks(rows: Sequence[ActionRow], unknown: Sequence[ActionRow]) -> tuple[Remark, ...]:
    told: list[Remark] = []
    for row in unknown:
        said = Said(
            f"the outcome of action {row.number} is unknown and a person must look",
            f"操作 {row.number} 结果未知，需人工确认",
        )
        told.append(Remark("problem", said))
    for row in rows:
        if row.state in ("failed", "unverified") and not _mended(row, rows):
            words = "failed" if row.state == "failed" else "could not be verified"
            zh = "失败" if row.state == "failed" else "未能验证"
            said = Said(
                f"action {row.number} {words} ({row.title})",
                f"操作 {row.number} {zh}（{row.title_in('zh')}）",
            )
            told.append(Remark("problem", said))
    running = [r for r in rows if r.state in OPEN and r.state != "proposed"]
    if running:
        count = len(running)
        verb = "is" if count == 1 else "are"
        said = Said(f"{plural(count, 'action')} {verb} under way", f"{count} 个操作正在进行")
        told.append(Remark("note", said))
    return tuple(told)


def _mended(row: ActionRow, rows: Sequence[ActionRow]) -> bool:
    """Whether a later action on the same target ended well, so that this one is history."""
    return any(
        r.number > row.number and r.target == row.target and r.state == "verified" for r in rows
    )

"""The ledger as tools may read it: short rows, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agent.events import Action, State
from agent.ledger import Ledger
from tools.errors import BadArguments
from tools.words import Lang
from tools.world import ActionDetail, ActionRow, DecisionRow, DetailWords


class LedgerLog:
    """The ledger as tools may read it: :class:`tools.world.ActionLog`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def rows(
        self,
        *,
        since: datetime | None = None,
        states: Sequence[str] = (),
        target: str | None = None,
        limit: int = 200,
    ) -> Sequence[ActionRow]:
        """Newest first."""
        found = self._ledger.find(states=[State(s) for s in states], since=since, limit=limit)
        rows = [row_of(a) for a in found]
        return [
            r for r in rows if target is None or target in (r.target, r.target.split("/", 1)[1])
        ]

    def row(self, number: int) -> ActionRow | None:
        """One action, or ``None``."""
        try:
            return row_of(self._ledger.get(number))
        except BadArguments:
            return None


def row_of(action: Action) -> ActionRow:
    """The short form that tools read."""
    return ActionRow(
        number=action.number,
        id=action.id,
        tool=action.call.tool,
        args=action.call.args,
        title=action.plan.title,
        target=f"{action.plan.target.kind}/{action.plan.target.name}",
        state=action.state.value,
        requested_by=action.requester.name,
        decided_by=action.approved_by,
        created_at=action.created_at,
        changed_at=action.changed_at,
        summary=_summary(action, "en"),
        undoes=action.undoes,
        details=action.outcome.details if action.outcome else {},
        more=_detail(action),
        title_zh=action.plan.words("zh").title,
        summary_zh=_summary(action, "zh"),
    )


def _summary(action: Action, lang: Lang) -> str:
    ended = action.why(lang) or (action.verdict.said(lang) if action.verdict else "")
    return ended or (action.outcome.said(lang) if action.outcome else "")


def _detail(action: Action) -> ActionDetail:
    plan = action.plan
    return ActionDetail(
        diff=plan.diff,
        blast_radius=plan.blast_radius,
        undo=plan.undo,
        verification=plan.verification,
        risk=plan.risk.value,
        warnings=plan.warnings,
        requested_at=action.requester.front,
        expires_at=action.expires_at,
        needed=action.needed,
        approvers=action.approvers,
        decisions=tuple(
            DecisionRow(d.who, d.verdict, d.at, d.reason, d.front) for d in action.decisions
        ),
        rule=action.rule,
        outcome=action.outcome.summary if action.outcome else "",
        evidence=action.verdict.evidence if action.verdict else "",
        reason=action.reason,
        undone_by=action.undone_by,
        zh=_detail_zh(action),
    )


def _detail_zh(action: Action) -> DetailWords:
    words = action.plan.words("zh")
    return DetailWords(
        blast_radius=words.blast_radius,
        undo=words.undo,
        verification=words.verification,
        warnings=words.warnings,
        outcome=action.outcome.said("zh") if action.outcome else "",
        evidence=action.verdict.said("zh") if action.verdict else "",
        reason=action.why("zh"),
    )

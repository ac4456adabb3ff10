"""The ``slack`` section of steward.yaml: who is heard, where things are posted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from agent.errors import Unreadable
from agent.fronts.slack_payloads import Access
from tools.contract import Json
from tools.fleet import Person

_KNOWN = frozenset(
    {"mode", "workspaces", "users", "approvals", "alerts", "follow_threads", "workers"}
)


@dataclass(frozen=True, slots=True)
class SlackOptions:
    """How Slack is used. Every default is the careful one."""

    mode: Literal["socket", "http"] = "socket"
    workspaces: tuple[str, ...] | None = None
    """Team ids that are heard; unset is the bot token's own workspace, empty is none."""
    users: tuple[str, ...] | Literal["people", "everyone"] = "people"
    """Who may ask: people of steward.yaml, everyone of the workspaces, or these user ids."""
    approvals: str | None = None
    """Channel for the cards of actions proposed elsewhere (terminal, HTTP, schedules)."""
    alerts: str | None = None
    """Channel in which incidents open their threads."""
    follow_threads: bool = False
    """Also answer replies without a mention in threads where Steward was asked before."""
    workers: int = 32
    """Questions answered side by side."""

    def access(self, own_team: str, people: Mapping[str, Person]) -> Access:
        """Who is heard."""
        teams = {own_team} if self.workspaces is None else set(self.workspaces)
        teams.discard("")
        if self.users == "everyone":
            return Access(frozenset(teams), None)
        if self.users == "people":
            known = {person.slack for person in people.values() if person.slack}
            return Access(frozenset(teams), frozenset(known))
        return Access(frozenset(teams), frozenset(self.users))


def read_options(section: Mapping[str, Json]) -> SlackOptions:
    """The options of a section.

    Raises:
        Unreadable: an unknown key or an impossible value; says which and what is accepted.
    """
    unknown = sorted(set(section) - _KNOWN)
    if unknown:
        raise Unreadable(f"slack: there is no {unknown[0]!r}; it has {', '.join(sorted(_KNOWN))}.")
    mode = section.get("mode", "socket")
    if mode not in ("socket", "http"):
        raise Unreadable(f"slack.mode is {mode!r}; it must be socket or http.")
    users = section.get("users", "people")
    if users not in ("people", "everyone") and not isinstance(users, list):
        raise Unreadable("slack.users must be people, everyone, or a list of user ids.")
    workspaces = section.get("workspaces")
    if workspaces is not None and not isinstance(workspaces, list):
        raise Unreadable("slack.workspaces must be a list of team ids.")
    workers = section.get("workers", 32)
    if not isinstance(workers, int) or not 1 <= workers <= 256:
        raise Unreadable("slack.workers must be a number from 1 to 256.")
    approvals, alerts = section.get("approvals"), section.get("alerts")
    return SlackOptions(
        mode=mode,
        workspaces=None if workspaces is None else tuple(str(w) for w in workspaces),
        users=tuple(str(u) for u in users) if isinstance(users, list) else cast("str", users),  # type: ignore[arg-type]
        approvals=str(approvals) if approvals else None,
        alerts=str(alerts) if alerts else None,
        follow_threads=section.get("follow_threads") is True,
        workers=workers,
    )

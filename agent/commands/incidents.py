"""``steward incidents``: what fires together, and who has it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from agent.bootstrap import App
from agent.commands.ask import terminal_actor
from agent.commands.exits import OK
from agent.fronts.notes import IncidentDesk, IncidentState
from tools.contract import as_json
from tools.errors import BadArguments

if TYPE_CHECKING:
    from tools.words import Lang


def run(options: argparse.Namespace) -> int:
    """List incidents, or take one."""
    from agent.commands.incident_desk import desk_of

    app = App.start(fleet=options.fleet)
    desk = desk_of(app.world)
    if options.verb == "have":
        found = [desk.have(options.number, terminal_actor(app).name)]
    else:
        found = list(desk.incidents())
    if options.json:
        print(json.dumps([as_json(one) for one in found], ensure_ascii=False, indent=2))
    else:
        print(listing(found, "en"))
    return OK


def commands(desk: Callable[[], IncidentDesk], who: str) -> dict[str, Callable[[str, Lang], str]]:
    """What a terminal chat offers as ``/incidents`` and ``/have``."""

    def have(rest: str, lang: Lang) -> str:
        if not rest.isdecimal():
            raise BadArguments(
                "Say which incident by its number, for example: /have 3",
                "请写明事件编号，例如：/have 3",
            )
        return listing([desk().have(int(rest), who)], lang)

    return {"incidents": lambda _, lang: listing(desk().incidents(), lang), "have": have}


def listing(found: Sequence[IncidentState], lang: Lang) -> str:
    """One line an incident."""
    if not found:
        return "没有事件。" if lang == "zh" else "No incidents."
    return "\n".join(_line(one, lang) for one in found)


def _line(one: IncidentState, lang: Lang) -> str:
    at = f"{one.opened_at.astimezone():%m-%d %H:%M}"
    zh = lang == "zh"
    state = {"firing": "触发中", "resolved": "已恢复"}[one.state] if zh else one.state
    who = ""
    if one.taken_by:
        who = f"；{one.taken_by} 正在处理" if zh else f"; {one.taken_by} has it"
    elif one.state == "firing" and one.escalates:
        hint = f"/have {one.number}"
        who = f"；无人处理（{hint}）" if zh else f"; nobody has it ({hint})"
    count = f"{one.alerts} 条告警" if zh else f"{one.alerts} alert{'s' * (one.alerts != 1)}"
    return f"{one.number:>5}  {at}  {state}  {one.severity}  {one.title}  ({count}{who})"

"""``steward summary``: the status summary now."""

from __future__ import annotations

import argparse
import json
from typing import cast

from agent.bootstrap import App
from agent.commands.ask import home_conversation, terminal_actor
from agent.commands.exits import FAILED, OK, PROPOSED
from tools.contract import Call
from tools.words import Lang


def run(options: argparse.Namespace) -> int:
    """Print it, or propose to send it: a notice is a change like any other."""
    app = App.start(fleet=options.fleet)
    lang = cast("Lang", app.fleet.language)
    looked = app.assistant.toolbox.look_all(
        [Call("status_summary", {"window": options.window})], lang
    )
    seen = looked[0].seen
    if options.json:
        print(json.dumps(seen.data, ensure_ascii=False, indent=2))
    else:
        print(seen.text)
    if not options.to or not seen.ok:
        return OK if seen.ok else FAILED
    call = Call("send_notice", {"target": options.to, "text": seen.text[:4000]})
    actor = terminal_actor(app)
    stamp = f"summary:{app.world.clock.now().isoformat()}"
    action = app.door.propose(call, actor, home_conversation(app), stamp)
    print(f"\nProposed as action {action.number}: steward actions approve {action.number}")
    return PROPOSED

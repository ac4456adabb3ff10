"""One story per process: propose, approve, apply, verify, undo; killed at a chosen boundary.

``python -m tests.crash.stories HOME STORY KILL_AT`` plays a story from wherever the ledger says it
stands, and kills itself with SIGKILL at the n-th boundary it meets (0: never). Playing it again
without a kill is what a person and a restarted Steward do. The last line printed is JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.bootstrap import App
from agent.events import Action, Actor, Decision, State
from agent.ledger import Ledger
from agent.settings import Settings
from tests.serving.tiny import register, save
from tools.contract import Call

FLEET = """
models:
  digits: {root: %s, module: model.py, params: {epochs: 1, width: 4, train_samples: 160, threads: 1}}
  tiny: {root: %s, module: model.py}
deployments:
  tiny: {model: tiny, replicas: 1, options: {soak: 0.1}}
policy: {breaker_failures: 100, actions_per_hour: 10000}
"""
STORIES = {
    "promote": Call("promote_version", {"model": "tiny", "version": "2", "alias": "production"}),
    "roll_out": Call("roll_out", {"deployment": "tiny", "version": "1"}),
    "train": Call("launch_training", {"model": "digits"}),
    "tune": Call("tune_model", {"model": "digits", "trials": 2}),
    "prune": Call("prune_model", {"model": "digits", "amount": 0.5, "method": "magnitude"}),
    "undo": Call("promote_version", {"model": "tiny", "version": "2", "alias": "production"}),
}
ANA = Actor("ana", "terminal", "ana")


class Boundaries:
    """Counts the places where a process can die, and dies at the chosen one."""

    def __init__(self, kill_at: int) -> None:
        self.kill_at = kill_at
        self.met: list[str] = []

    def here(self, name: str) -> None:
        self.met.append(name)
        if len(self.met) == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: Any, method: str, name: str) -> None:
        """Die right before or right after a call."""
        real: Callable[..., Any] = getattr(owner, method)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.here(f"before {name}")
            result = real(*args, **kwargs)
            self.here(f"after {name}")
            return result

        setattr(owner, method, wrapped)


def open_app(home: Path) -> App:
    """The real product on a prepared home."""
    home.mkdir(parents=True, exist_ok=True)
    fleet = home / "steward.yaml"
    if not fleet.exists():
        digits = Path(__file__).parents[2] / "examples" / "digits"
        fleet.write_text(FLEET % (digits, digits))
    app = App(Settings(home, fleet, None, None, "ana", False))
    if not app.world.registry.versions("tiny"):
        for number in (1, 2):
            artifact = save(home / f"tiny-{number}.onnx")
            register(app.world.registry, artifact, "tiny", job=f"seed-{number}")
    return app


def give_weights(app: App, home: Path) -> None:
    """A network of the digits example, untrained: something to prune."""
    from safetensors.torch import save_file

    from tools.models.kind_runtime import load

    if app.world.registry.versions("digits"):
        return
    params = {"width": 4, "size": 8, "train_samples": 160, "variants": 0}
    folder = app.world.fleet.models["digits"].root
    network = load("digits", folder / "model.py", params).build()
    artifact = home / "digits.safetensors"
    save_file(network.state_dict(), artifact)
    register(
        app.world.registry,
        artifact,
        format="safetensors",
        metrics={"accuracy": 0.1},
        job="seed",
        lineage={"params": params},
    )


def play(app: App, story: str) -> list[Action]:
    """Take the story on from where it stands; returns its actions."""
    door, assistant = app.door, app.assistant
    assistant.reconcile()
    first = door.propose(STORIES[story], ANA, "c", f"{story}/1") if not door.ledger.find() else None
    for action in sorted(door.ledger.find(), key=lambda a: a.number):
        _take_on(app, action)
    actions = door.ledger.find()
    if story == "undo" and not [a for a in actions if a.undoes]:
        done = next(a for a in actions if not a.undoes)
        if done.state is State.VERIFIED:
            _take_on(app, door.propose_undo(done.number, ANA))
    del first
    return sorted(door.ledger.find(), key=lambda a: a.number)


def _take_on(app: App, action: Action) -> None:
    if action.state is State.PROPOSED:
        yes = Decision(action.number, action.digest, ANA, "approve")
        action = app.assistant.decide(yes)
    if action.state is State.APPROVED:
        app.assistant.run(action.number)


def effects(app: App, action: Action) -> int:
    """How often the world shows the effect of an action."""
    match action.call.tool:
        case "promote_version" | "remove_alias":
            from sqlalchemy import text

            with app.store.read() as c:
                query = "SELECT count(*) FROM model_alias_moves WHERE action_id = :id"
                return int(c.execute(text(query), {"id": action.id}).scalar() or 0)
        case "roll_out":
            platform, ref = app.world.platforms.of("tiny")
            return sum(r.action_id == action.id for r in platform.history(ref))
        case _:
            jobs = [j for j in app.world.jobs.list() if j.action_id == action.id]
            made = [v for v in app.world.registry.versions("digits") if v.action_id == action.id]
            return max(len(jobs), len(made))


def main() -> None:
    home, story, kill_at = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    app = open_app(home)
    if story == "prune":
        give_weights(app, home)
    if sys.argv[4:] == ["prepare"]:
        return
    boundaries = Boundaries(kill_at)
    boundaries.around(Ledger, "append", "line")
    boundaries.around(Ledger, "propose", "proposal")
    for name in {STORIES[story].tool, "remove_alias"}:
        change = app.tools[name].change
        for part in ("plan", "apply", "verify"):
            boundaries.around(change, part, part)
    actions = play(app, story)
    audit = app.ledger.verify()
    result = {
        "states": [a.state.value for a in actions],
        "reasons": [a.reason for a in actions],
        "effects": [effects(app, a) for a in actions],
        "faults": list(audit.faults),
        "boundaries": len(boundaries.met),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

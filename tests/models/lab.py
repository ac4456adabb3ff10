"""A world with the digits model made tiny, and kinds written for one test."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

from tests.support import RecordingAct, in_both, make_world, plan_in_both
from tools.contract import Outcome, Plan, Tool, Verdict
from tools.fleet import Fleet, ModelSpec
from tools.models.base import JobSpec, JobStatus
from tools.models.catalog import TOOLS
from tools.models.jobs import open_jobs
from tools.models.kinds import outline, parameters
from tools.models.registries import open_registry
from tools.world import World

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
TOOL: Mapping[str, Tool] = {tool.name: tool for tool in TOOLS}
TINY = {"epochs": 2, "width": 4, "train_samples": 200, "threads": 1}

KIND = """
    import time
    import numpy as np
    import torch

    labels = ("no", "yes")
    defaults = {"epochs": 3, "batch_size": 16, "lr": 0.01, "threads": 1, "max_restarts": 1, "n": 96}

    def build(params):
        return torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2)
        )

    def data(split, params):
        seed = {"train": 0, "validation": 1, "test": 2}[split]
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(int(params["n"]), 4)).astype("float32")
        return x, (x.sum(1) > 0).astype("int64")
"""


def digits(**params: Any) -> ModelSpec:
    return ModelSpec("digits", "image-classifier", DIGITS, "model.py", params={**TINY, **params})


def kind(root: Path, more: str = "", *, name: str = "team", **params: Any) -> ModelSpec:
    """A kind of four numbers and two classes; ``more`` replaces parts of it."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "kind.py").write_text(dedent(KIND) + dedent(more))
    return ModelSpec(name, "classifier", root, "kind.py", params=params)


def lab(home: Path, *models: ModelSpec) -> World:
    fleet = Fleet(path=None, models={m.name: m for m in models or (digits(),)})
    return make_world(home, fleet=fleet, registry=open_registry, jobs=open_jobs)


def plan(world: World, tool: str, **args: Any) -> Plan:
    chosen = TOOL[tool]
    assert chosen.change is not None
    return chosen.change.plan(world, chosen.bind(chosen.arguments(args)))


def carry(
    world: World, tool: str, action: str, **args: Any
) -> tuple[Plan, Outcome, Verdict, RecordingAct]:
    change = TOOL[tool].change
    assert change is not None
    planned, act = plan(world, tool, **args), RecordingAct(action)
    outcome = change.apply(world, planned, act)
    verdict = change.verify(world, planned, outcome, act)
    plan_in_both(planned)
    in_both(verdict.evidence, verdict.zh)
    return planned, outcome, verdict, act


def spec(world: World, name: str = "team", **changes: Any) -> JobSpec:
    """A training job of a model, without planning it."""
    model = world.fleet.models[name]
    said = outline(model)
    params = {
        "module": str(said.file),
        "code_digest": said.digest,
        "training": parameters(model, said, changes),
        "options": {},
    }
    return JobSpec("", "train", name, params)


def until(look: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something that is bound to happen; fail when it does not."""
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.05)


def ended(world: World, job: str, seconds: float = 90.0) -> JobStatus:
    until(lambda: world.jobs.status(job).state not in ("pending", "running"), seconds)
    return world.jobs.status(job)

"""Two training processes against one: the same weights, and what a step costs.

    python bench/parallel.py [--rounds N] [--out FILE]

Trains the text example by launch_training with one process, with one process of two threads, and
with two processes of one thread, in turns. The global batch is the same, so that the weights must
agree up to rounding. Seconds a step are taken between the first and the last step a job reports,
validation included; starting torchrun and torch is not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

NETWORKS: dict[str, dict[str, Any]] = {
    "small (width 64, 2 layers)": {"epochs": 2, "train_samples": 1500},
    "wide (width 256, 3 layers)": {
        "epochs": 1,
        "train_samples": 640,
        "width": 256,
        "layers": 3,
        "length": 64,
        "lr": 0.0005,
    },
}
SHAPES = {"1 process": (1, 1), "1 process, 2 threads": (1, 2), "2 processes": (2, 1)}
"""Name → workers, threads of each."""


def world_for(home: Path, params: dict[str, Any]) -> Any:
    from tests.support import make_world
    from tools.fleet import Fleet, ModelSpec
    from tools.models.jobs import open_jobs
    from tools.models.registries import open_registry

    said = {**params, "test_samples": 200, "patience": 0}
    spec = ModelSpec("text", "text", ROOT / "examples" / "text", "model.py", params=said)
    fleet = Fleet(path=None, models={"text": spec})
    return make_world(home, fleet=fleet, registry=open_registry, jobs=open_jobs)


def trained(world: Any, workers: int, threads: int) -> tuple[float, dict[str, Any]]:
    """Seconds a step, and the weights."""
    from safetensors.numpy import load_file

    from tests.support import carry_out
    from tools.models.catalog import TOOLS

    launch = next(t for t in TOOLS if t.name == "launch_training")
    args = {"model": "text", "workers": workers, "params": {"threads": threads}}
    _, outcome, verdict = carry_out(world, launch, f"bench-{time.time_ns()}", **args)
    if not verdict.ok:
        sys.exit(verdict.evidence)
    lines = world.jobs.folder(str(outcome.details["job"])).progress.read_text().splitlines()
    steps = [e for e in map(json.loads, lines) if e["event"] == "step"]
    spent = (steps[-1]["at"] - steps[0]["at"]) / (steps[-1]["step"] - steps[0]["step"])
    version = world.registry.resolve("text", "latest")
    return spent, load_file(world.registry.verified(version, "weights"))


def measured(params: dict[str, Any], rounds: int) -> tuple[dict[str, list[float]], float]:
    """Seconds a step by shape, and how far the weights of two processes are from those of one."""
    import numpy as np

    spent: dict[str, list[float]] = defaultdict(list)
    weights: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as home:
        world = world_for(Path(home), params)
        for _ in range(rounds):
            for name, (workers, threads) in SHAPES.items():
                seconds, weights[name] = trained(world, workers, threads)
                spent[name].append(seconds)
    one, two = weights["1 process"], weights["2 processes"]
    return spent, max(float(np.abs(one[n] - two[n]).max()) for n in one)


def table(found: dict[str, tuple[dict[str, list[float]], float]]) -> str:
    lines = ["| network | training | ms a step | × one process |", "|---|---|---|---|"]
    for network, (spent, _) in found.items():
        base = median(spent["1 process"])
        for name, seconds in spent.items():
            middle = median(seconds)
            lines.append(f"| {network} | {name} | {1000 * middle:.0f} | {base / middle:.2f} |")
    lines += [""] + [
        f"{network}: the weights of two processes differ from those of one by at most {gap:.1e}."
        for network, (_, gap) in found.items()
    ]
    load = os.getloadavg()
    return "\n".join([*lines, f"Load average while measuring: {load[0]:.1f} and {load[1]:.1f}."])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    said = table({name: measured(p, chosen.rounds) for name, p in NETWORKS.items()})
    print(said)
    if chosen.out:
        chosen.out.write_text(said + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

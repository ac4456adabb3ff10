"""Accuracy, size and speed of every operation on the example models, in one run.

    python bench/models.py [--model image|text] [--out docs/benchmarks-models.md]

Everything goes through the same jobs as in daily use. Latency is the median of calls taken in
turns over all variants, one thread, batch 1 and 32; the baseline a user has by hand is the trained
network in eager torch. "proven" is the gate: paired bootstrap on the test split, at most 1 point.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

IMAGE = {"width": 32, "size": 32, "epochs": 12, "recovery_epochs": 10, "lr": 0.01}
TEXT = {
    "width": 256,
    "layers": 3,
    "heads": 4,
    "length": 64,
    "epochs": 8,
    "recovery_epochs": 6,
    "lr": 0.0005,
    "train_samples": 6000,
    "test_samples": 3000,
}
STEPS: dict[str, list[tuple[str, str, dict[str, Any], str]]] = {
    # name, tool, arguments, name of the variant it starts from
    "image": [
        ("unstructured 80 %", "prune_model", {"amount": 0.8, "method": "magnitude"}, "original"),
        ("structured 30 %", "prune_model", {"amount": 0.3}, "original"),
        ("structured 50 %", "prune_model", {"amount": 0.5}, "original"),
        ("structured 70 %", "prune_model", {"amount": 0.7}, "original"),
        ("int8", "quantize_model", {}, "original"),
        ("structured 50 % + int8", "quantize_model", {}, "structured 50 %"),
        ("structured 70 % + int8", "quantize_model", {}, "structured 70 %"),
        ("distilled", "distill_model", {}, "original"),
        ("distilled + int8", "quantize_model", {}, "distilled"),
    ],
}
STEPS["text"] = [
    *STEPS["image"][:7],
    ("structured 90 %", "prune_model", {"amount": 0.9}, "original"),
    ("structured 90 % + int8", "quantize_model", {}, "structured 90 %"),
    *STEPS["image"][7:],
]


def world_for(model: str, home: Path) -> Any:
    from tests.support import make_world
    from tools.fleet import Fleet, ModelSpec
    from tools.models.jobs import open_jobs
    from tools.models.registry import open_registry

    folder, params = ("digits", IMAGE) if model == "image" else ("text", TEXT)
    spec = ModelSpec(model, model, ROOT / "examples" / folder, "model.py", params=params)
    fleet = Fleet(path=None, models={model: spec})
    return make_world(home, fleet=fleet, registry=open_registry, jobs=open_jobs)


def do(world: Any, tool: str, **args: Any) -> Any:
    from tests.support import carry_out
    from tools.models.catalog import TOOLS

    chosen = next(t for t in TOOLS if t.name == tool)
    _, outcome, verdict = carry_out(world, chosen, f"bench-{time.time_ns()}", **args)
    if not verdict.ok:
        sys.exit(f"{tool}: {verdict.evidence}")
    print(f"  {verdict.evidence}", file=sys.stderr)
    job = str(outcome.details["job"])
    return next(v for v in world.registry.versions(args["model"]) if v.job == job)


def measure(world: Any, model: str, made: dict[str, Any]) -> list[dict[str, Any]]:
    import torch

    from tools.models import evaluation, speed
    from tools.models.kind_runtime import load
    from tools.models.kinds import outline, parameters
    from tools.models.torch_runtime import predict
    from tools.models.weights import rebuild

    torch.set_num_threads(1)
    spec = world.fleet.models[model]
    kind = load(model, spec.root / spec.module, parameters(spec, outline(spec)))
    inputs, targets = kind.data("test")
    base = made["original"]
    eager = rebuild(kind, world.registry.verified(base, "weights"))
    calls: dict[str, speed.Call] = {"eager": lambda batch: predict(eager, batch)}
    calls |= {name: speed.session_call(v.path) for name, v in made.items()}
    one, many = (
        speed.interleaved(calls, inputs, size, rounds) for size, rounds in ((1, 150), (32, 40))
    )
    first = evaluation.outputs_of(kind, base.path, "onnx", inputs)
    rows = [row("original, eager torch", one, many, "eager", base, None)]
    for name, version in made.items():
        outputs = evaluation.outputs_of(kind, version.path, "onnx", inputs)
        gate = evaluation.gate(kind, targets, first, outputs, base.number)
        accuracy = float(kind.score(outputs, targets).mean())
        rows.append(row(name, one, many, name, version, gate) | {"accuracy": accuracy})
    rows[0]["accuracy"] = rows[1]["accuracy"]
    rows[0]["size"] = world.registry.verified(base, "weights").stat().st_size
    return rows


def row(name: str, one: Any, many: Any, key: str, version: Any, gate: Any) -> dict[str, Any]:
    return {
        "name": name,
        "size": version.size,
        "one": 1000 * median(one[key]),
        "many": 1000 * median(many[key]),
        "gate": gate,
    }


def table(model: str, rows: list[dict[str, Any]]) -> str:
    eager, plain = rows[0], rows[1]
    lines = [
        f"### {model}",
        "",
        "| variant | acc % | change [low] | flips % | proven | KiB (×) | 1, ms (× eager, × ORT) "
        "| 32, ms (× eager) | per s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        gate = r["gate"]
        judged = ["", "", ""]
        if gate is not None:
            change = f"{100 * gate['change']:+.2f} [{100 * gate['low']:+.2f}]"
            judged = [change, f"{100 * gate['flips']:.1f}", "yes" if gate["passed"] else "no"]
        lines.append(
            f"| {r['name']} | {100 * r['accuracy']:.2f} | {' | '.join(judged)} "
            f"| {r['size'] / 1024:.0f} ({eager['size'] / r['size']:.1f}) "
            f"| {r['one']:.3f} ({eager['one'] / r['one']:.1f}, {plain['one'] / r['one']:.1f}) "
            f"| {r['many']:.2f} ({eager['many'] / r['many']:.1f}) | {32000 / r['many']:,.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", choices=("image", "text"), action="append")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    parts: list[str] = []
    for model in chosen.model or ["image", "text"]:
        with tempfile.TemporaryDirectory() as home:
            world = world_for(model, Path(home))
            made = {"original": do(world, "launch_training", model=model)}
            for name, tool, args, start in STEPS[model]:
                number = str(made[start].number)
                made[name] = do(world, tool, model=model, version=number, **args)
            parts.append(table(model, measure(world, model, made)))
            print(parts[-1], flush=True)
    if chosen.out:
        chosen.out.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

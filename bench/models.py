"""Accuracy, size and speed of every operation on the example models, in one run.

    python bench/models.py [--model image|text] [--home FOLDER] [--out FILE]

Everything goes through the same jobs as in daily use. Latency is the median of calls taken in
turns over all variants, batch 1 and 32, as processor time of the one thread that does the work: what
a call takes on an idle core. (Wall time on a busy machine favours short calls.) What a person would do by hand with torch alone
is measured in the same turns: the trained network in eager torch, torch.compile, magnitude pruning
by torch.nn.utils.prune, int8 by torch.ao. "proven" is the gate: paired bootstrap on the test split,
at most 1 point. ``--home`` keeps the versions, so that a second run only measures.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

IMAGE = {
    "width": 48,
    "size": 32,
    "epochs": 24,
    "recovery_epochs": 10,
    "lr": 0.01,
    "kd_alpha": 0.7,
    "precision": "bf16",
}
TEXT = {
    "width": 256,
    "layers": 3,
    "heads": 4,
    "length": 64,
    "epochs": 5,
    "recovery_epochs": 8,
    "lr": 0.0005,
    "precision": "bf16",
    "train_samples": 3000,
    "test_samples": 4000,
    "unlabelled_samples": 9000,
}
STEPS: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    # name, tool, arguments, name of the variant it starts from
    ("unstructured 80 %", "prune_model", {"amount": 0.8, "method": "magnitude"}, "original"),
    ("structured 30 %", "prune_model", {"amount": 0.3}, "original"),
    ("structured 50 %", "prune_model", {"amount": 0.5}, "original"),
    ("structured 70 %", "prune_model", {"amount": 0.7}, "original"),
    ("int8", "quantize_model", {}, "original"),
    ("structured 50 % + int8", "quantize_model", {}, "structured 50 %"),
    ("structured 70 % + int8", "quantize_model", {}, "structured 70 %"),
    ("distilled", "distill_model", {}, "original"),
    ("distilled + int8", "quantize_model", {}, "distilled"),
)


def world_for(model: str, home: Path) -> Any:
    from tests.support import make_world
    from tools.fleet import Fleet, ModelSpec
    from tools.models.jobs import open_jobs
    from tools.models.registries import open_registry

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


def build(world: Any, model: str) -> dict[str, Any]:
    """Every variant by name; those that a kept home already has are not made again."""
    note = world.home / "variants.json"
    numbers: dict[str, int] = json.loads(note.read_text()) if note.exists() else {}
    for name, tool, args, start in (("original", "launch_training", {}, ""), *STEPS):
        if name not in numbers:
            more = {"version": str(numbers[start])} if start else {}
            numbers[name] = do(world, tool, model=model, **more, **args).number
            note.write_text(json.dumps(numbers))
    return {n: world.registry.resolve(model, str(numbers[n])) for n in ("original", *names())}


def names() -> tuple[str, ...]:
    """The variants besides the original, in the table's order."""
    return tuple(name for name, *_ in STEPS)


def by_hand(eager: Any, example: Any) -> dict[str, Any]:
    """What torch alone offers: each with the file it would be saved as."""
    import copy

    import torch
    from torch.nn.utils import prune

    def fresh() -> Any:
        return copy.deepcopy(eager)

    found = {"eager torch": eager}
    masked = fresh()
    kinds = (torch.nn.Linear, torch.nn.Conv2d)
    held = [(m, "weight") for m in masked.modules() if isinstance(m, kinds)]
    prune.global_unstructured(held, prune.L1Unstructured, amount=0.8)
    for layer, name in held:
        prune.remove(layer, name)
    found["by hand: nn.utils.prune 80 %"] = masked
    quantised = torch.ao.quantization.quantize_dynamic(fresh(), {torch.nn.Linear})
    found["by hand: torch.ao dynamic int8"] = quantised
    compiled = torch.compile(fresh(), dynamic=True)
    try:
        with torch.inference_mode():
            compiled(torch.from_numpy(example[:1].copy()))
        found["by hand: torch.compile"] = compiled
    except Exception as error:  # noqa: BLE001  there may be no C++ compiler
        print(f"  torch.compile does not work here: {type(error).__name__}", file=sys.stderr)
    return found


def torch_call(network: Any) -> Any:
    import torch

    def call(batch: Any) -> Any:
        with torch.inference_mode():
            return network(torch.from_numpy(batch)).numpy()

    return call


def answer(said: Any) -> Any:
    """The first output: a session answers with a list of them."""
    return said[0] if isinstance(said, list) else said


def saved(network: Any) -> int:
    import io

    import torch

    held = io.BytesIO()
    torch.save(network.state_dict(), held)
    return len(held.getvalue())


def measure(world: Any, model: str, made: dict[str, Any]) -> list[dict[str, Any]]:
    import warnings

    import numpy as np
    import torch

    from tools.models import evaluation, speed
    from tools.models.kind_runtime import load
    from tools.models.kinds import outline, parameters
    from tools.models.weights import rebuild

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    spec = world.fleet.models[model]
    kind = load(model, spec.root / spec.module, parameters(spec, outline(spec)))
    inputs, targets = kind.data("test")
    base = made["original"]
    hands = by_hand(rebuild(kind, world.registry.verified(base, "weights")), inputs)
    calls: dict[str, speed.Call] = {name: torch_call(m) for name, m in hands.items()}
    calls |= {f"{name} (ONNX Runtime)": speed.session_call(v.path) for name, v in made.items()}
    sizes = [*(saved(m) for m in hands.values()), *(v.size for v in made.values())]
    one, many = (
        speed.interleaved(calls, inputs, size, rounds, time.thread_time)
        for size, rounds in ((1, 300), (32, 30))
    )
    parts = [inputs[i : i + 250] for i in range(0, len(inputs), 250)]
    outputs = {n: np.concatenate([answer(call(p)) for p in parts]) for n, call in calls.items()}
    first = outputs["eager torch"]
    return [
        {
            "name": name,
            "size": size,
            "one": 1000 * median(one[name]),
            "many": 1000 * median(many[name]),
            "accuracy": float(kind.score(outputs[name], targets).mean()),
            "gate": evaluation.gate(kind, targets, first, outputs[name], base.number)
            if name != "eager torch"
            else None,
        }
        for name, size in zip(calls, sizes, strict=True)
    ]


def table(model: str, rows: list[dict[str, Any]]) -> str:
    eager = rows[0]
    plain = next(r for r in rows if r["name"] == "original (ONNX Runtime)")
    lines = [
        f"### {model}",
        "",
        "| variant | accuracy, % | change [low], points | flips, % | proven | KiB (× smaller) "
        "| batch 1, ms (× eager; × ONNX Runtime) | batch 32, ms (× eager) | per s |",
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
            f"| {r['one']:.3f} ({eager['one'] / r['one']:.1f}; {plain['one'] / r['one']:.1f}) "
            f"| {r['many']:.2f} ({eager['many'] / r['many']:.1f}) | {32000 / r['many']:,.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", choices=("image", "text"), action="append")
    parser.add_argument("--home", type=Path, help="keep the versions here, and reuse them")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    parts: list[str] = []
    for model in chosen.model or ["image", "text"]:
        with tempfile.TemporaryDirectory() as scratch:
            world = world_for(model, (chosen.home or Path(scratch)) / model)
            parts.append(table(model, measure(world, model, build(world, model))))
            print(parts[-1], flush=True)
    if chosen.out:
        chosen.out.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

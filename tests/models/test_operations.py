"""Every operation on a small trained model: real jobs, real files, the same gate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.lab import DIGITS, TOOL, carry, digits, kind, lab, plan, spec
from tools.contract import Tool, as_json
from tools.errors import BadArguments, Failed, Refused, Unavailable
from tools.fleet import ModelSpec
from tools.models.base import ModelVersion
from tools.models.operations.tune import in_use
from tools.models.speed import session_call
from tools.serving.window import Window, folder_of
from tools.world import World

pytestmark = pytest.mark.timeout(600)  # two models are trained first, on a machine that may be busy

TEXT = ModelSpec(
    "text",
    "text-classifier",
    DIGITS.parent / "text",
    "model.py",
    params={"epochs": 3, "width": 32, "layers": 1, "train_samples": 800, "test_samples": 500},
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One trained version of each example; tests add versions and read their own."""
    home = tmp_path_factory.mktemp("operations")
    small = digits(width=8, epochs=6, train_samples=600, lr=0.02)
    world = lab(home, small, TEXT, kind(home / "team"))
    for model in ("digits", "text"):
        assert carry(world, "launch_training", f"base-{model}", model=model)[2].ok
    yield world
    for job in world.jobs.list():
        world.jobs.cancel(job.name, "cleanup")


def read(world: World, tool: str, **args: Any) -> Any:
    chosen: Tool = TOOL[tool]
    assert chosen.read is not None
    found = chosen.read(world, **chosen.arguments(args))
    for lang in ("en", "zh"):
        said = found.say(lang)
        paths = ("Picture:", "图：")
        assert all(len(line) <= 100 for line in said.splitlines() if not line.startswith(paths))
    assert isinstance(as_json(found), dict)
    return found


def made(world: World, model: str, verdict: Any) -> ModelVersion:
    assert verdict.ok, verdict
    return world.registry.resolve(model, "latest")


def test_int8_static_is_smaller_and_as_good(world: World):
    _, _, verdict, _ = carry(world, "quantize_model", "q1", model="digits", version="1")
    version = made(world, "digits", verdict)
    assert version.technique == "int8 static"
    assert version.parent == 1
    assert version.metrics["shrunk"] > 1.5
    assert version.gate["against"] == 1
    assert (
        version.metrics["accuracy"]
        > world.registry.resolve("digits", "1").metrics["accuracy"] - 0.03
    )
    with pytest.raises(BadArguments, match="already is int8"):
        plan(world, "quantize_model", model="digits", version=str(version.number))
    with pytest.raises(BadArguments, match="int8 and exists as ONNX only"):
        plan(
            world,
            "export_model",
            model="digits",
            version=str(version.number),
            format="torch_export",
        )


def test_int8_dynamic_for_a_transformer(world: World):
    _, _, verdict, _ = carry(world, "quantize_model", "q2", model="text", version="1")
    version = made(world, "text", verdict)
    assert version.technique == "int8 dynamic"
    assert version.metrics["shrunk"] > 2
    assert float(str(version.gate["flips"])) < 0.05


def test_export_to_torch_and_back_to_safetensors(world: World):
    for number, format in (("1", "torch_export"), ("1", "safetensors")):
        _, _, verdict, _ = carry(
            world, "export_model", f"x-{format}", model="text", version=number, format=format
        )
        version = made(world, "text", verdict)
        assert version.format == format
        assert version.gate["flips"] == 0.0
        assert world.registry.verified(version).is_file()
    refused = carry(world, "quantize_model", "q3", model="text", version=str(version.number))[2]
    assert not refused.ok
    assert "export it to onnx first" in refused.cause


def test_compare_measures_both_in_one_run(world: World):
    carry(world, "quantize_model", "q4", model="text", version="1")
    newest = world.registry.resolve("text", "latest").number
    found = read(world, "compare_versions", model="text", a="1", b=str(newest))
    assert found.a.size > found.b.size
    assert found.samples == 500
    assert found.a.accuracy_low <= found.a.accuracy <= found.a.accuracy_high
    assert found.change == pytest.approx(found.b.accuracy - found.a.accuracy)
    assert found.chart.is_file()
    assert "smaller" in found.say("en").splitlines()[0]
    with pytest.raises(BadArguments, match="both version 1"):
        read(world, "compare_versions", model="text", a="1", b="v1")


def test_an_explanation_comes_with_its_deletion_check(world: World):
    image = read(world, "explain_prediction", model="digits", sample="17", version="1")
    assert image.label in "0123456789"
    assert image.truth is not None
    assert image.chart.is_file()
    assert image.faithful == (image.drop > 0.05 and image.drop >= 3 * max(0, image.random_drop))
    text = read(
        world,
        "explain_prediction",
        model="text",
        version="1",
        sample="the gateway drops packets between racks",
    )
    assert {r.what for r in text.reasons} <= {
        "the",
        "gateway",
        "drops",
        "packets",
        "between",
        "racks",
    }
    with pytest.raises(Failed, match="no test sample 9999"):
        read(world, "explain_prediction", model="digits", sample="9999", version="1")
    with pytest.raises(Failed, match="is not a test sample of digits"):
        read(world, "explain_prediction", model="digits", sample="seven", version="1")


def test_an_int8_version_is_explained_through_its_parent(world: World):
    carry(world, "quantize_model", "q5", model="digits", version="1")
    found = read(world, "explain_prediction", model="digits", sample="3")
    assert (found.explained_by, found.version > 1) == (1, True)
    assert "Explained through version 1" in found.say("en")


def test_drift_is_found_in_noise_and_not_in_clean_inputs(world: World):
    from tools.models.kind_runtime import load
    from tools.models.kinds import outline, parameters

    with pytest.raises(Unavailable, match="No serving inputs of digits"):
        read(world, "check_drift", model="digits")
    model = world.fleet.models["digits"]
    inputs, _ = load("digits", DIGITS / "model.py", parameters(model, outline(model))).data("test")
    rng = np.random.default_rng(3)
    place = folder_of(world.home, "digits")
    version = world.registry.resolve("digits", "1")
    answer = session_call(version.path)

    def serve(rows: np.ndarray) -> None:
        for old in place.glob("*.npz"):
            old.unlink()
        window = Window(place, "1")
        for row in range(0, len(rows), 20):
            window.observe(rows[row : row + 20], answer(rows[row : row + 20])[0])
        window.close()

    serve(rng.permutation(inputs)[:300])
    clean = read(world, "check_drift", model="digits", window="1h")
    assert clean.changed == ()
    assert (clean.rows, clean.seen, clean.drifted) == (256, 300, False)
    assert clean.say("en").startswith("No drift in digits")
    noisy = np.clip(inputs[:300] + rng.normal(0, 0.4, inputs[:300].shape), 0, 1)
    serve(noisy.astype("float32"))
    found = read(world, "check_drift", model="digits", window="1h")
    assert "inputs (KS, 8 components)" in {t.name for t in found.changed}
    assert "context, not harm" in found.say("en")


def test_lineage_follows_parents_to_the_first_training(world: World):
    carry(world, "quantize_model", "q6", model="digits", version="1")
    found = read(world, "model_lineage", model="digits", version="latest")
    assert [o.technique for o in found.chain] == ["int8 static", "train"]
    assert found.chain[1].job == "digits-train-1"
    assert found.chain[0].data == found.chain[1].data
    with pytest.raises(BadArguments, match="Name a model or a deployment"):
        read(world, "model_lineage")


@pytest.mark.slow
def test_structured_pruning_removes_channels_and_recovers(world: World):
    planned, _, verdict, _ = carry(
        world, "prune_model", "p1", model="digits", version="1", amount=0.5
    )
    assert planned.title == "Prune digits version 1 (structured, 50%)"
    version, parent = made(world, "digits", verdict), world.registry.resolve("digits", "1")
    assert version.technique == "prune structured 50%"
    assert version.metrics["parameters"] < 0.4 * parent.metrics["parameters"]
    assert version.metrics["accuracy"] > parent.metrics["accuracy"] - 0.08
    # A pruned network has no class of its own: it is rebuilt from its weights, and pruned again.
    again = carry(
        world, "prune_model", "p2", model="digits", version=str(version.number), amount=0.3
    )[2]
    twice = made(world, "digits", again)
    assert twice.parent == version.number
    assert twice.metrics["parameters"] < version.metrics["parameters"]


@pytest.mark.slow
@pytest.mark.parametrize(("method", "zeros"), [("magnitude", 0.75), ("wanda", 0.3), ("2:4", 0.3)])
def test_masks_leave_zeros(world: World, method: str, zeros: float):
    amount = 0.8 if method == "magnitude" else 0.5
    planned, _, verdict, _ = carry(
        world, "prune_model", f"m-{method}", model="text", version="1", amount=amount, method=method
    )
    assert "latency stays the same" in planned.warnings[0]
    assert ("sparse tensor cores" in planned.warnings[0]) == (method == "2:4")
    version = made(world, "text", verdict)
    assert version.metrics["zeros"] >= zeros


@pytest.mark.slow
def test_pruning_to_a_loss_stops_at_what_keeps_it(world: World):
    _, _, verdict, _ = carry(
        world, "prune_model", "t1", model="digits", version="1", amount=0.9, max_loss=5.0
    )
    version = made(world, "digits", verdict)
    assert version.metrics["amount"] <= 0.9
    parent = world.registry.resolve("digits", "1").metrics["validation_accuracy"]
    assert version.metrics["validation_accuracy"] >= parent - 0.05 - 1e-6


@pytest.mark.slow
def test_distillation_reports_its_control(world: World):
    _, _, verdict, _ = carry(
        world, "distill_model", "d1", model="digits", version="1", student="digits-small"
    )
    assert verdict.ok, verdict
    version = world.registry.resolve("digits-small")
    assert version.number == 1
    assert version.parent is None
    assert version.lineage["teacher"] == "digits/1"
    best = max(version.metrics["with_teacher"], version.metrics["without_teacher"])
    assert version.metrics["validation_accuracy"] == best
    # What is registered under another name still knows its kind.
    assert carry(world, "quantize_model", "d2", model="digits-small")[2].ok


def test_tuning_starts_from_what_is_in_use_as_far_as_the_ranges_allow():
    search = {"lr": [0.001, 0.1], "batch_size": [32, 64, 128], "width": [8, 16], "depth": [1, 2, 3]}
    training = {"lr": 0.5, "batch_size": 16, "width": 8, "depth": 2}
    assert in_use(search, training) == {"width": 8, "depth": 2}


@pytest.mark.slow
def test_tuning_registers_the_best_of_its_trials(world: World):
    _, outcome, verdict, _ = carry(world, "tune_model", "u1", model="team", trials=4, workers=2)
    version = made(world, "team", verdict)
    assert version.technique == "tune (4 trials)"
    said = version.lineage["tuning"]
    assert isinstance(said, dict)
    assert said["trials"] == 4
    status = world.jobs.status(str(outcome.details["job"]))
    assert (status.step, status.total_steps) == (4, 4)


@pytest.mark.parametrize(
    ("tool", "args", "said"),
    [
        ("prune_model", {"model": "digits", "amount": 0.96}, "amount = 0.96 is not accepted"),
        ("prune_model", {"model": "digits", "amount": 0}, "amount = 0 is not accepted"),
        ("prune_model", {"model": "digits"}, "prune_model needs amount"),
        (
            "prune_model",
            {"model": "digits", "amount": 0.5, "method": "wanda", "speed_up": 2.0},
            "only zeroes weights",
        ),
        ("prune_model", {"model": "digits", "amount": 0.6, "method": "2:4"}, "exactly half"),
        (
            "prune_model",
            {"model": "digits", "amount": 0.5, "version": "77"},
            "no version of digits",
        ),
        ("quantize_model", {"model": "team"}, "team has no registered version yet"),
        ("distill_model", {"model": "nothing"}, "no model named 'nothing'"),
        ("export_model", {"model": "digits", "format": "pickle"}, "format = 'pickle'"),
        ("tune_model", {"model": "team", "trials": 0}, "trials = 0 is not accepted"),
        ("explain_prediction", {"model": "team", "sample": "1"}, "train it first"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(
    tmp_path: Path, world: World, tool: str, args: dict, said: str
):
    fresh = lab(tmp_path / "home", digits(), kind(tmp_path / "team"))
    where = world if args.get("model") == "digits" else fresh
    call = plan if TOOL[tool].read is None else read
    with pytest.raises(BadArguments, match=said) as caught:
        call(where, tool, **args)
    assert "\n" not in caught.value.en


def test_a_method_that_does_not_apply_says_what_does(world: World):
    args = {"model": "digits", "version": "1", "amount": 0.5, "method": "wanda"}
    verdict = carry(world, "prune_model", "n-wanda", **args)[2]
    assert not verdict.ok
    assert "wanda weighs the linear layers" in verdict.cause


def test_an_open_version_is_pinned_and_one_without_weights_leads_to_its_source(world: World):
    _, _, verdict, _ = carry(world, "quantize_model", "q7", model="digits", version="1")
    int8 = made(world, "digits", verdict)
    for tool, more in (("prune_model", {"amount": 0.5}), ("distill_model", {})):
        open_ = plan(world, tool, model="digits", **more)
        assert open_.pins == {"version": "1"}
        assert open_ == replace(
            plan(world, tool, model="digits", version="1", **more), pins=open_.pins
        )
        with pytest.raises(Refused, match="has no weights to train; use version 1"):
            plan(world, tool, model="digits", version=str(int8.number), **more)
    with pytest.raises(Refused, match="already is onnx") as caught:
        plan(world, "export_model", model="digits", format="onnx")
    assert int8.path.name in caught.value.en


def test_what_is_made_of_a_version_held_back_is_judged_against_the_first_of_its_line(world: World):
    first = world.registry.resolve("digits", "1")
    line = ["1"]
    for step in ("held back", "made of it"):
        made_ = world.registry.register(
            "digits",
            world.registry.verified(first),
            "onnx",
            metrics={"accuracy": 0.5},
            technique=step,
            parent=int(line[-1]),
            action_id=step,
            job=None,
            lineage=first.lineage,
            gate={"passed": False, "against": 1, "change": -0.5, "low": -0.5, "budget": 0.01},
        )
        line.append(str(made_.number))
    for number in line:
        planned = plan(world, "quantize_model", model="digits", version=number)
        params = planned.details["params"]
        assert isinstance(params, dict)
        reference = params["reference"]
        assert isinstance(reference, dict)
        assert reference["number"] == 1


def test_pruning_takes_an_amount_or_a_target(world: World):
    title = plan(world, "prune_model", model="digits", version="1", max_loss=1).title
    assert title == "Prune digits version 1 (structured, up to 90%, at most 1 point lost)"
    both = plan(world, "prune_model", model="digits", version="1", speed_up=2, max_loss=0.5)
    assert "up to 90%, 2 times faster, at most 0.5 points lost" in both.title


def test_a_loss_beyond_the_gate_needs_to_be_named(world: World, tmp_path: Path):
    version = world.registry.resolve("digits", "1")
    bad = world.registry.register(
        "digits",
        world.registry.verified(version),
        "onnx",
        metrics={"accuracy": 0.5},
        technique="worse",
        parent=1,
        action_id="w",
        job=None,
        lineage={},
        gate={
            "passed": False,
            "against": 1,
            "change": -0.02,
            "low": -0.034,
            "budget": 0.01,
            "needed": 0,
        },
    )
    number = str(bad.number)
    with pytest.raises(Refused, match=r"could lose 3\.4 points against version 1") as caught:
        plan(world, "promote_version", model="digits", version=number, alias="production")
    assert "accept a loss of 3.4 points" in caught.value.en
    with pytest.raises(Refused):
        plan(
            world,
            "promote_version",
            model="digits",
            version=number,
            alias="production",
            accept_loss=3.0,
        )
    assert plan(world, "promote_version", model="digits", version=number, alias="staging").title
    accepted, outcome, verdict, _ = carry(
        world,
        "promote_version",
        "yes",
        model="digits",
        version=number,
        alias="production",
        accept_loss=3.4,
    )
    assert verdict.ok
    assert "3.4 points of accuracy is accepted" in accepted.warnings[0]
    change = TOOL["promote_version"].change
    assert change is not None
    undo = change.undo(world, accepted, outcome)
    assert (undo.tool, undo.args) == ("remove_alias", {"model": "digits", "alias": "production"})
    assert carry(world, undo.tool, "no", **undo.args)[2].ok
    assert all("production" not in v.aliases for v in world.registry.versions("digits"))


def test_promotion_moves_back_by_undo(world: World):
    carry(world, "promote_version", "a1", model="digits", version="1", alias="blue")
    carry(world, "quantize_model", "q9", model="digits", version="1")
    newest = str(world.registry.resolve("digits", "latest").number)
    moved, outcome, verdict, _ = carry(
        world, "promote_version", "a2", model="digits", version=newest, alias="blue"
    )
    assert moved.diff == f"- blue: version 1\n+ blue: version {newest}"
    assert verdict.ok
    change = TOOL["promote_version"].change
    assert change is not None
    undo = change.undo(world, moved, outcome)
    assert undo.tool == "promote_version"
    carry(world, undo.tool, "a3", **undo.args)
    assert world.registry.resolve("digits", "blue").number == 1
    with pytest.raises(Refused, match="already is blue"):
        plan(world, "promote_version", model="digits", version="1", alias="blue")


def test_weights_of_another_network_are_refused(world: World):
    from tools.models.kind_runtime import load
    from tools.models.weights import rebuild

    weights = world.registry.verified(world.registry.resolve("digits", "1"), "weights")
    team = load("team", world.fleet.models["team"].root / "kind.py", spec(world).params["training"])  # type: ignore[arg-type]
    with pytest.raises(Refused, match="These weights do not fit team"):
        rebuild(team, weights)


def test_nan_weights_are_refused(world: World, tmp_path: Path):
    from safetensors.numpy import load_file, save_file

    from tools.models.kind_runtime import load
    from tools.models.kinds import outline, parameters
    from tools.models.weights import rebuild

    weights = load_file(world.registry.verified(world.registry.resolve("digits", "1"), "weights"))
    weights["head.bias"][0] = np.nan
    save_file(weights, tmp_path / "w.safetensors")
    model = world.fleet.models["digits"]
    loaded = load("digits", DIGITS / "model.py", parameters(model, outline(model)))
    with pytest.raises(Refused, match=r"hold NaN or infinity in head\.bias"):
        rebuild(loaded, tmp_path / "w.safetensors")

"""A model's life through the command line: every operation proposed, approved, and looked at.

Real processes throughout: the command line, torchrun, the registry, servers. Two stories, so that
two workers share the time; the models are made tiny, their numbers prove nothing.
"""

from __future__ import annotations

import json
import re
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.scenarios.test_first_day import ROOT, Steward

pytest.importorskip("torch", reason="training needs the models extra")
pytest.importorskip("onnxruntime", reason="serving needs the local extra")
pytestmark = pytest.mark.timeout(900)

FLEET = """
models:
  digits:
    kind: image-classifier
    module: {examples}/digits/model.py
    params: {{epochs: 3, width: 8, train_samples: 400, lr: 0.02}}
  text:
    kind: text-classifier
    module: {examples}/text/model.py
    params: {{epochs: 1, width: 16, layers: 1, train_samples: 300, test_samples: 300}}
deployments:
  digits: {{model: digits, platform: local, replicas: 1, options: {{soak: 0.5}}}}
"""


class Team(Steward):
    """The command line of a team with two models of its own."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        home.mkdir(parents=True)
        fleet = home.parent / "steward.yaml"
        fleet.write_text(FLEET.format(examples=ROOT / "examples"))
        self.environment |= {"STEWARD_FLEET": str(fleet)}

    def change(self, text: str) -> dict[str, Any]:
        """Ask for a change, look at nothing, say yes to it, and expect it verified."""
        done = self.approve(self.propose(text))
        assert done["state"] == "verified", done["verdict"]
        return done

    def version(self, text: str) -> str:
        """The version that a change registers."""
        return str(self.change(text)["verdict"]["details"]["version"])

    def result(self, text: str) -> dict[str, Any]:
        """The typed result of a question."""
        (found,) = self.ask(text)["results"]
        return found["result"]

    def refused(self, text: str) -> str:
        """Why a request is not even proposed."""
        said = self.ask(text, expect=1)
        assert said["proposals"] == []
        return said["answer"]


@pytest.fixture
def team(tmp_path: Path) -> Any:
    home = tmp_path / "home"
    yield Team(home)
    from tests.crash.harness import clean

    clean(home)


def ask_server(endpoint: str, rows: np.ndarray, labels: list[int] | None = None) -> list[int]:
    """Real requests over the network, 50 rows each; the answers as classes."""
    found: list[int] = []
    for start in range(0, len(rows), 50):
        part = rows[start : start + 50]
        tensor = {"name": "input", "shape": list(part.shape), "datatype": "FP32"}
        body: dict[str, Any] = {"inputs": [{**tensor, "data": part.ravel().tolist()}]}
        if labels is not None:
            body["parameters"] = {"labels": labels[start : start + 50]}
        request = urllib.request.Request(
            f"{endpoint}/v2/models/digits/infer",
            json.dumps(body).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            out = json.load(answer)["outputs"][0]
        found += np.asarray(out["data"]).reshape(out["shape"]).argmax(1).tolist()
    return found


def test_an_image_model_is_trained_shrunk_judged_served_and_watched(team: Team) -> None:
    trained = team.change("train digits")
    assert "digits version 1 is registered (train): accuracy" in trained["verdict"]["evidence"]
    job = team.result("status of job digits-train-1")["job"]
    assert (job["state"], job["version"], job["step"]) == ("succeeded", 1, job["total_steps"])
    team.change("promote digits 1 to production")

    int8 = team.version("quantize digits version 1")
    compared = team.result(f"compare digits 1 with {int8}")
    assert compared["b"]["size"] < compared["a"]["size"]
    assert compared["a"]["accuracy_low"] <= compared["a"]["accuracy"]
    assert Path(compared["chart"]).read_bytes().startswith(b"\x89PNG")

    pruned = team.version("prune digits version 1 by 80%")
    masked = team.version("prune digits version 1 by 60% with magnitude")
    zeros = [v["zeros"] for v in versions(team, "digits") if str(v["number"]) == masked]
    assert zeros[0] > 0.55
    assert team.version("export digits version 1 to torch_export") == "5"
    assert team.version("tune digits with 2 trials") == "6"
    assert team.version("export digits version 1 to safetensors") == "7"
    assert team.version("export digits version 7 to onnx") == "8"
    assert "already is onnx" in team.refused("export digits version 8 to onnx")
    student = team.change("distill digits version 1 into digits-small")
    assert student["verdict"]["details"] == {"model": "digits-small", "version": "1"}

    explained = team.ask("explain digits version 1 on sample 17")
    assert "For it: " in explained["answer"]
    assert "deleting at random" in " ".join(explained["answer"].split())
    assert Path(explained["results"][0]["result"]["chart"]).is_file()
    origin = team.ask(f"where does digits version {pruned} come from?")["answer"]
    assert "digits-prune-1" in origin
    assert "digits-train-1" in origin
    assert "ana" in origin

    a_loss_needs_a_second_yes_that_names_it(team, pruned)
    what_is_served_is_watched(team)


def versions(team: Team, model: str) -> list[dict[str, Any]]:
    return team.result(f"list versions of {model}")["versions"]


def a_loss_needs_a_second_yes_that_names_it(team: Team, pruned: str) -> None:
    """Four in five channels gone: the gate holds it back, with the sentence that lets it through."""
    for request in ("promote digits {} to production", "roll out version {} to digits"):
        said = team.refused(request.format(pruned))
        assert "against version 1" in said
        loss = re.search(r"accept a loss of (\d+\.\d) points", said)
        assert loss, said
    less = f"promote digits {pruned} to production and accept a loss of 0.1 points"
    assert "stays out of production" in team.refused(less)
    named = f"promote digits {pruned} to production and accept a loss of {loss[1]} points"
    assert team.change(named)["plan"]["warnings"]
    carrying = [v["number"] for v in versions(team, "digits") if "production" in v["aliases"]]
    assert [str(n) for n in carrying] == [pruned]


def what_is_served_is_watched(team: Team) -> None:
    """Noise is sent to a deployment: the drift check sees it in what was recorded."""
    from tools.models.kind_runtime import load
    from tools.serving.window import folder_of, recorded

    team.change("roll out version 1 to digits")
    status = json.dumps(team.result("how is the digits deployment?"))
    endpoint = re.search(r"http://127\.0\.0\.1:\d+", status)
    assert endpoint, status
    kind = load("digits", ROOT / "examples/digits/model.py", {"train_samples": 400})
    inputs, targets = kind.data("test")
    noise = np.random.default_rng(0).normal(0, 0.5, (400, *inputs.shape[1:]))
    noisy = np.clip(inputs[:400] + noise, 0, 1).astype("float32")
    answers = ask_server(endpoint[0], noisy, targets[:400].tolist())
    right = float((np.asarray(answers) == targets[:400]).mean())

    place = folder_of(team.home, "digits")
    deadline = time.monotonic() + 60
    while recorded(place, 0, "1") is None:
        assert time.monotonic() < deadline, "nothing was recorded"
        time.sleep(0.2)
    drift = team.result("has digits drifted in the last hour?")
    assert drift["version"] == 1
    assert drift["drifted"] is True
    assert drift["seen"] == 400
    (labels,) = drift["accuracy"]
    assert labels["answers"] == 400
    assert labels["accuracy"] == pytest.approx(right)
    assert labels["tested"] > labels["high"]


def a_target_stands_in_for_an_amount(team: Team) -> None:
    """Every proposal names the version it means, whatever is registered in between."""
    number = team.propose("prune text but lose at most 90 points")
    card = json.loads(team("actions", "--json", "show", str(number)))
    assert card["call"]["args"]["version"] == "3"
    assert "up to 90%, at most 90 points lost" in card["plan"]["title"]
    made = team.approve(number)["verdict"]["details"]["version"]
    (line,) = [v for v in versions(team, "text") if str(v["number"]) == made]
    assert line["technique"].startswith("prune structured")
    assert line["parent"] == 3


def test_a_text_model_is_trained_in_parallel_masked_explained_and_imported(
    team: Team, tmp_path: Path
) -> None:
    import torch

    assert team.version("train text with 2 workers") == "1"
    assert team.version("prune text version 1 by 50% with wanda") == "2"
    assert team.version("prune text version 1 by 50% with 2:4") == "3"
    for version in versions(team, "text")[:2]:
        assert version["zeros"] >= 0.3
    a_target_stands_in_for_an_amount(team)
    int8 = team.change("quantize text version 1")
    assert "int8 dynamic" in int8["verdict"]["evidence"]

    said = team.ask("explain text version 1 on 'the gateway drops packets between racks'")
    found = said["results"][0]["result"]
    assert {r["what"] for r in found["reasons"]} <= {
        *("the", "gateway", "drops", "packets", "between", "racks")
    }
    assert isinstance(found["faithful"], bool)

    from tools.models.kind_runtime import load

    params = {"width": 16, "layers": 1, "heads": 4, "length": 32}
    network = load("text", ROOT / "examples/text/model.py", params).build()
    foreign = tmp_path / "weights.pt"
    torch.save({"epoch": 3, "state_dict": network.state_dict()}, foreign)
    assert team.version(f"import {foreign} as text") == "6"
    torch.save({"model": network}, foreign)
    number = str(team.propose(f"import {foreign} as text"))
    held = json.loads(team("actions", "--json", "approve", number, expect=1))
    assert held["state"] in ("failed", "unverified")
    assert "it wants to run" in held["verdict"]["cause"]
    assert len(versions(team, "text")) == 6

    for request, why in (
        ("prune text version 1 by 99%", "0.95"),
        ("prune text version 9 by 50%", "no version of text"),
        ("prune text version 1 by 60% with 2:4", "2:4 removes exactly half"),
        ("prune text version 5 by 50%", "has no weights to train; use version 1"),
        ("train text with epochs=0", "must be a number above 0"),
        (f"import {tmp_path / 'none.pt'} as text", "no file at"),
    ):
        assert why in team.refused(request), request
    assert not any((team.home / "questions").iterdir())

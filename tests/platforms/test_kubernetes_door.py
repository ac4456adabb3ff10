"""Roll-outs on the double through the whole product: what becomes of the action."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.bootstrap import App
from agent.events import Action, Actor, Decision
from agent.settings import load
from tests.platforms.api_double import ApiDouble
from tests.serving.tiny import register, save
from tools.contract import Call
from tools.deployments import checking
from tools.deployments.rolling_out import RollOut

ANA = Actor("ana", front="terminal")


def _app(home: Path, cluster: ApiDouble) -> App:
    document = {
        "platforms": {
            "kube": {
                "kind": "kubernetes",
                "namespaces": ["ml"],
                "kubeconfig": str(cluster.kubeconfig(home)),
            }
        },
        "deployments": {
            "digits": {
                "platform": "kube",
                "namespace": "ml",
                "model": "digits",
                "options": {"image": "server:{version}", "soak": 0},
            }
        },
        "people": {"ana": {"unix": "ana"}},
        "policy": {"approvers": {"*": ["ana"]}},
    }
    (home / "steward.yaml").write_text(yaml.safe_dump(document))
    fleet = str(home / "steward.yaml")
    app = App(load({"STEWARD_HOME": str(home), "STEWARD_FLEET": fleet, "STEWARD_USER": "ana"}))
    for number, kind in ((1, "good"), (2, "wrong")):
        file = save(home / f"{number}.onnx", kind)
        register(app.world.registry, file, job=f"j{number}")
    return app


@pytest.fixture
def app(tmp_path: Path, cluster: ApiDouble) -> App:
    cluster.deploy("digits")
    cluster.settle("digits")
    return _app(tmp_path, cluster)


def _approved(app: App, tool: str = "roll_out", **args: Any) -> Action:
    call = Call(tool, {"deployment": "ml/digits", **args})
    proposal = app.door.propose(call, ANA, "c", tool)
    app.door.decide(Decision(proposal.number, proposal.digest, ANA, "approve"))
    return proposal


def _run(app: App, proposal: Action, midway: Callable[[], None]) -> Action:
    ended: list[Action] = []
    runner = threading.Thread(target=lambda: ended.append(app.door.run(proposal.number)))
    runner.start()
    midway()
    runner.join(240)
    return ended[0]


def _carries(cluster: ApiDouble, action: Action) -> bool:
    notes = cluster.deployment("digits")["metadata"].get("annotations") or {}
    return notes.get("steward.dev/action-id") == action.id


def test_a_persons_edit_within_a_roll_out_is_named_and_left_alone(
    app: App, cluster: ApiDouble
) -> None:
    proposal = _approved(app, version="2")

    def by_hand() -> None:
        cluster.until(lambda: _carries(cluster, proposal))
        box = {"name": "HUMAN", "value": "1"}
        cluster.edit(
            "digits", lambda o: o["spec"]["template"]["spec"]["containers"][0]["env"].append(box)
        )

    ended = _run(app, proposal, by_hand)
    assert ended.state == "unverified", ended.reason
    assert "edited by kubectl-edit at " in ended.reason
    assert "It was not undone" in ended.reason
    template = cluster.deployment("digits")["spec"]["template"]["spec"]
    assert {"name": "HUMAN", "value": "1"} in template["containers"][0]["env"]


def test_a_persons_restart_within_a_roll_out_changes_nothing_of_it(
    app: App, cluster: ApiDouble
) -> None:
    proposal = _approved(app, version="2")

    def restart() -> None:
        cluster.until(lambda: _carries(cluster, proposal))
        key = "kubectl.kubernetes.io/restartedAt"
        cluster.edit(
            "digits", lambda o: o["spec"]["template"]["metadata"]["annotations"].update({key: "x"})
        )

    ended = _run(app, proposal, restart)
    assert ended.state == "verified", ended.reason


def test_a_failed_roll_out_ends_with_a_remedy(app: App, cluster: ApiDouble) -> None:
    cluster.behaves("server:2", pull="not found")
    proposal = _approved(app, version="2")
    ended = app.door.run(proposal.number)
    assert ended.state == "undone", ended.reason
    assert ended.reason.endswith("Remedy: check the image's name and tag, and that it was pushed.")


def test_a_restarted_stateful_set_is_verified_though_its_pods_keep_their_names(
    app: App, cluster: ApiDouble
) -> None:
    labels = {"app": "queue"}
    box = {"name": "q", "image": "q:1"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [box]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    meta = {"name": "queue", "namespace": "ml"}
    cluster.add("apps/v1/statefulsets", {"metadata": meta, "spec": spec})
    cluster.until(
        lambda: (
            (cluster.store.all("apps/v1/statefulsets")[0].get("status") or {}).get(
                "availableReplicas"
            )
            == 2
        )
    )
    call = Call("restart", {"deployment": "ml/queue"})
    proposal = app.door.propose(call, ANA, "c", "restart")
    app.door.decide(Decision(proposal.number, proposal.digest, ANA, "approve"))
    ended = app.door.run(proposal.number)
    assert ended.state == "verified", ended.reason


def test_an_undo_waits_for_a_server_that_does_not_answer(
    app: App, cluster: ApiDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.behaves("server:2", pull="not found")
    proposal = _approved(app, version="2")
    kind = type(RollOut.change)
    before = kind.undo

    def undo(*given: Any) -> Any:
        cluster.faults.down = True
        threading.Timer(4.0, lambda: setattr(cluster.faults, "down", False)).start()
        monkeypatch.setattr(kind, "undo", before)
        return before(*given)

    monkeypatch.setattr(kind, "undo", undo)
    ended = app.door.run(proposal.number)
    assert ended.state == "undone", ended.reason


def test_an_outage_longer_than_the_patience_is_not_counted_against_a_roll_out(
    app: App, cluster: ApiDouble
) -> None:
    options = app.fleet.deployments["digits"].options
    assert isinstance(options, dict)
    options["deadline"] = 8
    proposal = _approved(app, version="2")

    def outage() -> None:
        cluster.until(lambda: _carries(cluster, proposal))
        cluster.faults.down = True
        threading.Event().wait(16)
        cluster.faults.down = False

    ended = _run(app, proposal, outage)
    assert ended.state == "verified", ended.reason


def test_credentials_that_run_out_within_a_roll_out_are_named(
    app: App, cluster: ApiDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "RENEWAL", timedelta(seconds=2))
    cluster.behaves("server:2", ready_after=1000.0)
    proposal = _approved(app, version="2")

    def expire() -> None:
        cluster.until(lambda: _carries(cluster, proposal))
        cluster.faults.expired_tokens.add("good")

    ended = _run(app, proposal, expire)
    assert ended.state == "unverified", ended.reason
    assert "does not accept Steward's credentials (401)" in ended.reason
    assert "It was not undone" in ended.reason


def test_a_new_revision_is_kept_where_only_a_lost_node_hides_an_old_replica(
    app: App, cluster: ApiDouble
) -> None:
    options = app.fleet.deployments["digits"].options
    assert isinstance(options, dict)
    options["deadline"] = 15
    proposal = _approved(app, version="2")
    oldest = cluster.pods("digits")[0]["spec"]["nodeName"]
    node = cluster.store.get("v1/nodes", None, oldest)  # no new replica is lost with it
    cluster.store.edit("v1/nodes", node, lambda o: o["spec"].update(unschedulable=True))

    def lose() -> None:
        cluster.until(lambda: _carries(cluster, proposal))
        cluster.kubelet.lost.add(oldest)

    ended = _run(app, proposal, lose)
    assert ended.state == "unverified", ended.reason
    assert "node lost" in ended.reason
    assert "It was not undone: version 2 of ml/digits is fully ready" in ended.reason
    assert ended.kept
    there = [p for p in cluster.pods("digits") if "deletionTimestamp" not in p["metadata"]]
    assert {p["spec"]["containers"][0]["image"] for p in there} == {"server:2"}


def test_a_lost_replica_is_no_roll_out_in_progress(app: App, cluster: ApiDouble) -> None:
    gone = cluster.pods("digits")[0]["spec"]["nodeName"]
    cluster.kubelet.lost.add(gone)
    kube = app.world.platforms.named("kube")
    cluster.until(lambda: kube.status("ml/digits").ready < 3)
    proposal = _approved(app, version="2")
    ended = app.door.run(proposal.number)
    assert ended.state == "verified", ended.reason
    assert "still there from before: node lost" in (ended.verdict.evidence if ended.verdict else "")


def test_a_deployment_that_a_person_deletes_within_a_roll_out_is_named(
    app: App, cluster: ApiDouble
) -> None:
    proposal = _approved(app, version="2")

    def delete() -> None:
        cluster.until(lambda: _carries(cluster, proposal))
        cluster.store.delete("apps/v1/deployments", cluster.deployment("digits"))

    ended = _run(app, proposal, delete)
    assert ended.state == "unverified", ended.reason
    assert ended.reason == (
        "Not verified: ml/digits is gone: somebody deleted it meanwhile. Create it again from its"
        " manifests; there is nothing left to put back. It was not undone."
    )

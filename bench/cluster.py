"""Faulted and healthy roll-outs through the door on a real cluster, several at a time.

    KUBECONFIG=… python -m bench.cluster [--only TEXT] [--at-once 6] [--image …] [--python …]

Each case has a namespace of its own. Printed per case: whether the outcome and the named cause are
right, whether the service kept its minimum, whether each action took effect once and whether the
undo put everything back.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bench.cluster_cases import Case, let_go
from bench.cluster_faulted import FAULTED
from bench.cluster_healthy import HEALTHY
from tools.platforms.kubernetes_api import Api
from tools.platforms.kubernetes_connection import Access
from tools.platforms.kubernetes_request import api_path

Obj = dict[str, Any]


@dataclass
class Result:
    """What came out of a case."""

    name: str
    faults: list[str] = field(default_factory=list[str])
    said: str = ""
    seconds: float = 0.0

    def must(self, true: Any, fault: str) -> None:
        if not true:
            self.faults.append(fault)


class Watch(threading.Thread):
    """The fewest replicas that were available, looked at four times a second."""

    def __init__(self, api: Api, path: str) -> None:
        super().__init__(daemon=True)
        self.least = 1_000
        self._api, self._path, self.over = api, path, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.25):
            seen = self._api.get(self._path)["status"]
            self.least = min(self.least, seen.get("readyReplicas", 0))


def deployment(case: Case, image: str) -> Obj:
    labels = {"app": "digits"}
    box: Obj = {
        "name": "server",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "metrics", "containerPort": 8081}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 2},
        "resources": {"requests": {"cpu": "10m"}, "limits": {"memory": "128Mi"}},
        **case.box,
    }
    pod = {"terminationGracePeriodSeconds": 20, "containers": [box], **case.pod}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": case.replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": "digits"}, "spec": {**spec, **case.spec}}


def settle(api: Api, path: str, wanted: int) -> Obj:
    end = time.monotonic() + 120
    while True:
        found = api.get(path)
        seen = found.get("status") or {}
        if seen.get("availableReplicas", 0) == wanted == seen.get("replicas"):
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"{path} did not settle: {json.dumps(seen)[:300]}")
        time.sleep(0.5)


def run(case: Case, said: argparse.Namespace) -> Result:
    result, began = Result(case.name), time.monotonic()
    api = Api(Access("kube", os.environ["KUBECONFIG"]))
    space = f"steward-test-{uuid.uuid4().hex[:8]}"
    api.create(api_path("v1", None, "namespaces"), {"metadata": {"name": space}})
    try:
        _carry_out(case, said, api, space, result)
    except Exception as error:  # noqa: BLE001  a case must not end the others
        result.faults.append(f"{type(error).__name__}: {error}")
    finally:
        let_go(api, space)
        _remove(api, space)
    result.seconds = time.monotonic() - began
    print(line(result), flush=True)
    return result


def _remove(api: Api, space: str) -> None:
    group = "admissionregistration.k8s.io/v1"
    for version, plural in (
        (group, "validatingadmissionpolicybindings"),
        (group, "validatingadmissionpolicies"),
        ("v1", "namespaces"),
    ):
        found = api.find(api_path(version, None, plural, space))
        if found:
            api.delete(api_path(version, None, plural, space), found["metadata"]["uid"])


def _carry_out(case: Case, said: argparse.Namespace, api: Api, space: str, result: Result) -> None:
    if case.before:
        case.before(api, space)
    path = api_path("apps/v1", space, "deployments", "digits")
    made = json.dumps(deployment(case, said.image)).replace('"PYTHON"', json.dumps(said.python))
    api.create(api_path("apps/v1", space, "deployments"), json.loads(made))
    before = settle(api, path, case.replicas)
    if case.after:
        case.after(api, space)
    time.sleep(1)
    app = fleet(case, said, space)
    watch = Watch(Api(Access("kube", os.environ["KUBECONFIG"])), path)
    watch.start()
    if case.during:
        threading.Timer(6, case.during, (api, space)).start()
    action = roll_out(app, f"{space}/digits", case.strategy)
    watch.over.set()
    watch.join()
    result.said = f"{action.state}: {action.reason or action.verdict.evidence}"
    least = case.replicas if case.least is None else case.least
    result.must(watch.least >= least, f"only {watch.least} of {least} served")
    after = api.get(path)
    wanted = case.state or ("undone" if case.cause else "verified")
    result.must(action.state == wanted, f"state is {action.state}")
    result.must(case.cause in (action.reason or ""), f"cause is not {case.cause!r}")
    if wanted != "undone":
        return
    result.must(after["spec"] == before["spec"], "the former state is not restored")
    undo = app.ledger.find(undoes=action.number)
    ended = bool(undo) and undo[0].state == "verified"
    result.must(ended or not case.restores, f"undo: {undo[0].reason if undo else 'none'}")
    sets = list(api.items(api_path("apps/v1", space, "replicasets")))
    made = 1 if case.strategy == "canary" else 2  # a canary has a Deployment of its own
    result.must(len(sets) == made, f"{len(sets)} revisions were made instead of {made}")


def fleet(case: Case, said: argparse.Namespace, space: str) -> Any:
    from agent.bootstrap import App
    from agent.settings import load
    from tests.serving.tiny import save

    home = Path(tempfile.mkdtemp(prefix="steward-cluster-"))
    image = (case.image or said.image).replace("PYTHON", said.python)
    options = {"image": image, "env": dict(case.env), **case.options}
    if not case.env:
        options["env"] = {"VERSION": "2"}
    document = {
        "platforms": {
            "kube": {
                "kind": "kubernetes",
                "namespaces": [space],
                "kubeconfig": os.environ["KUBECONFIG"],
            }
        },
        "deployments": {
            "digits": {
                "platform": "kube",
                "namespace": space,
                "model": "digits",
                "options": options,
            }
        },
        "people": {"ana": {"unix": "ana"}},
        "policy": {"approvers": {"*": ["ana"]}},
    }
    (home / "steward.yaml").write_text(yaml.safe_dump(document))
    environment = {
        "STEWARD_HOME": str(home),
        "STEWARD_FLEET": str(home / "steward.yaml"),
        "STEWARD_USER": "ana",
    }
    app = App(load(environment))
    for number in (1, 2):
        file = save(home / f"{number}.onnx", ("good", "wrong")[number - 1])
        app.world.registry.register(
            "digits",
            file,
            "onnx",
            metrics={"accuracy": 0.9},
            technique="train",
            parent=None,
            action_id=None,
            job=f"j{number}",
            lineage={},
        )
    return app


def roll_out(app: Any, ref: str, strategy: str = "") -> Any:
    from agent.events import Actor, Decision
    from tools.contract import Call

    ana = Actor("ana", front="terminal")
    how = {"strategy": strategy} if strategy else {}
    call = Call("roll_out", {"deployment": ref, "version": "2", **how})
    proposal = app.door.propose(call, ana, "c", ref)
    app.door.decide(Decision(proposal.number, proposal.digest, ana, "approve"))
    return app.door.run(proposal.number)


def line(result: Result) -> str:
    mark = "ok  " if not result.faults else "FAIL"
    text = f"{mark} {result.name:28} {result.seconds:5.0f} s  {result.said[:150]}"
    return "\n".join([text, *(f"       {fault}" for fault in result.faults)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--at-once", type=int, default=6)
    parser.add_argument("--image", default="docker.io/library/steward-test:v1")
    parser.add_argument("--python", default="docker.io/library/python:3.11-slim")
    said = parser.parse_args()
    cases = [c for c in (*FAULTED, *HEALTHY) if said.only in c.name]
    with ThreadPoolExecutor(said.at_once) as pool:
        results = list(pool.map(lambda case: run(case, said), cases))
    right = sum(not r.faults for r in results)
    print(f"{right} of {len(results)} right")


if __name__ == "__main__":
    main()

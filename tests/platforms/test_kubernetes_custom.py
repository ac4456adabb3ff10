"""Argo Rollouts and KServe InferenceServices where their definitions are installed.

Their controllers are played here: what they would write into the status is written by the test.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.platforms.api_double import ApiDouble
from tests.support import RecordingAct
from tools.contract import Happened
from tools.errors import BadArguments, Refused
from tools.fleet import DeploymentSpec
from tools.platforms.base import (
    Edit,
    Pause,
    Release,
    Restart,
    Resume,
    RollBack,
    RollOut,
    Scale,
    Status,
)
from tools.platforms.kubernetes import Kubernetes
from tools.platforms.kubernetes_api import Api
from tools.platforms.kubernetes_connection import Access

ROLLOUTS = "argoproj.io/v1alpha1/rollouts"
SERVICES = "serving.kserve.io/v1beta1/inferenceservices"
HASH = "rollouts-pod-template-hash"
STEPS = [{"setWeight": 25}, {"pause": {}}, {"setWeight": 50}, {"pause": {"duration": "10s"}}]
OPTIONS = {"artifact": "s3://models/{model}/{version}"}
TWO = Release("digits", "2", "sha256:beef", "/models/2", image="server:2")


@pytest.fixture
def kube(cluster: ApiDouble, tmp_path: Path) -> Kubernetes:
    cluster.server.groups |= {"argoproj.io", "serving.kserve.io"}
    access = Access("kube", str(cluster.kubeconfig(tmp_path)), timeout=5)
    spec = DeploymentSpec("fraud", "kube", "fraud", "ml", options=OPTIONS)
    return Kubernetes("kube", Api(access), ["ml"], [spec])


class Argo:
    """A Rollout with two revisions, and what its controller says."""

    def __init__(self, cluster: ApiDouble) -> None:
        self.cluster = cluster
        labels = {"app": "gradual"}
        template = {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "server", "image": "server:1"}]},
        }
        spec = {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "strategy": {"canary": {"steps": STEPS}},
            "template": template,
        }
        cluster.add(ROLLOUTS, {"metadata": {"name": "gradual", "namespace": "ml"}, "spec": spec})
        self.keep("aaa", 1)
        self.says(phase="Healthy", stableRS="aaa", currentPodHash="aaa")

    @property
    def now(self) -> dict[str, Any]:
        return self.cluster.store.get(ROLLOUTS, "ml", "gradual")

    def keep(self, digest: str, revision: int) -> None:
        """The controller makes the ReplicaSet of the present template."""
        template = copy.deepcopy(self.now["spec"]["template"])
        template["metadata"]["labels"][HASH] = digest
        meta = self.now["metadata"]
        owner = {"kind": "Rollout", "name": "gradual", "uid": meta["uid"], "controller": True}
        self.cluster.frozen = True  # its pods are no part of this
        self.cluster.add(
            "apps/v1/replicasets",
            {
                "metadata": {
                    "name": f"gradual-{digest}",
                    "namespace": "ml",
                    "labels": {"app": "gradual", HASH: digest},
                    "annotations": {"rollout.argoproj.io/revision": str(revision)},
                    "ownerReferences": [{"apiVersion": "argoproj.io/v1alpha1", **owner}],
                },
                "spec": {"replicas": 0, "template": template},
            },
        )
        self.annotate(revision)

    def annotate(self, revision: int) -> None:
        self.cluster.store.edit(
            ROLLOUTS,
            self.now,
            lambda o: (
                o["metadata"]
                .setdefault("annotations", {})
                .update({"rollout.argoproj.io/revision": str(revision)})
            ),
        )

    def says(self, **more: Any) -> None:
        numbers = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
        seen = {"observedGeneration": str(self.now["metadata"]["generation"])}
        self.cluster.store.edit(
            ROLLOUTS, self.now, lambda o: o.update(status={**numbers, **seen, **more})
        )


def begun(cluster: ApiDouble, kube: Kubernetes) -> Argo:
    """A canary that waits at its second step."""
    argo = Argo(cluster)
    kube.edit("ml/gradual", RollOut(TWO, 2), RecordingAct("out"))
    argo.keep("bbb", 2)
    waits(argo, "2026-11-28T10:00:00Z", 1)
    return argo


def waits(argo: Argo, since: str, step: int) -> None:
    argo.says(
        phase="Paused",
        stableRS="aaa",
        currentPodHash="bbb",
        currentStepIndex=step,
        pauseConditions=[{"reason": "CanaryPauseStep", "startTime": since}],
    )


def seen(kube: Kubernetes) -> Status:
    return kube.status("ml/gradual")


def test_a_rollout_waits_for_its_promotion_and_completes(
    cluster: ApiDouble, kube: Kubernetes
) -> None:
    argo = begun(cluster, kube)
    assert argo.now["spec"]["template"]["spec"]["containers"][0]["image"] == "server:2"
    assert (seen(kube).phase, seen(kube).message[:23]) == ("paused", "it waits at step 2 of 4")
    kube.edit("ml/gradual", Resume(), RecordingAct("on"))
    assert "pauseConditions" not in argo.now["status"]
    assert kube.happened("ml/gradual", "on") is Happened.YES
    waits(argo, "2026-11-28T10:00:20Z", 3)
    assert (seen(kube).phase, seen(kube).message) == ("progressing", "it pauses at step 4 of 4")
    argo.says(phase="Healthy", stableRS="bbb", currentPodHash="bbb")
    assert (seen(kube).phase, seen(kube).release.version) == ("complete", "2")


def test_the_same_promotion_ends_no_later_pause(cluster: ApiDouble, kube: Kubernetes) -> None:
    argo = begun(cluster, kube)
    kube.edit("ml/gradual", Resume(), RecordingAct("on"))
    waits(argo, "2026-11-28T10:05:00Z", 1)
    kube.edit("ml/gradual", Resume(), RecordingAct("on"))
    assert argo.now["status"]["pauseConditions"]


def test_a_promotion_that_was_cut_off_is_finished(cluster: ApiDouble, kube: Kubernetes) -> None:
    argo = begun(cluster, kube)
    paused = copy.deepcopy(argo.now["status"])
    kube.edit("ml/gradual", Resume(), RecordingAct("on"))
    paused["observedGeneration"] = str(argo.now["metadata"]["generation"])
    cluster.store.edit(ROLLOUTS, argo.now, lambda o: o.update(status=paused))
    kube.edit("ml/gradual", Resume(), RecordingAct("on"))
    assert "pauseConditions" not in argo.now["status"]


def test_a_rollout_that_its_controller_gave_up_is_rolled_back(
    cluster: ApiDouble, kube: Kubernetes
) -> None:
    argo = begun(cluster, kube)
    argo.says(
        phase="Degraded",
        abort=True,
        message="RolloutAborted: metric p95 failed",
        stableRS="aaa",
        currentPodHash="bbb",
    )
    assert (seen(kube).phase, seen(kube).message) == ("failed", "RolloutAborted: metric p95 failed")
    kube.edit("ml/gradual", RollBack(1), RecordingAct("back"))
    template = argo.now["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "server:1"
    assert template["metadata"]["labels"] == {"app": "gradual"}
    assert [r.number for r in kube.history("ml/gradual")] == [2, 1]


def test_a_rollout_is_aborted_to_its_stable_revision(cluster: ApiDouble, kube: Kubernetes) -> None:
    argo = begun(cluster, kube)
    kube.abort("ml/gradual", RecordingAct("stop"))
    assert argo.now["spec"]["template"]["spec"]["containers"][0]["image"] == "server:1"
    argo.annotate(3)
    argo.says(phase="Healthy", stableRS="aaa", currentPodHash="aaa")
    with pytest.raises(Refused, match="no roll-out in progress"):
        kube.abort("ml/gradual", RecordingAct("again"))


def test_a_rollout_is_scaled_paused_and_restarted(cluster: ApiDouble, kube: Kubernetes) -> None:
    argo = Argo(cluster)
    with pytest.raises(Refused, match="no roll-out in progress"):
        kube.edit("ml/gradual", Pause(), RecordingAct("p"))
    kube.edit("ml/gradual", Scale(4), RecordingAct("s"))
    assert argo.now["spec"]["replicas"] == 4
    argo.says(phase="Healthy", stableRS="aaa", currentPodHash="aaa")
    kube.edit("ml/gradual", Restart(), RecordingAct("r"))
    assert argo.now["spec"]["restartAt"].endswith("Z")
    begun_again = RollOut(TWO, 4)
    argo.says(phase="Progressing", stableRS="aaa", currentPodHash="bbb")
    with pytest.raises(Refused, match="in progress"):
        kube.preview("ml/gradual", begun_again)
    kube.edit("ml/gradual", Pause(), RecordingAct("p2"))
    assert argo.now["spec"]["paused"] is True


def fraud(cluster: ApiDouble) -> None:
    model = {"modelFormat": {"name": "onnx"}, "storageUri": "s3://models/fraud/1"}
    cluster.add(
        SERVICES,
        {"metadata": {"name": "fraud", "namespace": "ml"}, "spec": {"predictor": {"model": model}}},
    )
    says(cluster)


def service(cluster: ApiDouble) -> dict[str, Any]:
    return cluster.store.get(SERVICES, "ml", "fraud")


def says(cluster: ApiDouble, ready: str = "True", **more: Any) -> None:
    status = {
        "observedGeneration": service(cluster)["metadata"]["generation"],
        "conditions": [{"type": "Ready", "status": ready, "message": "no revision is ready"}],
        **more,
    }
    cluster.store.edit(SERVICES, service(cluster), lambda o: o.update(status=status))


def uri(cluster: ApiDouble) -> str:
    return service(cluster)["spec"]["predictor"]["model"]["storageUri"]


def do(kube: Kubernetes, edit: Edit, action: str) -> None:
    kube.edit("ml/fraud", edit, RecordingAct(action))


def test_an_inference_service_is_rolled_out_and_back(cluster: ApiDouble, kube: Kubernetes) -> None:
    fraud(cluster)
    release = Release("fraud", "7", "sha256:beef", "/local/7")
    preview = kube.preview("ml/fraud", RollOut(release, 1))
    assert "+ predictor.model.storageUri: s3://models/fraud/7" in preview.diff
    do(kube, RollOut(release, 1), "out")
    assert uri(cluster) == "s3://models/fraud/7"
    says(cluster, ready="False")
    assert kube.status("ml/fraud").phase == "progressing"
    says(cluster)
    status = kube.status("ml/fraud")
    assert (status.phase, status.release.version, status.revision) == ("complete", "7", 2)
    do(kube, RollBack(1), "back")
    says(cluster)
    assert uri(cluster) == "s3://models/fraud/1"
    assert kube.status("ml/fraud").release.version is None
    assert [r.number for r in kube.history("ml/fraud")] == [3, 2]
    with pytest.raises(BadArguments, match="no revision 1"):
        kube.preview("ml/fraud", RollBack(1))


def test_an_inference_services_canary_is_promoted_by_shares(
    cluster: ApiDouble, kube: Kubernetes
) -> None:
    fraud(cluster)
    release = Release("fraud", "7", None, None)
    do(kube, RollOut(release, 1, "canary", steps=(0.1, 0.5, 1.0)), "out")
    for share, action in ((10, "on-1"), (50, "on-2")):
        says(cluster)
        assert service(cluster)["spec"]["predictor"]["canaryTrafficPercent"] == share
        assert kube.status("ml/fraud").phase == "paused"
        with pytest.raises(Refused, match=f"{share} %"):
            kube.preview("ml/fraud", RollOut(release, 1))
        do(kube, Resume(), action)
        do(kube, Resume(), action)  # the same yes moves it once
    says(cluster)
    assert "canaryTrafficPercent" not in service(cluster)["spec"]["predictor"]
    assert kube.status("ml/fraud").phase == "complete"


def test_an_inference_services_canary_is_aborted(cluster: ApiDouble, kube: Kubernetes) -> None:
    fraud(cluster)
    before = service(cluster)["spec"]
    do(kube, RollOut(Release("fraud", "7", None, None), 1, "canary", steps=(0.1, 1.0)), "out")
    says(cluster)
    kube.abort("ml/fraud", RecordingAct("stop"))
    assert service(cluster)["spec"] == before


def test_a_model_that_cannot_be_loaded_is_named(cluster: ApiDouble, kube: Kubernetes) -> None:
    fraud(cluster)
    do(kube, RollOut(Release("fraud", "7", None, None), 1), "out")
    failure = {"reason": "ModelLoadFailed", "message": "Failed to load model due to adapter error"}
    says(
        cluster,
        ready="False",
        modelStatus={"transitionStatus": "BlockedByFailedLoad", "lastFailureInfo": failure},
    )
    status = kube.status("ml/fraud")
    assert status.phase == "failed"
    assert "ModelLoadFailed: Failed to load model" in status.message


def test_an_inference_service_needs_a_uri(cluster: ApiDouble, tmp_path: Path) -> None:
    cluster.server.groups |= {"serving.kserve.io"}
    fraud(cluster)
    bare = Kubernetes("kube", Api(Access("kube", str(cluster.kubeconfig(tmp_path)))), ["ml"])
    with pytest.raises(BadArguments, match=r"options\.artifact"):
        bare.preview("ml/fraud", RollOut(TWO, 1))
    with pytest.raises(Refused, match="InferenceService"):
        bare.preview("ml/fraud", Pause())

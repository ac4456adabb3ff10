"""What goes wrong between Steward and the API server, and what a person is told."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from tests.platforms.api_double import ApiDouble
from tests.support import RecordingAct
from tools.contract import Happened
from tools.errors import BadArguments, Refused, ToolError, Unavailable
from tools.platforms.base import Edit, Release, Restart, RollBack, RollOut, Scale
from tools.platforms.kubernetes import Kubernetes
from tools.platforms.kubernetes_api import Api
from tools.platforms.kubernetes_connection import Access
from tools.platforms.kubernetes_errors import Denied, Forbidden, Gone
from tools.platforms.kubernetes_request import api_path

TWO = RollOut(Release("digits", "2", "sha256:beef", "/models/2", image="server:2"), 3)
HOUR = timedelta(hours=1)


@pytest.fixture
def ready(cluster: ApiDouble) -> ApiDouble:
    cluster.deploy("digits")
    cluster.settle("digits")
    return cluster


def generation(cluster: ApiDouble) -> int:
    return cluster.deployment("digits")["metadata"]["generation"]


def test_an_unreachable_server_is_one_sentence(ready: ApiDouble, kube: Kubernetes) -> None:
    kube.status("ml/digits")
    ready.faults.down = True
    with pytest.raises(Unavailable, match="does not answer") as caught:
        kube.status("ml/digits")
    assert "Traceback" not in str(caught.value)
    assert "没有响应" in caught.value.say("zh")
    ready.faults.down = False
    assert kube.status("ml/digits").phase == "complete"


def test_a_server_that_vanishes_mid_roll_out_changes_nothing_twice(
    ready: ApiDouble, kube: Kubernetes
) -> None:
    kube.edit("ml/digits", TWO, RecordingAct("a"))
    ready.faults.down = True
    with pytest.raises(Unavailable):
        kube.status("ml/digits")
    ready.faults.down = False
    assert kube.happened("ml/digits", "a") is Happened.YES
    kube.edit("ml/digits", TWO, RecordingAct("a"))
    ready.settle("digits")
    assert generation(ready) == 2


@pytest.mark.parametrize("dropped", [1, 3])
def test_a_lost_answer_is_asked_for_and_not_sent_again(
    ready: ApiDouble, kube: Kubernetes, dropped: int
) -> None:
    ready.faults.drop_next = dropped
    kube.edit("ml/digits", TWO, RecordingAct("a"))
    assert generation(ready) == 2
    assert kube.happened("ml/digits", "a") is Happened.YES


def test_passing_faults_of_reads_are_not_seen(ready: ApiDouble, kube: Kubernetes) -> None:
    ready.faults.fail_next = 2
    assert kube.status("ml/digits").ready == 3
    ready.faults.throttle_next = 1
    assert kube.status("ml/digits").ready == 3


def test_conflicts_are_resolved_by_looking_again(ready: ApiDouble, kube: Kubernetes) -> None:
    ready.faults.conflict_next = 3
    kube.edit("ml/digits", Scale(4), RecordingAct("a"))
    assert ready.deployment("digits")["spec"]["replicas"] == 4


def test_a_persons_edit_in_between_is_not_overwritten(ready: ApiDouble, kube: Kubernetes) -> None:
    class Meddled(RecordingAct):
        def check(self) -> None:
            if ready.deployment("digits")["spec"]["replicas"] == 3:
                ready.edit("digits", lambda o: o["spec"].update(replicas=5))

    with pytest.raises(Refused, match="edited by kubectl-edit"):
        kube.edit("ml/digits", Scale(4), Meddled("a"))
    assert ready.deployment("digits")["spec"]["replicas"] == 5
    assert kube.happened("ml/digits", "a") is Happened.NO


def test_an_expired_token_says_what_to_renew(
    ready: ApiDouble, kube: Kubernetes, tmp_path: Path
) -> None:
    kube.status("ml/digits")
    ready.faults.expired_tokens.add("good")
    with pytest.raises(Denied, match="token has expired"):
        kube.status("ml/digits")
    ready.server.tokens["fresh"] = "steward"
    ready.kubeconfig(tmp_path, token="fresh")
    assert kube.status("ml/digits").ready == 3


@pytest.mark.parametrize(
    ("rule", "edit", "sentence"),
    [
        (("patch", "deployments"), Scale(2), "may not patch deployments.apps in namespace ml"),
        (("list", "pods"), Scale(2), "may not list pods in namespace ml"),
    ],
)
def test_a_missing_rule_is_named(
    ready: ApiDouble, kube: Kubernetes, rule: tuple[str, str], edit: Edit, sentence: str
) -> None:
    ready.faults.forbidden.add(rule)

    def ask() -> None:
        kube.preview("ml/digits", edit)
        kube.status("ml/digits")

    with pytest.raises(Forbidden, match=sentence) as caught:
        ask()
    assert "rbac-" in str(caught.value)


def test_without_the_right_to_nodes_a_status_is_still_given(
    ready: ApiDouble, kube: Kubernetes
) -> None:
    ready.behaves("server:2", never_ready="503")
    ready.faults.forbidden.add(("get", "nodes"))
    kube.edit("ml/digits", TWO, RecordingAct("a"))
    seen = ready.until(lambda: "probe" in (s := kube.status("ml/digits")).message and s)
    assert seen.ready == 3


def test_a_slow_server_is_waited_for_and_a_stuck_one_is_not(
    ready: ApiDouble, tmp_path: Path
) -> None:
    ready.faults.latency = 0.3
    patient = Kubernetes("kube", Api(Access("kube", str(ready.kubeconfig(tmp_path)))), ["ml"])
    assert patient.status("ml/digits").ready == 3
    hasty = Api(Access("kube", str(ready.kubeconfig(tmp_path)), timeout=0.2))
    with pytest.raises(Unavailable, match="timed out"):
        hasty.get("/api/v1/namespaces/ml/pods")


def test_two_stewards_at_once_take_effect_once_each(
    ready: ApiDouble, kube: Kubernetes, tmp_path: Path
) -> None:
    other = Kubernetes("kube", Api(Access("kube", str(ready.kubeconfig(tmp_path)))), ["ml"])
    results: list[str] = []

    def send(platform: Kubernetes, action: str) -> None:
        try:
            platform.edit("ml/digits", Restart(), RecordingAct(action))
            results.append("sent")
        except ToolError as error:
            results.append(type(error).__name__)

    same = [threading.Thread(target=send, args=(p, "same")) for p in (kube, other)]
    for thread in same:
        thread.start()
    for thread in same:
        thread.join()
    assert results.count("sent") >= 1
    assert generation(ready) == 2
    ready.settle("digits")


def test_two_stewards_with_two_roll_outs_do_not_mix(
    ready: ApiDouble, kube: Kubernetes, tmp_path: Path
) -> None:
    other = Kubernetes("kube", Api(Access("kube", str(ready.kubeconfig(tmp_path)))), ["ml"])
    ready.behaves("server:2", ready_after=60.0)
    kube.edit("ml/digits", TWO, RecordingAct("a"))
    with pytest.raises(Refused, match="in progress"):
        other.edit(
            "ml/digits",
            RollOut(Release("digits", "3", None, None, "server:3"), 3),
            RecordingAct("b"),
        )
    ready.settle("digits")
    assert kube.status("ml/digits").release.version == "2"


def test_a_watch_resumes_and_says_when_it_must_begin_anew(
    ready: ApiDouble, kube: Kubernetes
) -> None:
    path = api_path("apps/v1", "ml", "deployments")
    version = kube.api.get(path)["metadata"]["resourceVersion"]
    ready.faults.cut_watches_after = 1
    ready.edit("digits", lambda o: o["metadata"].update(labels={"a": "b"}))
    first = next(iter(kube.api.watch(path, {"resourceVersion": version}, 2)))
    assert first[0] == "MODIFIED"
    resumed = first[1]["metadata"]["resourceVersion"]
    ready.faults.cut_watches_after = 0
    ready.edit("digits", lambda o: o["metadata"].update(labels={"a": "c"}))
    event, seen = next(
        (e, o) for e, o in kube.api.watch(path, {"resourceVersion": resumed}, 2) if e != "BOOKMARK"
    )
    assert (event, seen["metadata"]["labels"]) == ("MODIFIED", {"a": "c"})
    ready.store.compact()
    with pytest.raises(Gone):
        list(kube.api.watch(path, {"resourceVersion": version}, 2))


def test_an_expired_page_is_begun_anew_and_nothing_is_listed_twice(
    cluster: ApiDouble, kube: Kubernetes
) -> None:
    cluster.frozen = True
    for number in range(1200):
        cluster.store.create(
            "v1/pods",
            {"metadata": {"name": f"p{number}", "namespace": "ml"}, "spec": {}, "status": {}},
        )
    cluster.faults.expire_continue = 1
    names = [p["metadata"]["name"] for p in kube.api.items(api_path("v1", "ml", "pods"))]
    assert len(names) == len(set(names)) == 1200


def test_a_deleted_deployment_is_unsure_and_unknown(ready: ApiDouble, kube: Kubernetes) -> None:
    kube.edit("ml/digits", Scale(2), RecordingAct("a"))
    ready.store.remove("apps/v1/deployments", ready.deployment("digits"))
    ready.deploy("numbers")
    assert kube.happened("ml/digits", "a") is Happened.UNSURE
    with pytest.raises(BadArguments, match="no deployment named"):
        kube.status("ml/digits")


def test_wiped_annotations_are_unsure(ready: ApiDouble, kube: Kubernetes) -> None:
    kube.edit("ml/digits", Scale(2), RecordingAct("a"))
    ready.edit("digits", lambda o: o["metadata"].pop("annotations"))
    assert kube.happened("ml/digits", "a") is Happened.UNSURE


def test_an_autoscaler_is_respected(ready: ApiDouble, kube: Kubernetes) -> None:
    ready.add(
        "autoscaling/v2/horizontalpodautoscalers",
        {
            "metadata": {"name": "digits", "namespace": "ml"},
            "spec": {
                "scaleTargetRef": {"kind": "Deployment", "name": "digits"},
                "minReplicas": 2,
                "maxReplicas": 9,
            },
        },
    )
    with pytest.raises(Refused, match="between 2 and 9"):
        kube.preview("ml/digits", Scale(4))
    preview = kube.preview("ml/digits", RollOut(TWO.release, 7))
    assert "replicas:" not in preview.diff
    assert any("HorizontalPodAutoscaler" in w for w in preview.warnings)


def test_a_preview_persists_nothing_and_passes_warnings_on(
    ready: ApiDouble, kube: Kubernetes
) -> None:
    space = ready.store.get("v1/namespaces", None, "ml")
    ready.store.edit(
        "v1/namespaces",
        space,
        lambda o: o["metadata"].update(labels={"pod-security.kubernetes.io/warn": "restricted"}),
    )
    before = ready.deployment("digits")
    preview = kube.preview("ml/digits", TWO)
    assert ready.deployment("digits") == before
    assert any("PodSecurity" in w for w in preview.warnings)
    assert "- template.spec.containers[server].image: server:1" in preview.diff


def test_a_revision_history_of_nothing_can_still_be_undone(
    cluster: ApiDouble, kube: Kubernetes
) -> None:
    cluster.deploy("digits", revisionHistoryLimit=0)
    cluster.settle("digits")
    before = cluster.deployment("digits")["spec"]
    kube.edit("ml/digits", TWO, RecordingAct("a"))
    cluster.settle("digits")
    kube.edit("ml/digits", RollBack(1), RecordingAct("b"))
    assert cluster.deployment("digits")["spec"] == before


def test_other_workloads_are_read_and_restarted_but_not_rolled_out(
    cluster: ApiDouble, kube: Kubernetes
) -> None:
    labels = {"app": "queue"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "q", "image": "q:1"}]},
    }
    for resource, more in (("statefulsets", {"replicas": 2}), ("daemonsets", {})):
        spec = {
            "selector": {"matchLabels": {"app": resource}},
            "template": {**template, "metadata": {"labels": {"app": resource}}},
            **more,
        }
        cluster.add(
            f"apps/v1/{resource}", {"metadata": {"name": resource, "namespace": "ml"}, "spec": spec}
        )
    for name, wanted in (("statefulsets", 2), ("daemonsets", 3)):
        ref = f"ml/{name}"
        cluster.until(
            lambda r=ref, n=wanted: kube.status(r).phase == "complete" and kube.status(r).ready == n
        )
        pods = {r.id: r.started_at for r in kube.status(ref).replicas}
        uids = {p["metadata"]["uid"] for p in cluster.pods(name)}
        kube.edit(ref, Restart(), RecordingAct(f"r-{name}"))
        cluster.until(
            lambda n=name, u=uids, w=wanted: (
                len(p := cluster.pods(n)) == w and not u & {x["metadata"]["uid"] for x in p}
            )
        )
        cluster.until(lambda r=ref: kube.status(r).phase == "complete")
        assert {r.id for r in kube.status(ref).replicas} == set(pods)
        with pytest.raises(Refused, match="but rolls out Deployments"):
            kube.preview(ref, TWO)


def test_custom_workloads_are_read_where_their_definitions_are_installed(
    cluster: ApiDouble, kube: Kubernetes, tmp_path: Path
) -> None:
    assert kube.deployments() == []
    cluster.server.groups |= {"argoproj.io", "serving.kserve.io"}
    labels = {"app": "gradual"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "server", "image": "server:1"}]},
    }
    rollout = cluster.add(
        "argoproj.io/v1alpha1/rollouts",
        {
            "metadata": {"name": "gradual", "namespace": "ml"},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
        },
    )
    numbers = {"replicas": 2, "updatedReplicas": 1, "readyReplicas": 2, "availableReplicas": 2}
    waiting = {
        **numbers,
        "observedGeneration": "1",
        "pauseConditions": [{"reason": "CanaryPauseStep"}],
    }
    cluster.store.edit("argoproj.io/v1alpha1/rollouts", rollout, lambda o: o.update(status=waiting))
    cluster.add(
        "serving.kserve.io/v1beta1/inferenceservices",
        {
            "metadata": {"name": "fraud", "namespace": "ml"},
            "spec": {"predictor": {"model": {"storageUri": "pvc://models/fraud/7"}}},
            "status": {
                "observedGeneration": 1,
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        },
    )
    fresh = Kubernetes("kube", Api(Access("kube", str(cluster.kubeconfig(tmp_path)))), ["ml"])
    seen = {s.name: s for s in fresh.deployments()}
    assert seen["gradual"].phase == "paused"
    assert fresh.status("ml/gradual").release.image == "server:1"
    assert (seen["fraud"].phase, seen["fraud"].release.artifact) == (
        "complete",
        "pvc://models/fraud/7",
    )
    with pytest.raises(BadArguments, match="loads its model from a URI"):
        fresh.preview("ml/fraud", TWO)


def test_answers_cost_a_bounded_number_of_calls(ready: ApiDouble, kube: Kubernetes) -> None:
    kube.status("ml/digits")
    before = ready.calls
    kube.status("ml/digits")
    assert ready.calls - before <= 4
    ready.behaves("server:2", exit_code=1)
    kube.edit("ml/digits", TWO, RecordingAct("a"))
    ready.until(lambda: kube.status("ml/digits").phase == "failed")
    before = ready.calls
    kube.status("ml/digits")
    assert ready.calls - before <= 12

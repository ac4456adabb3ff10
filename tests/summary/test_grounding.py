"""A summary that a model wrote may say only what the facts say."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.fronts.grounding import Facts, ungrounded

PAGE = (Path(__file__).parents[2] / "docs" / "summary.md").read_text()
REPORT, WRITTEN = (PAGE.split("```")[n].strip() for n in (1, 3))
NAMES = ("ana", "bob", "digits", "carol", "ranker")
FACTS = Facts.of([REPORT], [], NAMES)


def test_the_documented_example_stands_in_its_facts() -> None:
    assert ungrounded(WRITTEN, FACTS) == []


@pytest.mark.parametrize(
    "true",
    [
        "digits version 2 reached an accuracy of 99.2 % on 647 test samples.",
        "Training took 70 s (action 5), and ana asked for it at 11:53.",
        "KubeDeploymentReplicasMismatch fired and resolved after 29.3 s.",
        "Memory is at 22 % of 23.5 GiB; 53.7 GiB of disk / are free.",
        "Five changes are done and verified; one waits for approval until 12:53.",
        "1. **digits** serves v1 with 3/3 replicas.\n2. There is no GPU.",
        "Bob approved the roll-out of digits.",
        "digits 版本 2 的准确率为 99.2 %；操作 6 等待批准。",
    ],
)
def test_what_is_so_may_be_said(true: str) -> None:
    assert ungrounded(true, FACTS) == []


@pytest.mark.parametrize(
    ("lie", "named"),
    [
        ("digits version 2 reached an accuracy of 99.7 %.", "99.7 %"),
        ("Training took 80 s.", "80"),
        ("It was approved at 14:20.", "14:20"),
        ("On 2026-11-29 digits was trained.", "2026-11-29"),
        ("HighLatency fired twice.", "HighLatency"),
        ("gpu-node-05 is down.", "gpu-node-05"),
        ("The restart was approved by mallory.", "mallory"),
        ("carol rolled digits out.", "carol"),
        ("ranker is healthy.", "ranker"),
        ("The cause was `disk full`.", "disk full"),
        ("digits was trained, and Kafka was restarted.", "Kafka"),
        ("A job was killed by the OOM killer.", "OOM"),
        ("3 alerts fire.", "3"),
        ("Three alerts fire.", "three"),
        ("5 alerts fire.", "5"),
        ("Seven changes failed.", "seven"),
        ("12,000 requests were answered by digits.", "12,000"),
        ("mallory 批准了操作 6。", "mallory"),
        ("内存使用 87 %。", "87 %"),
    ],
)
def test_what_is_not_in_the_facts_is_named(lie: str, named: str) -> None:
    assert named in ungrounded(lie, FACTS)


@pytest.mark.parametrize(
    "claim", ["All is well.", "Everything looks healthy today", "nothing is wrong", "一切正常。"]
)
def test_a_model_may_not_call_well_what_is_not(claim: str) -> None:
    ill = Facts.of(["Not all is well: digits is degraded (1 of 2 replicas ready)."], [])
    assert ungrounded(claim, ill)
    assert ungrounded("Not all is well: digits is degraded.", ill) == []
    assert ungrounded(claim, FACTS) == []


def test_without_findings_nothing_can_be_said() -> None:
    assert ungrounded("All 3 GPUs are idle since 09:00.", Facts.of([], [])) == ["09:00", "3"]


def test_plain_data_counts_as_facts() -> None:
    data = {"jobs": [{"name": "digits-train-7", "accuracy": 0.974, "step": 1200}], "idle_gpus": 2}
    facts = Facts.of([], [data])
    assert ungrounded("digits-train-7 made 1,200 steps: accuracy 97.4 %.", facts) == []
    assert ungrounded("Two GPUs are idle.", facts) == []
    assert ungrounded("digits-train-7 made 1,300 steps.", facts) == ["1,300"]

"""Every named cause ends with one short remedy, the one that fits best."""

from __future__ import annotations

import pytest

from tools.deployments.remedies import remedy
from tools.platforms import kubernetes_refusals as named

CAUSES = (
    named.IMAGE,
    named.CRASH,
    named.PROBE,
    f"{named.CAPACITY} (cpu)",
    named.QUOTA,
    f"{named.QUOTA} (limit range)",
    named.CONFIG,
    named.OOM,
    named.NODE,
    named.STUCK,
    named.POLICY,
    named.VOLUME,
    named.SANDBOX,
    named.EVICTED,
    named.INIT,
    named.STARTING,
)


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_has_a_remedy_in_both_languages(cause: str) -> None:
    assert 10 < len(remedy(f"{cause}: something")) <= 90
    assert remedy(cause, "zh") != remedy(cause)


def test_what_has_no_name_has_no_remedy() -> None:
    assert remedy("2 of 3 replicas ready") == ""


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("image cannot be pulled: r/x:2: 401 Unauthorized", "imagePullSecret"),
        ("image cannot be pulled: r.invalid/x:2: no such host", "address"),
        ("image cannot be pulled: x:2: not found", "name and tag"),
        ("crash loop: init container migrate exits with 3", "init container"),
        ("crash loop: container s cannot start: no such file", "command"),
        ("probe failing: Liveness probe failed: 503", "liveness probe"),
        ("no capacity (taint gpu): 0/3 nodes", "make a node fit"),
        ("no capacity (nvidia.com/gpu): 0/3 nodes", "ask for less"),
        ("stuck terminating: p: held by finalizer x/y", "finalizer"),
    ],
)
def test_the_evidence_chooses_the_remedy(cause: str, words: str) -> None:
    assert words in remedy(cause)

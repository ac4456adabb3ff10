"""The canary drill on real servers under load: the good one arrives, the bad ones go back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.contract.bench_local import local_platform, release
from tests.contract.platforms import Bench
from tests.serving.load import Load
from tests.support import RecordingAct
from tools.platforms.base import RollOut, Status

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with local_platform(tmp_path) as platform:
        unused = release(tmp_path, 666, "nan")
        made = Bench(platform, lambda v: release(tmp_path, v), unused, "", patience=40)
        platform.edit("digits", RollOut(made.release(1), 4), RecordingAct("stable"))
        made.settled()
        yield made


def canary(tmp_path: Path, kind: str) -> RollOut:
    return RollOut(
        release(tmp_path, 2, kind),
        4,
        "canary",
        steps=(0.25, 0.5, 1.0),
        pause=timedelta(seconds=0.5),
        min_requests=30,
    )


def load_on(bench: Bench) -> Load:
    endpoint = bench.platform.status("digits").endpoint
    assert endpoint is not None
    return Load(int(endpoint.rsplit(":", 1)[1]), "digits", clients=6, labels=True)


def test_a_good_version_reaches_everybody(bench: Bench, tmp_path: Path) -> None:
    with load_on(bench) as load:
        bench.platform.edit("digits", canary(tmp_path, "good"), RecordingAct("canary"))
        status = bench.until(lambda s: s.phase in ("complete", "failed"))
        load.run_for(50)
    assert status.phase == "complete", status.message
    assert status.release.version == "2"
    assert load.failures == []
    passed = [
        e.message
        for e in bench.platform.events("digits", since=timedelta(hours=1))
        if e.reason == "CanaryStep"
    ]
    assert [m.split()[0] for m in passed] == ["25%", "50%"]


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("slow", "p95"),
        ("fails", "error rate"),
        ("nan", "model fails its warm-up"),
        ("wrong", "quality"),
    ],
)
def test_a_bad_version_goes_back_at_the_first_step(
    bench: Bench, tmp_path: Path, kind: str, cause: str
) -> None:
    least = 4
    with load_on(bench) as load:
        load.run_for(100)
        bench.platform.edit("digits", canary(tmp_path, kind), RecordingAct("canary"))

        def over(now: Status) -> bool:
            nonlocal least
            least = min(least, now.ready)
            return now.phase in ("complete", "failed")

        status = bench.until(over)
        load.run_for(50)
    assert status.phase == "failed"
    if kind != "nan":  # which does not even start
        assert "canary at 25%" in status.message
    assert cause in status.message
    assert (status.release.version, status.ready) == ("1", 4)
    assert {r.version for r in status.replicas if r.ready} == {"1"}
    assert least >= 4
    # Whatever failed was answered by the new version, never by the stable one's share.
    assert all("version 2" in failure for failure in load.failures)

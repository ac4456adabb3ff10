"""A slice of the crash harness: every boundary of a promotion, some of the costlier stories."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.harness import boundaries, crash


@pytest.mark.parametrize("story", ["promote", "undo"])
@pytest.mark.timeout(280)
def test_a_kill_anywhere_is_survived(tmp_path: Path, story: str) -> None:
    count = boundaries(tmp_path, story)
    assert count >= 12
    every = range(1, count + 1, 2 if story == "promote" else 4)
    runs = [crash(tmp_path, story, n) for n in every]
    assert all(run.killed for run in runs)
    assert {run.verdict for run in runs} <= {"finished", "asks"}, runs


@pytest.mark.timeout(280)
def test_a_roll_out_survives_a_kill_in_the_middle(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    count = boundaries(tmp_path, "roll_out")
    runs = [crash(tmp_path, "roll_out", n) for n in (count // 2, count - 3)]
    assert {run.verdict for run in runs} <= {"finished", "asks"}, runs


@pytest.mark.timeout(280)
@pytest.mark.slow
@pytest.mark.parametrize("story", ["train", "tune", "prune"])
def test_long_work_survives_a_kill_of_steward_in_the_middle(tmp_path: Path, story: str) -> None:
    pytest.importorskip("torch")
    run = crash(tmp_path, story, 10)
    assert run.killed
    assert run.verdict in ("finished", "asks"), run

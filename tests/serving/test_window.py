"""The serving window: a uniform, bounded sample of what was really asked and answered."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tests.serving.test_server import body, served
from tools.serving import window as module
from tools.serving.client import try_out
from tools.serving.window import Window, recorded, recorded_version


def rows(count: int, start: int = 0) -> np.ndarray:
    return np.arange(start, start + count, dtype="float32")[:, None].repeat(4, 1)


def kept(folder: Path, version: str = "3") -> np.ndarray:
    found = recorded(folder, 0, version)
    assert found is not None
    return found.inputs[:, 0]


def test_what_fits_is_kept_whole_and_read_back_with_its_answers(tmp_path: Path):
    window = Window(tmp_path / "w", "3")
    for start in range(0, 60, 20):
        window.observe(rows(20, start), 2 * rows(20, start)[:, :3])
    window.close()
    found = recorded(tmp_path / "w", 0, "3")
    assert found is not None
    np.testing.assert_array_equal(found.inputs[:, 0], np.arange(60))
    np.testing.assert_array_equal(found.outputs[:, 0], 2 * np.arange(60))
    assert found.seen == 60
    assert recorded(tmp_path / "w", time.time() + 1, "3") is None
    assert recorded(tmp_path / "w", 0, "4") is None
    assert recorded_version(tmp_path / "w", 0) == "3"


def test_more_than_fits_is_a_uniform_sample(tmp_path: Path):
    means: list[float] = []
    for turn in range(8):
        window = Window(tmp_path / str(turn), "3")
        for start in range(0, 4000, 50):
            window.observe(rows(50, start), rows(50, start))
        window.close()
        sample = kept(tmp_path / str(turn))
        assert len(sample) == len(set(sample)) == module.ROWS
        means.append(float(sample.mean()))
    # The mean of 8 * 256 uniform rows of 0..3999 has a standard error of 26.
    assert abs(np.mean(means) - 1999.5) < 150


def test_large_rows_and_old_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "FILE", 10_000)
    monkeypatch.setattr(module, "FOLDER", 25_000)
    noise = np.random.default_rng(0).normal(size=(40, 100)).astype("float32")
    window = Window(tmp_path / "w", "3")
    for _ in range(4):
        window.observe(noise, noise[:, :3])
        window.flush()
        time.sleep(0.002)
    window.close()
    found = recorded(tmp_path / "w", 0, "3")
    assert found is not None
    assert 24 <= len(found.inputs) <= 3 * 24
    assert sum(f.stat().st_size for f in (tmp_path / "w").iterdir()) <= 25_000


def test_a_folder_that_cannot_be_written_costs_the_sample_alone(tmp_path: Path):
    (tmp_path / "w").write_text("a file is in the way")
    window = Window(tmp_path / "w", "3")
    window.observe(rows(5), rows(5))
    window.close()


def test_a_server_records_what_it_was_asked_and_nothing_of_its_own_checks(tmp_path: Path):
    place = tmp_path / "windows"
    with served(tmp_path, "good", "--window", str(place)) as server:
        assert try_out(server.url, "digits").fault == ""
        for _ in range(3):
            assert server.infer(body([*range(8)], (2, 4)))[0] == 200
        assert server.infer({"inputs": []})[0] == 400
        os.kill(server.process.pid, signal.SIGTERM)
        server.process.wait(30)
    found = recorded(place, 0, "7")
    assert found is not None
    np.testing.assert_array_equal(found.inputs, np.tile(np.arange(8).reshape(2, 4), (3, 1)))
    np.testing.assert_array_equal(found.outputs, found.inputs[:, :3])

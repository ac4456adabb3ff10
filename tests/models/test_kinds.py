"""A kind's file is read as the team's untested code: from several threads, and whatever is in it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.models.test_refusals import one_sentence
from tools.errors import BadArguments
from tools.fleet import ModelSpec
from tools.models.kinds import outline

BODY = "\n\n".join(f"def layer_{n}(x):\n    return [x, (x, {{x: x + {n}}})]" for n in range(60))
KIND = f"{BODY}\n\ndef build(params):\n    ...\n\ndef data(split, params):\n    ...\n"


class _Loop:
    """Garbage whose finaliser runs Python, so that a collection lets other threads in."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        sum(range(50))


@pytest.fixture
def restless() -> Iterator[None]:
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(20)
    yield
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)


def spec(folder: Path, text: str) -> ModelSpec:
    (folder / "kind.py").write_text(text, encoding="utf-8")
    return ModelSpec("team", "kind.py:Kind", folder, "kind.py")


@pytest.mark.usefixtures("restless")
def test_looks_that_run_side_by_side_read_the_same_file(tmp_path: Path):
    model = spec(tmp_path, KIND)

    def read(_: int) -> str:
        _Loop()
        return outline(model).digest

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(read, range(120)))) == 1


@pytest.mark.parametrize("text", ["a = 1\0", "a = " + "(" * 400 + ")" * 400, "a = " + "-" * 9000])
def test_a_file_no_parser_reads_is_named(tmp_path: Path, text: str):
    with pytest.raises(BadArguments) as caught:
        outline(spec(tmp_path, text))
    assert "kind.py, line 1: team's code is not valid Python" in one_sentence(caught.value)

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.observe.gpu import Gpus


class Machine:
    """A machine with fake GPUs: a real worker process over the real binding and a fake library."""

    def __init__(self, home: Path) -> None:
        self.file = home / "gpus.json"
        self.proc = home / "proc"
        self._made: list[Gpus] = []

    def set(self, state: dict[str, Any]) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps(state))
        fresh.replace(self.file)

    def kernel_module(self, version: str) -> None:
        path = self.proc / "driver/nvidia/version"
        path.parent.mkdir(parents=True)
        path.write_text(f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {version}  Tue Feb 11\n")

    def library(self, version: str) -> None:
        path = self.proc / "self/maps"
        path.parent.mkdir(parents=True)
        path.write_text(f"7f00-7f01 r-xp 00000000 08:01 1 /usr/lib/libnvidia-ml.so.{version}\n")

    def gpus(self, state: dict[str, Any], **options: Any) -> Gpus:
        self.set(state)
        options = {"fresh": 0.0, "slow": 0.0, "deadline": 5.0} | options
        made = Gpus(preload="tests.observe.fake_nvml", proc=self.proc, **options)
        self._made.append(made)
        return made

    def close(self) -> None:
        for made in self._made:
            made.close()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    made = Machine(tmp_path)
    monkeypatch.setenv("FAKE_NVML_STATE", str(made.file))
    yield made
    made.close()

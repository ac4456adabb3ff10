"""The test double under the contract suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contract.platforms import Bench, bench
from tools.platforms.base import Release
from tools.platforms.double import DoublePlatform
from tools.world import SystemClock


def release(version: int) -> Release:
    return Release("digits", str(version), f"{version:064x}", f"/models/{version}.onnx")


@bench("double")
@contextmanager
def double_bench(home: Path) -> Iterator[Bench]:
    platform = DoublePlatform("double", ["digits"], SystemClock())
    platform.faults.broken["666"] = "image cannot be pulled"
    platform.faults.most_replicas = 100

    def slow() -> None:
        for version in range(10):
            platform.faults.start_seconds[str(version)] = 0.6

    yield Bench(
        platform,
        release,
        release(666),
        "image cannot be pulled",
        kill=lambda: platform.kill("digits"),
        again=lambda: platform,
        slow=slow,
    )

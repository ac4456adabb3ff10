"""Which platforms the contract suite runs against.

A platform joins by a module ``tests/contract/bench_NAME.py`` that registers a context manager:

    @bench("docker", skip=reason_or_empty)
    @contextmanager
    def docker_bench(home: Path) -> Iterator[Bench]: ...

``home`` is an empty folder. The bench must start with one deployment, ``digits``, to which
nothing was rolled out yet, and leave nothing behind.
"""

from __future__ import annotations

import pkgutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from tools.platforms.base import Platform, Release, Status


@dataclass
class Bench:
    """A platform under test and what the suite needs to know about it."""

    platform: Platform
    release: Callable[[int], Release]
    """A release that works; the version is the number."""
    broken: Release
    """A release whose replicas never become ready."""
    broken_cause: str
    """A part of the cause that must be named for it."""
    kill: Callable[[], Any] | None = None
    """Let one ready replica die; ``None`` where the platform replaces it by itself at once."""
    again: Callable[[], Platform] | None = None
    """The same world through a new object, as another process would see it."""
    ref: str = "digits"
    too_many: int = 1000
    """A number of replicas the platform must refuse; 0 where it takes any."""
    patience: float = 30.0
    """Seconds any change may take."""
    pace: float = 0.03
    """Seconds between looks; more where a look is dear."""
    slow: Callable[[], None] = field(default=lambda: None)
    """Make the next replicas slow to start, so that a roll-out can be seen half way."""

    def until(self, wanted: Callable[[Status], bool]) -> Status:
        """Look until ``wanted``, else fail with the last status."""
        deadline = time.monotonic() + self.patience
        while True:
            status = self.platform.status(self.ref)
            if wanted(status):
                return status
            assert time.monotonic() < deadline, f"not reached: {status}"
            time.sleep(self.pace)

    def settled(self) -> Status:
        """Wait until nothing changes any more."""
        return self.until(lambda s: s.phase in ("complete", "failed", "degraded"))


Maker = Callable[[Path], AbstractContextManager[Bench]]
BENCHES: dict[str, tuple[Maker, str]] = {}


def bench(name: str, skip: str = "") -> Callable[[Maker], Maker]:
    """Register a platform; ``skip`` says why it cannot run here."""

    def register(maker: Maker) -> Maker:
        BENCHES[name] = (maker, skip)
        return maker

    return register


def load() -> dict[str, tuple[Maker, str]]:
    """Every bench there is."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name.startswith("bench_"):
            import_module(f"tests.contract.{module.name}")
    return dict(sorted(BENCHES.items()))

"""Cluster time: runs faster than the wall clock, so that a progress deadline takes a second."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class ClusterClock:
    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._began = time.time()
        self._real = time.monotonic()

    def seconds(self) -> float:
        return self._began + (time.monotonic() - self._real) * self.speed

    def text(self, offset: float = 0.0) -> str:
        moment = datetime.fromtimestamp(self.seconds() + offset, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def parse(self, text: str) -> float:
        return datetime.fromisoformat(text).timestamp()

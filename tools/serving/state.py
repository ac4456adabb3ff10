"""What both faces of a server share: the loaded model, its counters, its state of life."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tools.serving.metrics import Metrics
from tools.serving.options import Options
from tools.serving.runtime import Runtime
from tools.serving.window import Window
from tools.serving.wire import Answer, error


@dataclass(slots=True)
class Connection:
    """What is remembered of one keep-alive connection."""

    born: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)


@dataclass
class Service:
    """The state both faces share."""

    options: Options
    metrics: Metrics
    pool: ThreadPoolExecutor
    runtime: Runtime | None = None
    window: Window | None = None
    """Where a sample of what is asked and answered is kept, if it is to be kept."""
    accepting: bool = False
    draining: bool = False
    in_flight: int = 0
    started: float = field(default_factory=time.time)
    begin: Callable[[], None] = lambda: None
    """Start taking traffic; set by the server."""

    @property
    def ready(self) -> bool:
        """Loaded, warmed up, and not leaving."""
        return self.runtime is not None and not self.draining


def readiness(service: Service) -> Answer:
    """200 when ready, else 503 with the reason."""
    if service.ready:
        return Answer.json({"ready": True})
    return error(503, "the server is draining" if service.draining else "the model is loading")

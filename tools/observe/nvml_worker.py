"""The process that talks to the driver: one JSON request a line in, one JSON answer a line out.

``python -m tools.observe.nvml_worker`` keeps one initialised library for its life and ends when
its input ends. A call that never returns wedges only this process; the parent notices by its
deadline and goes on. ``--preload MODULE`` imports a module first (a fake library for tests).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from collections import deque
from pathlib import Path
from threading import Thread
from typing import Any

from tools.observe.nvml import Nvml

_WAIT_MS = 1000
_TIMEOUT = 10


class EventWatch:
    """Listens for XIDs: the driver tells only those that happen after registration."""

    def __init__(self, library: Any) -> None:
        self._nvml = library
        self.xids: deque[dict[str, Any]] = deque(maxlen=200)
        self._started = False

    def start(self, count: int) -> None:
        """Begin listening on ``count`` GPUs, once."""
        if self._started:
            return
        self._started = True
        nvml = self._nvml
        try:
            events = nvml.nvmlEventSetCreate()
        except nvml.NVMLError:
            return
        registered = sum(self._register(index, events) for index in range(count))
        if registered:
            Thread(target=self._listen, args=(events,), daemon=True).start()

    def _register(self, index: int, events: Any) -> bool:
        nvml = self._nvml
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            wanted = nvml.nvmlEventTypeXidCriticalError
            if not nvml.nvmlDeviceGetSupportedEventTypes(handle) & wanted:
                return False
            nvml.nvmlDeviceRegisterEvents(handle, wanted, events)
        except nvml.NVMLError:
            return False
        return True

    def _listen(self, events: Any) -> None:
        nvml = self._nvml
        while True:
            try:
                event = nvml.nvmlEventSetWait_v2(events, _WAIT_MS)
            except nvml.NVMLError as error:
                if error.value == _TIMEOUT:
                    continue
                return
            try:
                index = int(nvml.nvmlDeviceGetIndex(event.device))
            except nvml.NVMLError:
                index = None
            self.xids.append({"at": time.time(), "gpu": index, "code": int(event.eventData)})


def main(argv: list[str] | None = None) -> None:
    """Answer requests until the input ends."""
    parser = argparse.ArgumentParser(prog="nvml_worker")
    parser.add_argument("--preload", default="")
    parser.add_argument("--proc", type=Path, default=Path("/proc"))
    options = parser.parse_args(argv)
    if options.preload:
        importlib.import_module(options.preload)
    library: Any = importlib.import_module("pynvml")
    nvml = Nvml(library, options.proc)
    watch = EventWatch(library)
    for line in sys.stdin:
        request = json.loads(line)
        answer = nvml.read(bool(request.get("slow")))
        if "gpus" in answer:
            watch.start(len(answer["gpus"]))
        answer["xids"] = list(watch.xids)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    os._exit(0)  # a thread inside the driver must not hold the process


if __name__ == "__main__":
    main()

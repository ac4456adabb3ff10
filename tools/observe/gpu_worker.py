"""The reading process seen from its parent: two pipes and a deadline."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Worker:
    """One process of :mod:`tools.observe.nvml_worker`."""

    def __init__(self, preload: str, proc: Path) -> None:
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
        command = [sys.executable, "-m", "tools.observe.nvml_worker", "--proc", str(proc)]
        if preload:
            command += ["--preload", preload]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C in a terminal is not for it
        )
        self._buffer = b""

    def ask(self, slow: bool, deadline: float) -> Mapping[str, Any]:
        """One answer; ``TimeoutError`` past the deadline, ``OSError`` when the process died."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"slow": slow}).encode() + b"\n")
        process.stdin.flush()
        end = time.monotonic() + deadline
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([process.stdout], [], [], max(end - time.monotonic(), 0))
            if not ready:
                raise TimeoutError
            chunk = os.read(process.stdout.fileno(), 1 << 16)
            if not chunk:
                raise OSError(_ending(process.wait(timeout=deadline)))
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)

    def abandon(self) -> subprocess.Popen[bytes]:
        """Kill the process without waiting: stuck in the kernel, it may not die yet."""
        self._process.kill()
        self._close_pipes()
        return self._process

    def close(self) -> None:
        """End the process: its input ends."""
        self._close_pipes()
        try:
            self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # unwritten bytes for a process that is gone


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit status {code}"

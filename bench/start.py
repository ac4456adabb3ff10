"""How long a person waits: help, the prompt, a question; whole processes, medians of five.

Each figure is printed absolute and as a ratio to an empty Python process in the same run.
"""

from __future__ import annotations

import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

RUNS = 5
STEWARD = [sys.executable, "-m", "agent"]


def whole(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds and peak MB of a process."""
    begin = time.perf_counter()
    pid = os.spawnve(os.P_NOWAIT, command[0], command, environment)
    _, _, usage = os.wait4(pid, 0)
    return time.perf_counter() - begin, usage.ru_maxrss / 1024


def quiet(command: list[str]) -> list[str]:
    return ["/bin/sh", "-c", 'exec "$0" "$@" >/dev/null 2>&1', *command]


def prompt(environment: dict[str, str]) -> tuple[float, float]:
    """Seconds until the chat's prompt can be typed at."""
    begin = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(STEWARD[0], [*STEWARD, "chat"], environment)
    seen = b""
    while "›".encode() not in seen:
        ready, _, _ = select.select([terminal], [], [], 10)
        if not ready:
            break
        try:
            seen += os.read(terminal, 65536)
        except OSError:
            break
        if b"\x1b[6n" in seen:
            os.write(terminal, b"\x1b[1;1R")
            seen = seen.replace(b"\x1b[6n", b"")
    took = time.perf_counter() - begin
    os.kill(pid, 9)
    _, _, usage = os.wait4(pid, 0)
    os.close(terminal)
    return took, usage.ru_maxrss / 1024


def served(environment: dict[str, str], run: Callable[[], None]) -> None:
    """Run something while ``steward serve`` answers."""
    service = subprocess.Popen(
        [*STEWARD, "serve"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        socket = Path(environment["STEWARD_HOME"]) / "steward.sock"
        deadline = time.monotonic() + 30
        while not socket.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)
        run()
    finally:
        service.terminate()
        service.wait(40)


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        fleet = Path(home) / "steward.yaml"
        fleet.write_text("http: {port: 0}\n")
        environment = {**os.environ, "STEWARD_HOME": home, "TERM": "xterm", "NO_COLOR": "1"}
        environment.pop("STEWARD_MODEL", None)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as installed: compiled once
        question = [*STEWARD, "ask", "what is running?"]
        base = [sys.executable, "-c", "pass"]

        def row(name: str, measure: Callable[[], tuple[float, float]], limit: str) -> None:
            measure()
            results = [measure() for _ in range(RUNS)]
            seconds = statistics.median(r[0] for r in results)
            memory = max(r[1] for r in results)
            print(f"{name:<34}{seconds:7.3f} s {memory:6.0f} MB {seconds / empty:6.1f} x   {limit}")

        empty = statistics.median(whole(quiet(base), environment)[0] for _ in range(RUNS))
        print(f"{'':<34}{'':>9} {'':>9} {'to an empty python':>20}")
        row(
            "steward --help",
            lambda: whole(quiet([*STEWARD, "--help"]), environment),
            "≤ 0.25 s, 60 MB",
        )
        row("chat: the prompt is ready", lambda: prompt(environment), "≤ 0.4 s")
        row(
            "steward ask, one tool call",
            lambda: whole(quiet(question), environment),
            "≤ 1.2 s, 150 MB",
        )
        environment["STEWARD_FLEET"] = str(fleet)
        served(
            environment,
            lambda: row(
                "the same, where the service runs",
                lambda: whole(quiet(question), environment),
                "≤ 0.3 s",
            ),
        )


if __name__ == "__main__":
    main()

"""What a turn costs beyond the model and the tool: one conversation of 200 turns, durable state.

A turn is a message, one tool call and an answer by the embedded planner. The tool's own time is
measured beside it and taken off.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from agent.bootstrap import App
from agent.events import Actor, Message, Seen
from agent.settings import Settings

TURNS = 200


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        app = App(Settings(Path(home), None, None, None, "ana", False))
        own: list[float] = []
        for number in range(TURNS + 5):
            message = Message(
                "c", str(number), Actor("ana", "terminal"), "list models", datetime.now(UTC)
            )
            begin = time.perf_counter()
            events = list(app.assistant.handle(message))
            took = time.perf_counter() - begin
            own.append((took - sum(e.seconds for e in events if isinstance(e, Seen))) * 1000)
        warm = own[5:]
        # A turn reads the newest 120 rows: from turn 40 on there is nothing left that could grow.
        first, full, last = (statistics.median(w) for w in (warm[:20], warm[40:60], warm[-20:]))
        size = (Path(home) / "steward.db").stat().st_size / 1024
        print(f"turns 1-20: {first:.1f} ms   turns {TURNS - 20}-{TURNS}: {last:.1f} ms   (≤ 25 ms)")
        print(f"turns 40-60: {full:.1f} ms   last / these: {last / full:.2f}")
        print(f"last / first: {last / first:.2f}   p95 {sorted(warm)[int(TURNS * 0.95)]:.1f} ms")
        print(f"database after {TURNS} turns: {size:.0f} KB")


if __name__ == "__main__":
    main()

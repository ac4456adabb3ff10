"""How fast the embedded planner loads and answers. Run: python -m bench.understanding [FILE…]

Without files the development set is read.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from agent.commands.eval import development
from agent.offline.brain import Brain, Names
from agent.offline.evaluate import load
from tools.catalog import TOOLS


def main(files: list[str]) -> None:
    """Print load times and the spread of answer times in milliseconds."""
    start = time.perf_counter()
    brain = Brain(TOOLS, Names())
    print(f"{'load':<12} {(time.perf_counter() - start) * 1e3:8.1f} ms")
    given = [Path(name) for name in files] or development()
    texts = [case.text for path in given for case in load(path)]
    taken: list[float] = []
    for text in texts:
        start = time.perf_counter()
        brain.understand(text)
        taken.append((time.perf_counter() - start) * 1e3)
    taken.sort()
    for share in (0.5, 0.95, 0.99):
        print(f"p{share * 100:<11.0f} {taken[int(share * (len(taken) - 1))]:8.1f} ms")


if __name__ == "__main__":
    main(sys.argv[1:])

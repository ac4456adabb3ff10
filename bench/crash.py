"""``make crash``: SIGKILL at every step boundary, for promote, undo, roll-out and training.

Prints a table: how often each story was killed, and what a restart made of it. Exit 1 when any
action was lost, ran twice, or ended otherwise than finished or with a question.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.crash.harness import boundaries, crash

SHARES = {"promote": 0.45, "undo": 0.3, "roll_out": 0.2, "train": 0.05}


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=200)
    runs = options.parse_args().runs
    bad = 0
    print(
        f"{'story':<10} {'places':>6} {'runs':>5} {'killed':>6} {'finished':>8} {'asks':>5} {'bad':>4}"
    )
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        for story, share in SHARES.items():
            places = boundaries(base, story)
            wanted = max(1, round(runs * share))
            done = [crash(base, story, 1 + n % places) for n in range(wanted)]
            verdicts = Counter(run.verdict for run in done)
            wrong = [run for run in done if run.verdict not in ("finished", "asks")]
            bad += len(wrong)
            killed = sum(run.killed for run in done)
            print(
                f"{story:<10} {places:>6} {len(done):>5} {killed:>6} "
                f"{verdicts['finished']:>8} {verdicts['asks']:>5} {len(wrong):>4}",
                flush=True,
            )
            for run in wrong:
                print(f"  {run}")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())

"""``make eval-diagnosis``: real faults on this machine against the diagnosis, as a table.

Each case injects its effect (a process that eats the CPU, a disk that fills, a replica that is
killed, a version that fails, a job that stalls), lets the alert fire where a rule covers it, and
asks ``diagnose``. Right means: the injected cause is named first, or, for a healthy control,
nothing is blamed. Exit 1 below 90 % of the faults or with any control blamed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.alerts.faults import CASES
from tests.alerts.recorded import RECORDED
from tests.alerts.stage import Case, Outcome, play


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--say", action="store_true", help="print each answer in full")
    parser.add_argument("--recorded", action="store_true", help="only the recorded incidents")
    chosen = parser.parse_args()
    cases: list[Case] = [] if chosen.recorded else list(CASES)
    cases += RECORDED
    print(f"{'case':<38} {'expected':<18} {'named first':<20} {'sure':>5} {'s':>5}  ok", flush=True)
    done: list[Outcome] = []
    for case in cases:
        if chosen.only not in case.name:
            continue
        with tempfile.TemporaryDirectory(prefix="fault-", ignore_cleanup_errors=True) as home:
            outcome = play(case, Path(home))
        done.append(outcome)
        _row(outcome, chosen.say)
    return _totals(done)


def _row(outcome: Outcome, say: bool) -> None:
    case, answer = outcome.case, outcome.answer
    wanted = case.expect[0] if case.expect else "(nothing)"
    if answer is None:
        print(f"{case.name:<38} {wanted:<18} skipped: {outcome.skipped}", flush=True)
        return
    sure = f"{answer.suspects[0].confidence:.0%}" if answer.suspects else ""
    mark = "yes" if outcome.right else "NO"
    print(
        f"{case.name:<38} {wanted:<18} {outcome.top:<20} {sure:>5} {outcome.seconds:>5.1f}  {mark}",
        flush=True,
    )
    if say or not outcome.right:
        print("    " + answer.say("en").replace("\n", "\n    "), flush=True)


def _totals(done: list[Outcome]) -> int:
    played = [o for o in done if o.answer is not None]
    faults = [o for o in played if not o.case.control]
    controls = [o for o in played if o.case.control]
    named = sum(o.right for o in faults)
    blamed = sum(not o.right for o in controls)
    print(f"faults named first: {named} of {len(faults)}")
    print(f"controls blamed: {blamed} of {len(controls)}")
    if len(played) < len(done):
        print(f"skipped: {len(done) - len(played)}")
    return int(bool(blamed) or named < 0.9 * len(faults))


if __name__ == "__main__":
    sys.exit(main())

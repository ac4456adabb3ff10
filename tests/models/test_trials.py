"""Who takes the next trial of a study, where several processes look at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Lock, Thread
from types import SimpleNamespace
from typing import Any

import pytest

from tools.models.operations import tune


class Study:
    """Keeps trials as Optuna does, and lets another process look between a look and a trial."""

    def __init__(self, looking: int) -> None:
        self.states: list[str] = []
        self.best_value = 0.5
        self._lock, self._other = Lock(), Barrier(looking)

    def get_trials(self, deepcopy: bool, states: tuple[str, ...]) -> list[str]:
        assert not deepcopy
        return [state for state in self.states if state in states]

    def optimize(self, objective: Callable[[Any], float], n_trials: int) -> None:
        assert n_trials == 1
        try:
            self._other.wait(0.2)
        except BrokenBarrierError:
            self._other.reset()
        with self._lock:
            number = len(self.states)
            self.states.append("RUNNING")
        objective(SimpleNamespace(number=number))
        self.states[number] = "COMPLETE"


OPTUNA = SimpleNamespace(
    trial=SimpleNamespace(
        TrialState=SimpleNamespace(COMPLETE="COMPLETE", PRUNED="PRUNED", RUNNING="RUNNING")
    ),
    storages=SimpleNamespace(fail_stale_trials=lambda _: None),
)


@pytest.mark.parametrize(("total", "processes"), [(4, 2), (1, 3), (3, 3)])
def test_processes_that_look_at_once_take_no_trial_too_many(
    tmp_path: Path, total: int, processes: int
):
    study, ran = Study(processes), Counter[int]()
    tracker: Any = SimpleNamespace(
        check=lambda: None, step=lambda *_, **__: None, event=lambda *_, **__: None
    )
    work: Any = SimpleNamespace(folder=SimpleNamespace(root=tmp_path), tracker=tracker, rank=0)

    def trial(begun: Callable[[], None], trial: Any) -> float:
        begun()
        ran[trial.number] += 1
        return 0.5

    def process() -> None:
        tune.take(OPTUNA, study, work, total, trial)

    threads = [Thread(target=process) for _ in range(processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert ran == Counter(range(total))

"""What a running change is given: its id, progress, the wish to stop, and a deadline.

``bounded`` runs the tool's code in a thread of its own, so that a call which never returns
becomes ``unknown`` instead of a silent hang, and Ctrl-C in a terminal never lands inside it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from agent.events import Action, Progress
from agent.ledger import Ledger
from agent.redaction import mask
from agent.work import LEASE, Work
from tools.errors import Cancelled, ToolError
from tools.world import Clock

T = TypeVar("T")
GRACE = timedelta(seconds=60)
"""How much longer than the plan's own deadline a call may take before it counts as stuck."""


class Stuck(ToolError):
    """A tool did not return within its deadline."""


class Held:
    """Keeps the lease of an action alive. Given back only when the action is at rest again."""

    def __init__(self, work: Work, number: int, owner: str) -> None:
        self._work = work
        self._number = number
        self._owner = owner
        self._closed = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="lease", daemon=True)

    def __enter__(self) -> Held:
        self._work.renew(self._number, self._owner)
        self._heart.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._heart.join(5)
        self._work.drop(self._number, self._owner)

    def _beat(self) -> None:
        while not self._closed.wait(LEASE.total_seconds() / 3):
            self._work.renew(self._number, self._owner)


class Running:
    """The :class:`tools.contract.Act` of one step of an action, until it is closed."""

    def __init__(self, action: Action, ledger: Ledger, work: Work, clock: Clock) -> None:
        self._action = action
        self._ledger = ledger
        self._work = work
        self._clock = clock
        self._ends = clock.now() + action.plan.deadline + GRACE
        self._closed = threading.Event()

    @property
    def id(self) -> str:
        """The id the effect must carry."""
        return self._action.id

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()

    def progress(
        self, text: str, fraction: float | None = None, eta: timedelta | None = None
    ) -> None:
        """Keep the newest report where every front can see it."""
        if self._closed.is_set():
            return
        at = self._clock.now()
        self._work.report(Progress(self._action.number, mask(text), fraction, eta, at))

    def check(self) -> None:
        """Raise ``Cancelled`` if a person asked to stop or the time is over."""
        if self._ledger.get(self._action.number).cancel_requested:
            raise Cancelled("Cancelled by a person.", "已由人取消。")
        if self._closed.is_set() or self._clock.now() > self._ends:
            raise Cancelled("The time for this action is over.", "该操作已超时。")

    def bounded(self, work: Callable[[], T]) -> T:
        """Run ``work`` in its own thread; ``Stuck`` when it does not come back in time."""
        result: list[T] = []
        failure: list[BaseException] = []

        def body() -> None:
            try:
                result.append(work())
            except BaseException as error:  # noqa: BLE001  handed to the waiting thread below
                failure.append(error)

        thread = threading.Thread(target=body, name=f"action-{self._action.number}", daemon=True)
        thread.start()
        thread.join(max(0.0, (self._ends + GRACE - self._clock.now()).total_seconds()))
        if thread.is_alive():
            raise Stuck(
                f"{self._action.call.tool} did not return in time; whether it took effect is not "
                "clear."
            )
        if failure:
            raise failure[0]
        return result[0]

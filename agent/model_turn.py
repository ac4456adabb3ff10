"""One turn with a language model: limits, evidence, proposals. Knows no LangChain.

The planner hands every tool call of the model to :meth:`ModelTurn.call`; what comes back is text
for the model, already masked and marked as data; :mod:`agent.history` fits it into a step.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from agent.disclosure import Disclosure
from agent.errors import BrainFailed
from agent.events import Action, Event, Looking, Proposed, Usage
from agent.history import PER_CALL, ROOM, Piece, Said, fitted, looked, newest, pieces, said, tokens
from agent.record import canonical
from agent.settings import ModelSettings
from agent.toolbox import Looked
from agent.turn import Turn
from tools.contract import Call, Json
from tools.errors import ToolError

SIDE_BY_SIDE = 4
"""With more calls in one step their frames would cost more than their results: they become text."""
REPEATS = 2
"""How often the same call may be made in one turn."""


@dataclass(frozen=True, slots=True)
class Step:
    """What the model reads in one step, beside its instructions, its tools and the message."""

    past: list[Said]
    earlier: str
    """What this turn did before its newest calls."""
    results: list[str]
    """Of the newest calls, in their order; none when they were too many and stand in ``earlier``."""


@dataclass
class ModelTurn:
    """State of one turn; thread-safe, because the model's calls run side by side."""

    turn: Turn
    settings: ModelSettings
    disclosure: Disclosure
    events: queue.SimpleQueue[Event | BaseException | None]
    listed: list[str] = field(default_factory=list[str])
    looked: list[Looked] = field(default_factory=list[Looked])
    actions: list[Action] = field(default_factory=list[Action])
    usage: Usage = field(default_factory=Usage)
    stopped: threading.Event = field(default_factory=threading.Event)
    _made: Counter[str] = field(default_factory=Counter[str])
    past: list[Piece] = field(default_factory=list[Piece])
    evidence: list[Piece] = field(default_factory=list[Piece])
    """What ``more_of`` can reach: of this conversation, by number."""
    _begin: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        recent = [line.call.tool for line in self.turn.history[-30:] if line.call]
        self.listed = self.disclosure.first(self.turn.message.text, recent)
        self.past = pieces(self.turn.history)
        self.evidence = [piece for piece in self.past if piece.kind == "evidence"]

    def step(self, earlier: Sequence[Piece], last: Sequence[Piece]) -> Step:
        """What the model reads in a step: results of ``last`` as whole as possible, then the rest."""
        many = len(last) > SIDE_BY_SIDE
        results = newest(last, labelled=many)
        taken = sum(tokens(text) + PER_CALL * (not many) for text in results)
        now = len(self.past)
        told = [*self.past, *earlier]
        texts = fitted(told, max(ROOM // 3, ROOM - taken))
        before = [text for text in texts[now:] if text is not None]
        if many:
            before, results = [*before, *results], []
        return Step(list(said(self.past, texts[:now])), "\n".join(before), results)

    def call(self, name: str, args: Mapping[str, Any]) -> Piece:
        """Look or propose; what the model reads. Raises ``BrainFailed`` on endless repeats."""
        if self.stopped.is_set():
            raise BrainFailed("The turn was interrupted.")
        call = Call(name, cast("dict[str, Json]", dict(args)))
        key = canonical([name, call.args])
        with self._lock:
            self._made[key] += 1
            if self._made[key] > REPEATS:
                raise BrainFailed(
                    f"The language model repeats the same call of {name}; stopped.",
                    f"语言模型反复发出同一个 {name} 调用，已停止。",
                )
        if self.turn.toolbox.is_change(name):
            return self._propose(call)
        self.events.put(Looking(call))
        told = self.turn.toolbox.look_all([call], self.turn.lang)[0]
        self.events.put(told.seen)
        with self._lock:
            self.looked.append(told)
            number = len(self.evidence) + 1
            label = looked(call.tool, call.args)
            self.evidence.append(Piece("evidence", told.seen.text, label=label, number=number))
            return self.evidence[-1]

    def _propose(self, call: Call) -> Piece:
        try:
            action = self.turn.toolbox.propose(call, self.turn.message)
        except ToolError as error:
            return Piece("decision", error.en, label="Not proposed: ")
        with self._lock:
            new = action.number not in [a.number for a in self.actions]
            if new:
                self.actions.append(action)
        if new:
            self.events.put(Proposed(action))
        said = f"Proposed as action {action.number}; it waits for a person. Nothing has changed. "
        return Piece("decision", action.plan.title, label=said)

    def more_of(self, result: int, start: int) -> Piece:
        """A further part of a result of this conversation."""
        if not 1 <= result <= len(self.evidence):
            return Piece("words", f"There is no result {result}.")
        whole = self.evidence[result - 1]
        if not 0 <= start < len(whole.text):
            return Piece("words", f"Result {result} has {len(whole.text):,} characters.")
        label = f"[result {result} from character {start:,}] "
        return replace(whole, text=whole.text[start:], label=label, start=start)

    def find_tools(self, need: str) -> Piece:
        """List further tools for what is needed."""
        found = [n for n in self.disclosure.rank(need, 8) if n not in self.listed]
        with self._lock:
            self.listed += found
        tools = self.turn.toolbox.tools
        lines = [f"{n}: {tools[n].summary}" for n in found]
        told = "Now listed:\n" + "\n".join(lines) if lines else "No other tool fits; say so."
        return Piece("words", told)

    def spent(self, tokens_in: int, tokens_out: int, cached: int) -> None:
        """Add one model call to the usage; raises ``BrainFailed`` beyond a limit."""
        s = self.settings
        cost = (tokens_in * s.input_price + tokens_out * s.output_price) / 1e6
        u = self.usage
        self.usage = Usage(
            u.input_tokens + tokens_in,
            u.output_tokens + tokens_out,
            u.cached_tokens + cached,
            u.steps + 1,
            u.cost + cost,
        )

    def within_limits(self) -> None:
        """Raise ``BrainFailed`` when steps, tokens, time or money of this turn are used up."""
        s, u = self.settings, self.usage
        if self.stopped.is_set():
            raise BrainFailed("The turn was interrupted.")
        for used, limit, what, zh in (
            (u.steps, s.max_steps, "model calls", "模型调用次数"),
            (u.input_tokens + u.output_tokens, s.max_tokens, "tokens", "token 数"),
            (time.monotonic() - self._begin, s.max_seconds, "seconds", "秒数"),
            (u.cost, s.max_cost, "cost", "费用"),
        ):
            if limit and used >= limit:
                raise BrainFailed(
                    f"The turn's limit of {limit:g} {what} is used up.",
                    f"本轮的{zh}上限 {limit:g} 已用完。",
                )

    def data(self) -> tuple[dict[str, Json], ...]:
        """What was looked at, for ``--json``."""
        return tuple(
            {"tool": o.call.tool, "args": dict(o.call.args), "ok": o.seen.ok, "result": o.seen.data}
            for o in self.looked
        )

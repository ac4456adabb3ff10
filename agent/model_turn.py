"""One turn with a language model: limits, evidence, proposals. Knows no LangChain.

The planner hands every tool call of the model to :meth:`ModelTurn.call`; what comes back is text
for the model, already masked, marked as data, and trimmed (the rest can be paged).
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from agent.disclosure import Disclosure
from agent.errors import BrainFailed
from agent.events import Action, Event, Looking, Proposed, Usage
from agent.record import canonical
from agent.settings import ModelSettings
from agent.toolbox import Looked
from agent.turn import Turn
from tools.contract import Call, Json
from tools.errors import ToolError

RESULT_CHARS = 4000
"""What the model sees of one result; ``more_of`` pages the rest."""
REPEATS = 2
"""How often the same call may be made in one turn."""


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
    _spilled: dict[str, str] = field(default_factory=dict[str, str])
    _begin: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        recent = [line.call.tool for line in self.turn.history[-30:] if line.call]
        self.listed = self.disclosure.first(self.turn.message.text, recent)

    def call(self, name: str, args: Mapping[str, Any]) -> str:
        """Look or propose; the text the model reads. Raises ``BrainFailed`` on endless repeats."""
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
        looked = self.turn.toolbox.look_all([call], self.turn.lang)[0]
        with self._lock:
            self.looked.append(looked)
        self.events.put(looked.seen)
        return self._shown(looked)

    def _propose(self, call: Call) -> str:
        try:
            action = self.turn.toolbox.propose(call, self.turn.message)
        except ToolError as error:
            return f"Not proposed: {error.en}"
        with self._lock:
            new = action.number not in [a.number for a in self.actions]
            if new:
                self.actions.append(action)
        if new:
            self.events.put(Proposed(action))
        return (
            f"Proposed as action {action.number}; it waits for a person. Nothing has changed. "
            f"⟦{action.plan.title}⟧"
        )

    def _shown(self, looked: Looked) -> str:
        text = looked.seen.text.replace("⟦", "[").replace("⟧", "]")
        if len(text) <= RESULT_CHARS:
            return f"⟦{text}⟧"
        with self._lock:
            name = f"result-{len(self._spilled) + 1}"
            self._spilled[name] = text
        rest = len(text) - RESULT_CHARS
        return f"⟦{text[:RESULT_CHARS]}⟧ ({rest} more characters: more_of {name!r}, part 2)"

    def more_of(self, result: str, part: int) -> str:
        """A further page of a long result."""
        text = self._spilled.get(result)
        if text is None:
            return f"There is no {result!r}."
        begin = (max(1, part) - 1) * RESULT_CHARS
        page = text[begin : begin + RESULT_CHARS]
        parts = -(-len(text) // RESULT_CHARS)
        return f"⟦{page}⟧ (part {part} of {parts})" if page else f"It has {parts} parts."

    def find_tools(self, need: str) -> str:
        """List further tools for what is needed."""
        found = [n for n in self.disclosure.rank(need, 8) if n not in self.listed]
        with self._lock:
            self.listed += found
        tools = self.turn.toolbox.tools
        lines = [f"{n}: {tools[n].summary}" for n in found]
        return "Now listed:\n" + "\n".join(lines) if lines else "No other tool fits; say so."

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

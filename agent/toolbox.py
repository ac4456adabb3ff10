"""What a planner may do: look, and propose. The only way from thinking to tools.

Reading tools run in parallel, each with a deadline; what fails becomes one line, never an
exception. Changing tools only ever become proposals.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import cast

from agent.door import Door
from agent.events import Action, Actor, Message, Seen
from agent.record import canonical
from agent.redaction import mask, mask_json, visible
from tools.contract import Call, Effect, Finding, Json, Tool, as_json
from tools.errors import ToolError, Unavailable, unknown
from tools.words import Lang
from tools.world import World

LOOK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Looked:
    """The result of a reading tool: the finding or the error, and the event that shows it."""

    call: Call
    result: Finding | ToolError
    seen: Seen


@dataclass(frozen=True, slots=True)
class Toolbox:
    """Tools as one conversation turn sees them."""

    tools: Mapping[str, Tool]
    world: World
    door: Door
    seconds: float = LOOK_SECONDS

    def is_change(self, name: str) -> bool:
        """Whether the tool needs a person's yes. Unknown tools count as changes."""
        tool = self.tools.get(name)
        return tool is None or tool.effect is not Effect.READ

    def accepts(self, name: str) -> tuple[str, ...]:
        """The argument names of a tool."""
        tool = self.tools.get(name)
        return tuple(p.name for p in tool.parameters) if tool else ()

    def look_all(self, calls: Sequence[Call], lang: Lang) -> list[Looked]:
        """Run reading tools side by side; results in the order asked."""
        began = time.monotonic()
        futures = [self._start(call) for call in calls]
        return [self._collect(c, f, began, lang) for c, f in zip(calls, futures, strict=True)]

    def _patience(self, name: str) -> float:
        tool = self.tools.get(name)
        return max(self.seconds, (tool.seconds or 0.0) if tool else 0.0)

    def propose(self, call: Call, message: Message) -> Action:
        """Propose a change on behalf of the message's author; once per message and call."""
        key = f"{message.conversation}/{message.id}/{canonical([call.tool, dict(call.args)])}"[:300]
        return self.door.propose(call, message.actor, message.conversation, key)

    def propose_for(self, call: Call, requester: Actor, conversation: str, key: str) -> Action:
        """Propose a change that follows from an earlier one."""
        return self.door.propose(call, requester, conversation, key[:300])

    def _start(self, call: Call) -> Future[Finding]:
        future: Future[Finding] = Future()

        def body() -> None:
            try:
                future.set_result(self._read(call))
            except BaseException as error:  # noqa: BLE001  handed to whoever waits
                future.set_exception(error)

        # Daemon threads: a tool that hangs must not keep the process from ending.
        threading.Thread(target=body, name=f"look-{call.tool}", daemon=True).start()
        return future

    def _read(self, call: Call) -> Finding:
        tool = self.tools.get(call.tool)
        if tool is None:
            raise unknown("tool", call.tool, self.tools, "工具")
        if tool.read is None:
            raise Unavailable(f"{call.tool} changes something; it can only be proposed.")
        return tool.read(self.world, **tool.arguments(call.args))

    def _collect(self, call: Call, future: Future[Finding], began: float, lang: Lang) -> Looked:
        begin, seconds = time.monotonic(), self._patience(call.tool)
        result: Finding | ToolError
        try:
            result = future.result(timeout=max(0.01, began + seconds - time.monotonic()))
        except TimeoutError:
            result = Unavailable(
                f"{call.tool} did not answer within {seconds:g} s.",
                f"{call.tool} 在 {seconds:g} 秒内没有回应。",
            )
        except ToolError as error:
            result = error
        except Exception as error:  # noqa: BLE001  a tool's bug costs its evidence, not the answer
            said = f"{call.tool} broke: {type(error).__name__}: {mask(str(error))[:200]}"
            result = Unavailable(said)
        text = visible(mask(result.say(lang)))
        ok = not isinstance(result, ToolError)
        data = mask_json(as_json(result)) if ok else cast("Json", {"error": text})
        return Looked(call, result, Seen(call, text, data, ok, time.monotonic() - begin))

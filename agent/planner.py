# pyright: basic, reportArgumentType=false, reportOptionalMemberAccess=false, reportAttributeAccessIssue=false
# LangChain's generics cannot be typed strictly; this is the only file that knows it.
"""Thinking with a language model: LangChain's agent loop over the toolbox.

When the endpoint fails in any way, the embedded planner goes on in the same turn with what was
gathered, and the person is told in one line; when it heals, that is told as well.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import prompts
from agent.disclosure import Disclosure
from agent.endpoint import answered, check, check_arguments, explain
from agent.errors import BrainFailed
from agent.events import Event, Notice, Replace, Reply, Text
from agent.history import Piece
from agent.model_turn import ModelTurn
from agent.redaction import mask
from agent.settings import ModelSettings
from agent.turn import Planner, Turn
from tools.contract import Tool
from tools.fleet import Fleet

REST_SECONDS = 30.0
"""How long a failed endpoint is left alone before it is tried again."""


@dataclass
class ModelPlanner:
    """The language model, with another planner behind it."""

    settings: ModelSettings
    offline: Planner
    fleet: Fleet
    home: Path
    rest_seconds: float = REST_SECONDS
    _disclosure: Disclosure | None = None
    _failed_at: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, turn: Turn) -> Iterator[Event]:
        """Answer with the model; take over with the embedded planner when it fails."""
        zh = turn.lang == "zh"
        if self._failed_at is not None and time.monotonic() - self._failed_at < self.rest_seconds:
            yield Notice(
                "语言模型仍不可用，由内置规划器回答。"
                if zh
                else "The language model rests after its failure; the embedded planner answers."
            )
            yield from self.offline.run(turn)
            return
        state = ModelTurn(turn, self.settings, self._tools_index(turn), queue.SimpleQueue())
        streamed: list[str] = []
        try:
            yield from self._think(state, streamed)
        except BrainFailed as error:
            yield from self._take_over(turn, state, streamed, error)
            return
        finally:
            state.stopped.set()
        if self._failed_at is not None:
            self._failed_at = None
            yield Notice("语言模型已恢复。" if zh else "The language model answers again.")
        text = mask("".join(streamed)).strip()
        numbers = tuple(a.number for a in state.actions)
        yield Reply(text, "model", numbers, usage=state.usage, data=state.data())

    def _take_over(
        self, turn: Turn, state: ModelTurn, streamed: list[str], error: BrainFailed
    ) -> Iterator[Event]:
        self._failed_at = time.monotonic()
        if streamed:
            yield Replace()
        tail = "由内置规划器继续。" if turn.lang == "zh" else "The embedded planner carries on."
        yield Notice(f"{error.say(turn.lang)} {tail}")
        rest = Turn(turn.message, turn.history, turn.toolbox, turn.lang, tuple(state.looked))
        yield from self.offline.run(rest)

    def _think(self, state: ModelTurn, streamed: list[str]) -> Iterator[Event]:
        """Run the agent loop in a thread and yield what it reports, as it comes."""

        def work() -> None:
            try:
                _loop(state, self.settings, self._messages(state.turn))
            except BaseException as error:  # noqa: BLE001  handed to the consuming thread
                state.events.put(error)
            state.events.put(None)

        threading.Thread(target=work, name="model", daemon=True).start()
        while (event := state.events.get()) is not None:
            if isinstance(event, BaseException):
                raise explain(event) from None
            if isinstance(event, Text):
                streamed.append(event.text)
                event = Text(mask(event.text))
            if isinstance(event, Replace):
                streamed.clear()
            yield event
        if not "".join(streamed).strip() and not state.actions:
            raise BrainFailed("The language model sent an empty answer.", "语言模型返回了空回答。")

    def _messages(self, turn: Turn) -> list[dict[str, str]]:
        facts = prompts.render(
            "facts",
            now=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            fleet=self.fleet.name,
            deployments=", ".join(self.fleet.deployments) or "none",
            models=", ".join(self.fleet.models) or "none",
        )
        now = {"role": "user", "content": f"{mask(turn.message.text)}\n{facts}"}
        return [{"role": "system", "content": prompts.render("system")}, now]

    def _tools_index(self, turn: Turn) -> Disclosure:
        with self._lock:
            if self._disclosure is None:
                self._disclosure = Disclosure(turn.toolbox.tools)
            return self._disclosure


def _loop(state: ModelTurn, settings: ModelSettings, messages: list[dict[str, str]]) -> None:
    from langchain.agents import create_agent
    from langchain_core.messages import AIMessageChunk

    system, now = messages
    agent = create_agent(
        _model(settings),
        [_tool(state, t) for t in state.turn.toolbox.tools.values()] + _extras(state),
        system_prompt=system["content"],
        middleware=[_gate(state)],
    )
    config = {"recursion_limit": settings.max_steps * 2 + 10}
    for mode, payload in agent.stream(
        {"messages": [now]}, config=config, stream_mode=["messages", "updates"]
    ):
        if state.stopped.is_set():
            return
        if mode == "messages" and isinstance(payload[0], AIMessageChunk):
            text = str(payload[0].text)
            if text:
                state.events.put(Text(text))


def _model(settings: ModelSettings) -> Any:
    import httpx
    from langchain_openai import ChatOpenAI

    class StrictChat(ChatOpenAI):
        """LangChain repairs truncated arguments while streaming; a repaired call is a guess."""

        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
            raw: dict[int, tuple[str, str]] = {}
            for chunk in super()._stream(*args, **kwargs):
                for part in getattr(chunk.message, "tool_call_chunks", ()):
                    index = part["index"] or 0
                    name, text = raw.get(index, ("", ""))
                    raw[index] = (name + (part["name"] or ""), text + (part["args"] or ""))
                yield chunk
            for name, text in raw.values():
                check_arguments(name, text)

    return StrictChat(
        model=settings.name,
        base_url=settings.base_url,
        api_key=settings.api_key,
        timeout=httpx.Timeout(settings.timeout, connect=min(5.0, settings.timeout)),
        max_retries=0,
        stream_usage=True,
        streaming=True,
    )


def _tool(state: ModelTurn, tool: Tool) -> Any:
    from langchain_core.tools import StructuredTool

    def call(**arguments: Any) -> tuple[str, Piece]:
        given = {k: v for k, v in arguments.items() if v is not None}
        return "", state.call(tool.name, given)

    return StructuredTool.from_function(
        call,
        name=tool.name,
        description=tool.summary,
        args_schema=tool.schema(),
        response_format="content_and_artifact",
    )


def _extras(state: ModelTurn) -> list[Any]:
    from langchain_core.tools import StructuredTool

    def find_tools(need: str) -> tuple[str, Piece]:
        return "", state.find_tools(need)

    def more_of(result: int, start: int) -> tuple[str, Piece]:
        return "", state.more_of(result, start)

    text, number = {"type": "string"}, {"type": "integer"}
    wanted = {find_tools: {"need": text}, more_of: {"result": number, "start": number}}
    return [
        StructuredTool.from_function(
            function,
            name=function.__name__,
            description=prompts.render(function.__name__),
            args_schema=_object(parameters),
            response_format="content_and_artifact",
        )
        for function, parameters in wanted.items()
    ]


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def _gate(state: ModelTurn) -> Any:
    from langchain.agents.middleware import AgentMiddleware

    class Gate(AgentMiddleware):
        """Lists only what the request needs; turns every fault of the endpoint into one error."""

        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            listed = {*state.listed, "find_tools", *(["more_of"] if state.evidence else [])}
            shown = [t for t in request.tools if getattr(t, "name", "") in listed]
            state.within_limits()
            step = request.override(tools=shown, messages=_step(state, request.messages))
            response = answered(lambda: handler(step), state)
            message = response.result[-1]
            used = message.usage_metadata or {}
            cached = (used.get("input_token_details") or {}).get("cache_read", 0)
            state.spent(used.get("input_tokens", 0), used.get("output_tokens", 0), cached)
            check(message, state)
            return response

    return Gate()


def _step(state: ModelTurn, messages: Sequence[Any]) -> list[Any]:
    """The messages of one step: only the newest calls stay calls, all before them become text."""
    from langchain_core.messages import AIMessage, HumanMessage

    now, *since = messages
    newest = max((n for n, m in enumerate(since) if m.type == "ai"), default=0)
    earlier = [m.artifact for m in since[:newest] if m.type == "tool"]
    last = [m for m in since[newest:] if m.type == "tool"]
    step = state.step(earlier, [m.artifact for m in last])
    past = [(HumanMessage if s.role == "user" else AIMessage)(s.text) for s in step.past]
    if step.earlier:
        now = HumanMessage(f"{now.content}\n[looked in this turn]\n{step.earlier}")
    if not step.results:
        return [*past, now]
    told = [m.model_copy(update={"content": t}) for m, t in zip(last, step.results, strict=True)]
    return [*past, now, since[newest], *told]

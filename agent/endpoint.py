"""A language model's endpoint: what counts as an answer, what is tried again, what went wrong.

Every fault becomes one :class:`agent.errors.BrainFailed`, upon which the embedded planner takes
over. Knows no LangChain: messages are looked at by the names of their parts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from agent.errors import BrainFailed
from agent.events import Replace
from agent.model_turn import ModelTurn

T = TypeVar("T")
RETRIES = 1
"""Further attempts on a refused connection, HTTP 429 and 5xx, before the takeover."""


def answered(ask: Callable[[], T], state: ModelTurn) -> T:
    """What the endpoint answers, asked again where a second try may help; else ``BrainFailed``."""
    for attempt in range(RETRIES + 1):
        try:
            return ask()
        except Exception as error:  # noqa: BLE001  only the endpoint's client runs in here
            status = getattr(error, "status_code", None) or 0
            again = status == 429 or status >= 500 or type(error).__name__ == "APIConnectionError"
            if not again or attempt == RETRIES or state.stopped.wait(0.3):
                raise explain(error) from None
            state.events.put(Replace())
    raise AssertionError("unreachable")


def check_arguments(name: str, text: str) -> None:
    """Raise ``BrainFailed`` where a call's arguments are not one JSON object."""
    try:
        sound = isinstance(json.loads(text or "{}"), dict)
    except ValueError:
        sound = False
    if not sound:
        raise BrainFailed(
            f"The language model sent arguments for {name} that are not a JSON object.",
            f"语言模型为 {name} 给出的参数不是 JSON 对象。",
        )


def check(message: Any, state: ModelTurn) -> None:
    """Raise ``BrainFailed`` for a message that the agent loop could only misread."""
    for call in message.invalid_tool_calls:
        check_arguments(str(call.get("name")), str(call.get("args")))
    known = {*state.turn.toolbox.tools, "find_tools", "more_of"}
    for call in message.tool_calls:
        if call["name"] not in known:
            raise BrainFailed(
                f"The language model called {call['name']!r}, which does not exist.",
                f"语言模型调用了不存在的工具 {call['name']!r}。",
            )
    if not message.tool_calls and not message.text.strip() and not state.actions:
        raise BrainFailed("The language model sent an empty answer.", "语言模型返回了空回答。")


def explain(error: BaseException) -> BrainFailed:
    """One line about what the endpoint did, from whatever the client library raised."""
    if isinstance(error, BrainFailed):
        return error
    name, status = type(error).__name__, getattr(error, "status_code", None)
    known: Sequence[tuple[bool, str, str]] = (
        ("Timeout" in name, "did not answer in time", "没有按时回应"),
        ("Connection" in name or "RemoteProtocol" in name, "cannot be reached", "无法连接"),
        (status == 429, "limits the rate (HTTP 429)", "限制了请求频率（HTTP 429）"),
        (status in (401, 403), f"refuses the key (HTTP {status})", f"拒绝了密钥（HTTP {status}）"),
        (status == 404, "does not know the model (HTTP 404)", "不认识该模型（HTTP 404）"),
        (bool(status), f"failed (HTTP {status})", f"出错（HTTP {status}）"),
    )
    for applies, en, zh in known:
        if applies:
            return BrainFailed(f"The language model endpoint {en}.", f"语言模型服务{zh}。")
    return BrainFailed(
        f"The language model endpoint sent something that is not an answer ({name}).",
        f"语言模型服务返回的内容无法识别（{name}）。",
    )

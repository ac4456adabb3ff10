"""An alert's question, answered as any other, and the change its diagnosis recommends, proposed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from agent.assistant import Assistant
from agent.events import Event, Message, Proposed, Reply, Seen
from agent.say import proposal_line
from tools.contract import Call
from tools.errors import ToolError
from tools.words import Lang

_WOULD_BE = ("Change to propose:", "可提议的变更：")
"""What a diagnosis says of a change that is proposed now."""


def investigate(assistant: Assistant, message: Message) -> Iterator[Event]:
    """``Assistant.handle``; where nothing was proposed, the recommended change is.

    Safe to run again: the proposal's key is the message, so that it is made once.
    """
    recommended: Call | None = None
    proposed = looked = False
    for event in assistant.handle(message):
        if isinstance(event, Seen):
            recommended = _recommended(event) or recommended
            looked = True
        proposed = proposed or isinstance(event, Proposed)
        if isinstance(event, Reply) and not looked:
            recommended = _looked_before(assistant, message)
        if isinstance(event, Reply) and recommended and not (proposed or event.proposed):
            yield from _offer(assistant, message, recommended, event)
        else:
            yield event


def _offer(assistant: Assistant, message: Message, call: Call, reply: Reply) -> Iterator[Event]:
    lang = cast("Lang", assistant.door.fleet.language)
    try:
        action = assistant.toolbox.propose(call, message)
    except ToolError as error:
        why = f"无法提议 {call.tool}：" if lang == "zh" else f"{call.tool} cannot be proposed: "
        yield replace(reply, text=f"{reply.text}\n{why}{error.say(lang)}")
        return
    yield Proposed(action)
    said = [line for line in reply.text.split("\n") if not line.startswith(_WOULD_BE)]
    text = "\n".join([*said, proposal_line(action, lang)])
    yield replace(reply, text=text, proposed=(action.number,))


def _looked_before(assistant: Assistant, message: Message) -> Call | None:
    """A repeated answer brings no findings along: what it looked at is looked at once more."""
    for line in assistant.conversations.lines(message.conversation):
        if line.call and line.call.tool == "diagnose" and line.id.startswith(f"{message.id}/"):
            looked = assistant.toolbox.look_all([line.call], "en")[0]
            return _recommended(looked.seen)
    return None


def _recommended(seen: Seen) -> Call | None:
    if seen.call.tool != "diagnose" or not seen.ok or not isinstance(seen.data, Mapping):
        return None
    named: Any = seen.data.get("recommended")
    if not isinstance(named, Mapping):
        return None
    wanted = cast("Mapping[str, Any]", named)
    return Call(str(wanted["tool"]), dict(wanted["args"]))

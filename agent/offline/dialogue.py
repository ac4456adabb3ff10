"""Context over turns: answers to our questions, ``it``, ``the other one``, ``same for …``, corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.offline.mentions import Mention
from agent.offline.planning import Planner
from agent.offline.text import Text
from agent.offline.turns import Past, Understanding


class Conversation:
    """One message in the light of the turns before it."""

    def __init__(self, planner: Planner, past: Sequence[Past]) -> None:
        self._planner = planner
        self._past = tuple(past)

    @property
    def known(self) -> Mapping[str, str]:
        """Names the conversation is about, by kind of argument; the newest win."""
        found: dict[str, str] = {}
        for turn in reversed(self._past[-6:]):
            for call in reversed(turn.calls):
                tool = self._planner.parser.tools.get(call.tool)
                for parameter in tool.parameters if tool else ():
                    value = call.args.get(parameter.name)
                    if isinstance(value, str) and parameter.word:
                        found.setdefault(parameter.word, value)
        return found

    def follow(self, text: Text, mentions: Sequence[Mention]) -> Understanding | None:
        """The message as a continuation, or ``None`` when it stands on its own."""
        return None

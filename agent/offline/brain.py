"""The embedded planner: a request in English or Chinese becomes calls, a question, or a reply.

Derived from the declarations of the tools and the live names of the fleet; no language model.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.offline import dialogue, replies
from agent.offline.mentions import find
from agent.offline.names import Gazetteer, Names
from agent.offline.parse import Parser
from agent.offline.planning import Planner
from agent.offline.text import read
from agent.offline.turns import Past, Pending, Understanding
from tools.contract import Tool

__all__ = ["Brain", "Names", "Past", "Pending", "Understanding"]


class Brain:
    """Built once per catalogue and fleet; thread-safe to ask, because asking changes nothing."""

    def __init__(
        self,
        tools: Sequence[Tool],
        names: Names,
        parser: Parser | None = None,
    ) -> None:
        self._parser = parser or Parser(tools)
        self._names = names
        self._gazetteer = Gazetteer(names)
        self._planner = Planner(self._parser, names)

    def named(self, names: Names) -> Brain:
        """The same understanding with other live names; cheap."""
        return Brain(tuple(self._parser.tools.values()), names, self._parser)

    def understand(self, text: str, past: Sequence[Past] = ()) -> Understanding:
        """What a message asks for, given the turns before it.

        Never raises for any text; at worst it says that it did not understand.
        """
        message = read(text[:4000])
        if not message.low.strip():
            return Understanding(reply=replies.say("nothing", message.lang), lang=message.lang)
        lexicon = self._parser.lexicon
        mentions = find(message, self._gazetteer, lexicon.words, lexicon.strange)
        conversation = dialogue.Conversation(self._planner, past)
        return conversation.follow(message, mentions) or self._planner.plan(
            message, mentions, conversation.known
        )

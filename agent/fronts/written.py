"""The words of a scheduled summary: the agent's own, held against the facts; else the plain report."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from agent.events import Event, Message, Reply, Seen
from agent.fronts.grounding import Facts, ungrounded
from agent.redaction import mask
from tools.errors import ToolError
from tools.words import Lang

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """Writes one summary."""

    ask: Callable[[Message], Iterator[Event]]
    report: Callable[[str, Lang], str]
    """The report of a window, from typed facts alone."""
    language: Lang
    names: Callable[[], Collection[str]]

    def text(self, message: Message, window: str) -> str:
        """The answer to ``message``, or the report where it is unusable or invents something."""
        reply, seen = self._asked(message)
        if reply is None or not reply.text.strip() or reply.failed:
            return self.report(window, self.language)
        invented = self._invented(reply, seen)
        if not invented:
            return reply.text
        return f"{self.report(window, self.language)}\n\n{self._instead(invented)}"

    def _asked(self, message: Message) -> tuple[Reply | None, Sequence[Seen]]:
        reply: Reply | None = None
        seen: list[Seen] = []
        try:
            for event in self.ask(message):
                if isinstance(event, Reply):
                    reply = event
                elif isinstance(event, Seen) and event.ok:
                    seen.append(event)
        except ToolError as error:
            log.warning("%s: the agent failed: %s", message.conversation, mask(error.en))
        return reply, seen

    def _invented(self, reply: Reply, seen: Sequence[Seen]) -> list[str]:
        if reply.brain != "model":
            return []
        facts = Facts.of([one.text for one in seen], [one.data for one in seen], self.names())
        return ungrounded(mask(reply.text), facts)  # what is named must not name a secret

    def _instead(self, invented: Sequence[str]) -> str:
        said = ", ".join(invented[:3])
        log.warning("a written summary was not posted; not in the facts: %s", mask(said))
        if self.language == "zh":
            return f"（语言模型写的摘要提到了事实中没有的内容：{said}；因此发送以上报告。）"
        return f"(The language model's summary said what the facts do not: {said}. So this is the report.)"

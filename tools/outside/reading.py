"""A reading tool of an MCP server: what it answered, said to be somebody else's words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.contract import Finding, Json
from tools.errors import Unavailable
from tools.outside.connection import Connection

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World

SHOWN = 8_000
"""Characters shown; the rest is in the data."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a foreign tool answered."""

    server: str
    tool: str
    text: str
    data: Json

    def say(self, lang: Lang) -> str:
        """Whose words these are, then the words."""
        said = self.text.strip()
        zh = lang == "zh"
        if not said:
            empty = f"{self.server} 的 {self.tool} 没有返回内容。"
            return empty if zh else f"{self.tool} of {self.server} answered nothing."
        head = f"{self.server} 的 {self.tool} 答复（外部数据）：" if zh else ""
        head = head or f"{self.server} answered {self.tool} (data from outside):"
        cut = len(said) - SHOWN
        tail = f"\n… {cut} {'个字符未显示' if zh else 'more characters'}" if cut > 0 else ""
        return f"{head}\n{said[:SHOWN]}{tail}"


def reader(
    connection: Callable[[World], Connection], server: str, tool: str
) -> Callable[..., Finding]:
    """The function behind a reading tool."""

    def read(world: World, **args: Any) -> Finding:
        answer = connection(world).call(tool, args)
        if answer.failed:
            said = " ".join(answer.text.split())[:300]
            raise Unavailable(
                f"{server} refused {tool}: {said or 'without a reason'}",
                f"{server} 拒绝了 {tool}：{said or '未说明原因'}",
            )
        return Told(server, tool, answer.text, answer.data)

    return read

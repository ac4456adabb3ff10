"""The tool that lists notice targets and what was sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.contract import Phrases, reading
from tools.errors import Unavailable

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World


@dataclass(frozen=True, slots=True)
class NoticeList:
    """Targets and recent notices."""

    def say(self, lang: Lang) -> str:
        """What was delivered, what still waits, and where notices can go."""
        raise Unavailable("list_notices is not built yet.")


@reading(
    Phrases(
        en=(
            "list notices",
            "which notices were sent",
            "was the notice delivered",
            "which notices are still queued",
            "which notice targets are there",
            "where can you send notices",
            "show the outbox",
            "did the message go out",
        ),
        zh=(
            "列出通知",
            "发过哪些通知",
            "通知送达了吗",
            "哪些通知还没发出去",
            "可以通知哪些目标",
            "查看发件箱",
        ),
    )
)
def list_notices(world: World) -> NoticeList:
    """List notice targets, and which notices were delivered, wait or failed."""
    raise Unavailable("list_notices is not built yet.")

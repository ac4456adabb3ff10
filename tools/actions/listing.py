"""The tool that lists actions of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from tools.contract import Phrases, reading
from tools.errors import Unavailable
from tools.words import Word

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World

ActionState = Annotated[
    Literal[
        "proposed",
        "approved",
        "applying",
        "applied",
        "verified",
        "rejected",
        "expired",
        "stale",
        "failed",
        "unverified",
        "unknown",
        "undone",
        "open",
    ],
    Word("action_state"),
    Field(description="proposed = waits for approval; open = not ended yet"),
]


@dataclass(frozen=True, slots=True)
class ActionList:
    """Actions in one state, or the newest of all."""

    state: str | None

    def say(self, lang: Lang) -> str:
        """How many, which, and where each stands."""
        raise Unavailable("list_actions is not built yet.")


@reading(
    Phrases(
        en=(
            "list actions",
            "show all actions",
            "what is waiting for approval",
            "what is waiting for my approval?",
            "pending proposals",
            "pending approvals",
            "which actions are {state}",
            "list {state} actions",
            "anything I have to sign off on",
            "what needs my approval",
            "show the approval queue",
            "which changes were proposed but not approved",
            "actions awaiting approval",
            "is anything waiting for me to approve",
            "what changes have you made",
            "what have you done so far",
            "what did you change today",
            "action log",
            "show the ledger",
            "is the request still waiting for approval",
        ),
        zh=(
            "列出操作",
            "操作列表",
            "操作记录",
            "有什么等着审批",
            "待审批的操作有哪些",
            "哪些变更还没批",
            "有哪些 {state} 的操作",
            "还有什么需要我批准的",
            "审批队列",
            "申请批了没",
            "有没有等我确认的变更",
            "你都做过哪些操作",
            "今天执行了哪些变更",
        ),
    )
)
def list_actions(world: World, state: ActionState | None = None) -> ActionList:
    """List proposed, approved and finished actions of the ledger."""
    raise Unavailable("list_actions is not built yet.")

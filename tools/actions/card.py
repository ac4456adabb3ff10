"""The tool that shows one action of the ledger as a card in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.contract import Phrases, reading
from tools.errors import Unavailable
from tools.words import ActionNumber

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World


@dataclass(frozen=True, slots=True)
class ActionCard:
    """One action: what, who, why, outcome and evidence."""

    number: int

    def say(self, lang: Lang) -> str:
        """The card."""
        raise Unavailable("show_action is not built yet.")


@reading(
    Phrases(
        en=(
            "show action {id}",
            "what was action {id}",
            "details of action {id}",
            "what would action {id} do",
            "did action {id} succeed",
            "open proposal {id}",
            "who approved action {id}",
            "why was action {id} rejected",
            "status of action {id}",
            "action {id}",
            "tell me about proposal {id}",
            "was action {id} applied",
            "what happened with action {id}",
            "has change {id} been applied",
        ),
        zh=(
            "看下操作 {id}",
            "{id} 号操作是什么",
            "操作 {id} 的详情",
            "操作 {id} 成功了吗",
            "谁批准了操作 {id}",
            "如果批准操作 {id} 会发生什么",
            "显示操作 {id} 的内容",
            "{id} 号提议是什么",
            "操作 {id} 为什么被拒绝",
            "第 {id} 号操作执行了吗",
        ),
    )
)
def show_action(world: World, id: ActionNumber) -> ActionCard:
    """Show one action: its preview, who asked, who decided, outcome and evidence."""
    raise Unavailable("show_action is not built yet.")

"""The tool that explains an XID code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.contract import Phrases, reading
from tools.words import XidCode

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World


@dataclass(frozen=True, slots=True)
class XidExplanation:
    """What a code means and what to do."""

    code: int

    def say(self, lang: Lang) -> str:
        """Meaning, action, disagreement, next check."""
        raise NotImplementedError


@reading(
    Phrases(
        en=(
            "what does xid {code} mean",
            "explain xid {code}",
            "xid {code}?",
            "the kernel log says NVRM Xid {code}, is that bad",
            "we got an xid {code} on a gpu node, what is it",
            "is xid {code} a hardware fault or an application bug?",
            "what should I do about xid {code}",
            "does xid {code} need a drain or can it wait",
            "tell me about nvidia error code {code}",
            "gpu xid error {code}",
        ),
        zh=(
            "xid {code} 是什么意思",
            "解释一下 Xid {code}",
            "内核日志里报了 Xid {code}，严重吗？",
            "显卡报 xid {code} 怎么处理",
            "Xid {code} 是硬件问题还是程序问题",
            "出了 xid {code} 需要排空节点吗",
            "xid {code} 怎么办",
        ),
    )
)
def explain_xid(world: World, code: XidCode) -> XidExplanation:
    """Explain an NVIDIA XID error code: meaning, immediate action, what to check next."""
    raise NotImplementedError

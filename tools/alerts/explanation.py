"""The tool that explains an XID code, or an SXid of an NVSwitch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tools.alerts.sightings import sightings
from tools.alerts.wording import wrap
from tools.alerts.xids import SWITCH, Words, Xid, action, switch_advice, sxid, xid
from tools.contract import Phrases, reading
from tools.words import XidCode

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World


_FIRM = frozenset({"RESET_GPU", "RESTART_BM", "RESTART_VM", "WORKFLOW_XID_48"})
_LENIENT = frozenset({"IGNORE", "RESTART_APP", "WORKFLOW_XID_45"})
_WEEK = timedelta(days=7)
_NO_BUCKET = Words(
    "no bucket is published; watch it and keep the log", "没有公开的处理类别；观察并保留日志"
)


@dataclass(frozen=True, slots=True)
class XidExplanation:
    """What a code means, what to do, where sources differ, and what happened here before."""

    code: int
    known: bool
    mnemonic: str
    kind: str
    meaning: Words
    immediate: Words
    """NVIDIA's bucket for the first response, in our words."""
    investigatory: Words | None
    second_opinion: Words | None
    """What another published catalogue asks for."""
    differ: bool
    check: Words
    sightings: int
    """How often it was seen here in seven days, in the kernel log and in alerts."""
    devices: tuple[str, ...]
    last_seen: datetime | None
    escalation: Words | None
    missing: Words | None = None

    @property
    def label(self) -> str:
        """The code as people write it."""
        return f"{'SXid' if self.kind == SWITCH else 'XID'} {self.code}"

    def say(self, lang: Lang) -> str:
        """Meaning, action, disagreement, next check, history."""
        zh = lang == "zh"
        if not self.known:
            said = (
                f"{self.label} 不在 NVIDIA 公开目录中。保留内核日志和 nvidia-bug-report，联系厂商。"
                if zh
                else f"{self.label} is not in NVIDIA's published catalogue. Keep the kernel log "
                "and nvidia-bug-report output, and ask the vendor."
            )
            return "\n".join(wrap(said))
        name = f" ({self.mnemonic})" if self.mnemonic else ""
        lines = wrap(f"{self.label}{name}: {_in(self.meaning, lang)}")
        lines += wrap(
            ("现在：" if zh else "Now: ") + _in(self.immediate, lang) + ("。" if zh else ".")
        )
        if self.investigatory not in (None, self.immediate):
            assert self.investigatory is not None
            head = "之后：" if zh else "Then: "
            lines += wrap(head + _in(self.investigatory, lang) + ("。" if zh else "."))
        if self.differ and self.second_opinion is not None:
            lines += wrap(
                f"来源不一致：NVIDIA 的建议如上；gpud 建议{self.second_opinion.zh}。"
                "默认按 NVIDIA，重复出现时升级。"
                if zh
                else f"Sources differ: NVIDIA says the above; gpud would {self.second_opinion.en}. "
                "Follow NVIDIA first, and escalate when it repeats."
            )
        lines += wrap(("下一步检查：" if zh else "Check next: ") + _in(self.check, lang))
        lines += wrap(self._history(lang))
        if self.escalation is not None:
            lines += wrap(_in(self.escalation, lang))
        return "\n".join(lines)

    def _history(self, lang: Lang) -> str:
        zh = lang == "zh"
        if self.missing is not None and not self.sightings:
            return ("本机历史未知：" if zh else "History here is unknown: ") + _in(
                self.missing, lang
            )
        if not self.sightings:
            return "最近 7 天这里没有出现过。" if zh else "It was not seen here in the last 7 days."
        where = ", ".join(self.devices[:4]) or "?"
        last = f"{self.last_seen:%Y-%m-%d %H:%M} UTC" if self.last_seen else "?"
        if zh:
            return f"最近 7 天这里出现 {self.sightings} 次（{where}），最近一次 {last}。"
        times = "once" if self.sightings == 1 else f"{self.sightings} times"
        return f"Seen here {times} in 7 days (on {where}), last at {last}."


def _in(words: Words, lang: Lang) -> str:
    return words.zh if lang == "zh" else words.en


def _joined(buckets: tuple[str, ...]) -> Words | None:
    if not buckets:
        return None
    each = [action(b) for b in buckets]
    return Words(", then ".join(w.en for w in each), "，然后".join(w.zh for w in each))


def _differ(entry: Xid) -> bool:
    second = set(entry.second_actions)
    harsh = bool(second & {"RebootSystem", "HardwareInspection"})
    if entry.immediate in _LENIENT:
        return harsh
    return entry.immediate in _FIRM and entry.known and not harsh


def _escalation(entry: Xid, devices: Counter[str]) -> Words | None:
    """A second time on one GPU changes the advice; the same on many points elsewhere."""
    if entry.kind == "information" or not devices:
        return None
    device, times = devices.most_common(1)[0]
    if times >= 2 and entry.kind == "application":
        return Words(
            f"It hit {device} {times} times: run dcgmi diag -r 3 on that GPU before blaming programs.",
            f"{device} 已出现 {times} 次：先对该 GPU 运行 dcgmi diag -r 3，再怀疑程序。",
        )
    if times >= 2:
        return Words(
            f"It hit {device} {times} times in 7 days: stop resetting; run dcgmi diag -r 3, "
            "and have the GPU inspected or replaced.",
            f"{device} 7 天内出现 {times} 次：不要再反复复位；运行 dcgmi diag -r 3 并检修或换卡。",
        )
    if len(devices) >= 3:
        return Words(
            f"It hit {len(devices)} GPUs: look for one cause (driver, program, power) first.",
            f"{len(devices)} 块 GPU 都出现：先找共同原因（驱动、程序、供电）。",
        )
    return None


def _switch(world: World, code: int) -> XidExplanation:
    """An SXid: five digits, from the switch between the GPUs."""
    entry = sxid(code)
    seen = sightings(world, code, SWITCH)
    now, check = switch_advice(entry.scope)
    return XidExplanation(
        code,
        entry.known,
        entry.name,
        SWITCH,
        Words(entry.en, entry.zh),
        now,
        None,
        None,
        False,
        check,
        len(seen.times),
        tuple(device for device, _ in seen.devices.most_common()),
        max(seen.times, default=None),
        None,
        seen.missing,
    )


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
            "explain sxid {code}",
            "what does sxid {code} mean",
        ),
        zh=(
            "xid {code} 是什么意思",
            "解释一下 Xid {code}",
            "内核日志里报了 Xid {code}，严重吗？",
            "显卡报 xid {code} 怎么处理",
            "Xid {code} 是硬件问题还是程序问题",
            "出了 xid {code} 需要排空节点吗",
            "xid {code} 怎么办",
            "sxid {code} 是什么意思",
        ),
    )
)
def explain_xid(world: World, code: XidCode) -> XidExplanation:
    """Explain an NVIDIA XID or SXid error code: meaning, immediate action, what to check next."""
    if code > 1000:
        return _switch(world, code)
    entry = xid(code)
    seen = sightings(world, code)
    return XidExplanation(
        code,
        entry.known,
        entry.mnemonic,
        entry.kind,
        Words(entry.en, entry.zh),
        action(entry.immediate) if entry.immediate else _NO_BUCKET,
        action(entry.investigatory) if entry.investigatory else None,
        _joined(entry.second_actions),
        _differ(entry),
        entry.check,
        len(seen.times),
        tuple(device for device, _ in seen.devices.most_common()),
        max(seen.times, default=None),
        _escalation(entry, seen.devices),
        seen.missing,
    )

"""The tool that diagnoses an alert or a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.alerts.wording import clock, wrap
from tools.alerts.xids import Words
from tools.columns import clip
from tools.contract import Call, Phrases, reading
from tools.words import Alert, Target

if TYPE_CHECKING:
    from tools.alerts.collect.base import Subject
    from tools.alerts.diagnosis import Evidence, Suspect, Verdict
    from tools.words import Lang
    from tools.world import World


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Ranked causes with the evidence for them, what was checked and what could not be."""

    subject: str
    kind: str
    verdict: Verdict
    playbook: str
    suspects: tuple[Suspect, ...]
    symptoms: tuple[Evidence, ...]
    """What is visibly wrong, whatever its cause; empty for alerts and healthy targets."""
    checked: tuple[Words, ...]
    missing: tuple[Words, ...]
    next_check: Words | None
    remedy: Words | None
    risk: str
    recommended: Call | None
    """The change that fits, to be proposed; nothing is changed by a diagnosis."""
    firing: bool | None = None
    """For alerts: whether it fires now."""
    incident: int | None = None
    idle: bool = False
    """A deployment of which no replica is wanted: it can be neither slow nor broken."""
    follows: str = ""
    """The alert that was asked about, when the subject is the one it follows from."""
    confirmed: str | None = None
    """The cause a person confirmed for this incident, if somebody did."""

    def say(self, lang: Lang) -> str:
        """The most likely cause first, then evidence, gaps, next check, recommended change."""
        zh = lang == "zh"
        first = self._first_zh() if zh else self._first_en()
        if self.follows:
            said = (
                f"{self.follows} 由 {self.subject} 引起。"
                if zh
                else (f"{self.follows} follows from {self.subject}, which is diagnosed here.")
            )
            first = f"{said}{'' if zh else ' '}{first}"
        lines = wrap(first)
        if self.symptoms:
            lines += _quotes("现象：" if zh else "What is wrong:", self.symptoms, lang)
        if self.suspects and self.verdict != "healthy":
            lines += self._evidence(lang)
            lines += self._others(lang)
        if self.verdict in ("healthy", "unknown"):
            lines += _bullets("我检查了：" if zh else "What I checked:", self.checked, lang)
        if self.missing:
            head = "未能收集：" if zh else "Could not collect:"
            lines += _bullets(head, self.missing, lang)
        if self.next_check is not None:
            lines += wrap(("下一步检查：" if zh else "Next check: ") + _in(self.next_check, lang))
        lines += self._advice(lang)
        return "\n".join(lines)

    @property
    def name_zh(self) -> str:
        """The subject in Chinese."""
        kind, _, name = self.subject.partition(" ")
        if kind == "this":
            return f"本机（{name.partition('(')[2].rstrip(')')}）"
        word = {"deployment": "部署", "job": "任务", "node": "节点"}.get(kind)
        return f"{word} {name}" if word and name else self.subject

    def _first_en(self) -> str:
        if self.verdict == "healthy" and self.kind == "alert":
            fires = "fires" if self.firing else "does not fire"
            return f"{self.subject} {fires}, and I see nothing wrong with what it is about."
        if self.idle and self.verdict in ("healthy", "unknown"):
            return f"{self.subject} serves nothing: no replica is wanted. Roll a version out first."
        if self.verdict == "healthy":
            return f"{self.subject} looks healthy; nothing points to a fault."
        if self.verdict == "unknown":
            if self.firing is False:
                return f"{self.subject} is not firing, and nothing of it shows here now."
            return f"Unknown: nothing I could collect explains {self.subject}."
        top = self.suspects[0]
        if self.verdict == "cause":
            return f"Most likely ({top.confidence:.0%}): {top.en}. This is about {self.subject}."
        two = " or ".join(f"{s.en} ({s.confidence:.0%})" for s in self.suspects[:2])
        return f"Not certain for {self.subject}: {two}."

    def _first_zh(self) -> str:
        if self.verdict == "healthy" and self.kind == "alert":
            return (
                f"{self.name_zh} {'正在触发' if self.firing else '没有触发'}，但其对象看不出问题。"
            )
        if self.idle and self.verdict in ("healthy", "unknown"):
            return f"{self.name_zh} 没有运行：期望副本数为 0。请先发布一个版本。"
        if self.verdict == "healthy":
            return f"{self.name_zh} 看起来正常，没有发现故障迹象。"
        if self.verdict == "unknown":
            if self.firing is False:
                return f"{self.name_zh} 当前没有触发，这里也看不到相关迹象。"
            return f"原因不明：收集到的信息都无法解释 {self.name_zh}。"
        top = self.suspects[0]
        if self.verdict == "cause":
            return f"最可能（{top.confidence:.0%}）：{top.zh}。对象：{self.name_zh}。"
        two = "，或 ".join(f"{s.zh}（{s.confidence:.0%}）" for s in self.suspects[:2])
        return f"{self.name_zh} 尚不确定：{two}。"

    def _evidence(self, lang: Lang) -> list[str]:
        quoted = [e for s in self.suspects[:1] for e in s.evidence]
        if not quoted:
            return []
        return _quotes("证据：" if lang == "zh" else "Evidence:", tuple(quoted), lang)

    def _others(self, lang: Lang) -> list[str]:
        rest = self.suspects[1:] if self.verdict == "cause" else self.suspects[2:]
        if self.verdict == "unknown":
            rest = self.suspects
        if not rest:
            return []
        zh = lang == "zh"
        listed = ("；" if zh else "; ").join(
            f"{s.zh if zh else s.en} ({s.confidence:.0%})" for s in rest[:3]
        )
        if self.verdict == "unknown":
            return wrap(("凭经验可能是：" if zh else "By experience it may be: ") + listed)
        return wrap(("其他可能：" if zh else "Also possible: ") + listed)

    def _advice(self, lang: Lang) -> list[str]:
        lines: list[str] = []
        zh = lang == "zh"
        if self.remedy is not None:
            risk = f"（风险：{_RISKS[self.risk]}）" if zh else f" (risk: {self.risk})"
            lines += wrap(("建议：" if zh else "What helps: ") + _in(self.remedy, lang) + risk)
        if self.recommended is not None:
            args = ", ".join(f"{k}={v}" for k, v in self.recommended.args.items())
            call = f"{self.recommended.tool}({args})"
            lines += wrap(("可提议的变更：" if zh else "Change to propose: ") + call)
        if self.confirmed:
            lines.append(
                f"此事件的原因已确认：{self.confirmed}"
                if zh
                else f"Confirmed cause: {self.confirmed}"
            )
        return lines


_RISKS = {"none": "无", "low": "低", "medium": "中", "high": "高"}


def _in(words: Words, lang: Lang) -> str:
    return words.zh if lang == "zh" else words.en


def _quotes(head: str, items: tuple[Evidence, ...], lang: Lang) -> list[str]:
    lines = [head]
    for item in items:
        at = f"{clock(item.at)} " if item.at else ""
        said = item.quote_zh if lang == "zh" else item.quote
        lines.append(clip(f"- {at}[{item.source}] {said}"))
    return lines


def _bullets(head: str, items: tuple[Words, ...], lang: Lang) -> list[str]:
    return [head, *(clip(f"- {_in(item, lang)}") for item in items)]


@reading(
    Phrases(
        en=(
            "why is {target} slow?",
            "what is wrong with {target}",
            "diagnose {alert}",
            "why did {alert} fire?",
            "figure out why {target} keeps crashing",
            "root cause of {alert} please",
            "{target} is acting weird, investigate",
            "why is {target} stuck",
            "{target} is returning errors, what is going on?",
            "why does {target} keep restarting",
            "what tripped {alert}",
            "why did the rollout of {target} fail?",
            "why did {target} die",
            "diagnose this machine",
            "what is going on with {alert}",
        ),
        zh=(
            "{target} 为什么这么慢？",
            "{target} 出什么问题了",
            "诊断一下 {alert}",
            "诊断这台机器",
            "{alert} 为什么触发",
            "{target} 老是崩，帮我查查原因",
            "{alert} 的根因是什么",
            "排查一下 {target}",
            "{target} 为什么卡住了",
            "{target} 为什么一直重启",
            "{target} 一直报错，怎么回事",
            "{target} 怎么了",
        ),
    )
)
def diagnose(world: World, alert: Alert | None = None, target: Target | None = None) -> Diagnosis:
    """Diagnose an alert, deployment, job, node, GPU or this host: ranked causes with evidence."""
    # Loaded with the first diagnosis: collectors, signatures and playbooks are a tenth of a start.
    from tools.alerts.diagnosis import run
    from tools.alerts.subject import label_of, root_of, subject_of

    subject = subject_of(world, alert, target)
    result, follows = run(world, subject), ""
    above = root_of(world, subject) if result.verdict != "cause" else None
    if above is not None:  # its own evidence is not clear, and it is an effect of another alert
        follows, subject = label_of(subject), above
        result = run(world, subject)
    return Diagnosis(
        label_of(subject),
        subject.kind,
        result.verdict,
        result.playbook,
        result.suspects,
        result.symptoms,
        result.checked,
        result.missing,
        result.next_check,
        result.remedy,
        result.risk,
        result.recommended,
        _firing(subject),
        result.incident.number if result.incident else None,
        result.idle,
        follows,
        result.incident.cause if result.incident else None,
    )


def _firing(subject: Subject) -> bool | None:
    if subject.kind != "alert":
        return None
    return subject.alert is not None and subject.alert.state == "firing"

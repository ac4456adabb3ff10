"""The tool that diagnoses an alert or a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.contract import Phrases, reading
from tools.words import Alert, Target

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Ranked causes with the evidence for them."""

    subject: str

    def say(self, lang: Lang) -> str:
        """The most likely cause first, then evidence, gaps, next check, recommended change."""
        raise NotImplementedError


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
    raise NotImplementedError

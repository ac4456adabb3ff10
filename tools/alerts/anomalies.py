"""The tool that looks for anomalies in metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.contract import Phrases, reading
from tools.words import Metric, Window

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World


@dataclass(frozen=True, slots=True)
class AnomalyReport:
    """What stood out."""

    metric: str | None
    window: str

    def say(self, lang: Lang) -> str:
        """How many, where, when, how large."""
        raise NotImplementedError


@reading(
    Phrases(
        en=(
            "find anomalies",
            "find anomalies in {metric} over the last {window}",
            "anything unusual in {metric}?",
            "any weird spikes in {metric} past {window}",
            "look for outliers in {metric} in the last {window}",
            "did any metrics behave oddly in the last {window}?",
            "anomaly check on {metric}",
            "scan {metric} for anything strange since {window}",
            "is there something abnormal in {metric} the last {window}",
            "what looks abnormal today",
            "which metric changed suddenly",
        ),
        zh=(
            "找一下异常指标",
            "{metric} 最近 {window} 有没有异常",
            "检测 {metric} 的异常",
            "过去 {window} 有哪些指标不正常",
            "{metric} 有没有突刺",
            "看看 {metric} 有没有离群点",
            "最近 {window} 指标有什么反常的地方",
        ),
    )
)
def find_anomalies(
    world: World, metric: Metric | None = None, window: Window = "6h"
) -> AnomalyReport:
    """Find anomalies in one metric or all: spikes, level shifts, and GPUs unlike their peers."""
    raise NotImplementedError

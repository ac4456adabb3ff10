"""The tool that looks for anomalies in metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Literal

from tools.alerts.detectors.novelty import ALARM, novelty
from tools.alerts.detectors.ranges import excursions, peer_outliers
from tools.alerts.wording import wrap
from tools.alerts.xids import Words
from tools.amounts import span
from tools.columns import clip
from tools.contract import Phrases, reading
from tools.errors import ToolError
from tools.observe.base import Series, telemetry
from tools.words import Metric, Window, parse_window

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World


SHOWN = 12
PER_SERIES = 3
LEAST_POINTS = 30
_FLOORS = {"%": 5.0, "°C": 3.0, "W": 10.0, "MHz": 50.0, "s": 0.02, "bytes": 64e6, "bytes/s": 1e6}
"""Smallest change worth telling, by unit."""
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One thing that stood out."""

    metric: str
    series: str
    kind: Literal["spike", "shift", "peer"]
    at: datetime
    until: datetime
    value: float
    usual: float
    unit: str
    score: float
    """Robust standard deviations from the usual."""
    novel: bool
    """The sequence of values had not occurred in the window before."""


@dataclass(frozen=True, slots=True)
class AnomalyReport:
    """What stood out in a window, and what was looked at."""

    metric: str | None
    window: str
    series: int
    points: int
    too_short: int
    anomalies: tuple[Anomaly, ...]
    missing: tuple[Words, ...] = ()

    def say(self, lang: Lang) -> str:
        """How many, where, when, how large."""
        zh = lang == "zh"
        lines = wrap(self._first_zh() if zh else self._first_en())
        lines += [clip("- " + _line(a, zh)) for a in self.anomalies[:SHOWN]]
        if len(self.anomalies) > SHOWN:
            more = len(self.anomalies) - SHOWN
            lines.append(f"… 另有 {more} 处" if zh else f"… and {more} more")
        if self.too_short:
            lines += wrap(
                f"{self.too_short} 条序列不足 {LEAST_POINTS} 个点，未判断。"
                if zh
                else f"{self.too_short} series have fewer than {LEAST_POINTS} points and were not judged."
            )
        for gap in self.missing:
            lines += wrap(
                ("未能收集：" if zh else "Could not collect: ") + (gap.zh if zh else gap.en)
            )
        return "\n".join(lines)

    def _first_en(self) -> str:
        what = self.metric or "the metrics of this fleet"
        looked = f"{self.series} series, {self.points} points"
        if not self.series:
            return f"Nothing is recorded for {what} in the last {self.window} yet."
        if not self.anomalies:
            return f"Nothing unusual in {what} over the last {self.window} ({looked})."
        count = len(self.anomalies)
        noun = "anomaly" if count == 1 else "anomalies"
        top = self.anomalies[0]
        return (
            f"{count} {noun} in {what} over the last {self.window}; the largest: {top.series} at "
            f"{top.at:%H:%M} UTC ({looked})."
        )

    def _first_zh(self) -> str:
        what = self.metric or "全部指标"
        looked = f"{self.series} 条序列，{self.points} 个点"
        if not self.series:
            return f"最近 {self.window} 还没有 {what} 的记录。"
        if not self.anomalies:
            return f"最近 {self.window} 的 {what} 没有异常（{looked}）。"
        top = self.anomalies[0]
        return (
            f"最近 {self.window} 的 {what} 有 {len(self.anomalies)} 处异常；最大的是 {top.series}，"
            f"{top.at:%H:%M} UTC（{looked}）。"
        )


def _line(found: Anomaly, zh: bool) -> str:
    value, usual = f"{found.value:.4g}{found.unit}", f"{found.usual:.4g}{found.unit}"
    if found.kind == "peer":
        told = f"{value}，同类为 {usual}" if zh else f"{value}, its peers {usual}"
        return f"{found.series}: {told}"
    kinds = {"spike": ("spike", "突刺"), "shift": ("new level", "水平变化")}
    en, name_zh = kinds[found.kind]
    length = span(found.until - found.at, "zh" if zh else "en")
    if zh:
        return f"{found.at:%m-%d %H:%M} {found.series}：{name_zh}至 {value}，平时 {usual}，持续 {length}"
    return f"{found.at:%m-%d %H:%M} {found.series}: {en} {value}, usually {usual}, for {length}"


def judge(series: Series) -> list[Anomaly]:
    """Spikes and level shifts of one series, largest first."""
    values = [v for _, v in series.points]
    times = [at for at, _ in series.points]
    floor = 0.02 if series.metric.endswith("ratio") else _FLOORS.get(series.unit, 0.5)
    step = (times[-1] - times[0]).total_seconds() / max(1, len(times) - 1)
    season = round(_DAY / step) if step > 0 and len(values) * step >= 1.5 * _DAY else 0
    scores = novelty(values, max(LEAST_POINTS, len(values) // 7))
    found = [
        Anomaly(
            series.metric,
            series.name,
            e.kind,
            times[e.start],
            times[min(e.end, len(times) - 1)],
            e.value,
            e.usual,
            series.unit,
            round(e.score, 1),
            max(scores[max(0, e.start - 1) : e.end + 1], default=0.0) >= ALARM,
        )
        for e in excursions(values, season=season, floor=floor)
    ]
    return sorted(found, key=lambda a: -a.score)[:PER_SERIES]


def among_peers(group: Sequence[Series]) -> list[Anomaly]:
    """GPUs (or replicas) unlike the others of their group in the last tenth of the window."""
    recent = [median(v for _, v in s.points[-max(3, len(s.points) // 10) :]) for s in group]
    floor = _FLOORS.get(group[0].unit, 0.0) if group else 0.0
    middle = median(recent) if recent else 0.0
    return [
        Anomaly(
            group[i].metric,
            group[i].name,
            "peer",
            group[i].points[-1][0],
            group[i].points[-1][0],
            recent[i],
            middle,
            group[i].unit,
            round(distance, 1),
            False,
        )
        for i, distance in peer_outliers(recent)
        if abs(recent[i] - middle) >= floor
    ]


def _series(
    world: World, metric: str | None, length: timedelta
) -> tuple[list[Series], list[Words]]:
    port = telemetry(world)
    if metric is not None:
        answer = port.query(metric, length)
        gaps = [Words(answer.advice, answer.advice_zh or answer.advice)] if answer.advice else []
        return list(answer.series), gaps
    found: list[Series] = []
    missing: list[Words] = []
    for name in port.metrics():
        try:
            found += port.series(name, length)
        except ToolError as error:
            missing.append(Words(f"{name}: {error.en}", f"{name}：{error.zh}"))
    return found, missing


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
    found, missing = _series(world, metric, parse_window(window))
    long_enough = [s for s in found if len(s.points) >= LEAST_POINTS]
    anomalies = [a for s in long_enough for a in judge(s)]
    groups: dict[str, list[Series]] = {}
    for one in long_enough:
        if "gpu" in one.labels or "replica" in one.labels or "UUID" in one.labels:
            groups.setdefault(one.metric, []).append(one)
    anomalies += [a for group in groups.values() for a in among_peers(group)]
    anomalies.sort(key=lambda a: -a.score)
    return AnomalyReport(
        metric,
        window,
        len(found),
        sum(len(s.points) for s in found),
        len(found) - len(long_enough),
        tuple(anomalies),
        tuple(missing[:5]),
    )

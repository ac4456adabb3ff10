"""Metrics around the symptom: which rose or fell out of their own range, which keep rising."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from tools.alerts.collect.base import WINDOW, Collected, Subject
from tools.alerts.facts import Fact
from tools.errors import BadArguments, ToolError, Unavailable
from tools.observe.base import Series, telemetry

if TYPE_CHECKING:
    from tools.world import World

_NAMES: Mapping[str, tuple[str, ...]] = {
    "host": ("cpu_percent", "memory_percent", "cgroup_memory_percent", "disk_percent"),
    "gpu": ("gpu_temperature", "gpu_memory_used_bytes", "gpu_power_watts", "gpu_utilization"),
    "serving": ("requests_per_second", "latency_p95_seconds", "error_ratio", "requests_waiting", "kv_cache_ratio"),
    "job": ("train_loss", "train_seconds_since_step"),
}  # fmt: skip
_QUERIES: Mapping[str, str] = {
    "prompt_tokens": "sum(rate(vllm:prompt_tokens_total[5m])) / sum(rate(vllm:request_success_total[5m]))",
    "prefix_cache_hit_ratio": "sum(rate(vllm:prefix_cache_hits_total[5m])) / sum(rate(vllm:prefix_cache_queries_total[5m]))",
}
_LIMITS: Mapping[str, float] = {"kv_cache_ratio": 0.95}
_POINTS = 12


def metrics(world: World, subject: Subject) -> Collected:
    """Compare the last minutes with the two hours before, metric by metric."""
    port = telemetry(world)
    found = Collected(looked=("metric.rising", "metric.falling", "metric.high"))
    names = _wanted(subject)
    seen = 0
    for name in names:
        try:
            series = port.series(name, WINDOW)
        except BadArguments:
            continue
        except Unavailable as error:
            found.gap(error.en, error.zh)
            break
        chosen = _relevant(series, subject)
        found.facts += against_before(name, chosen)
        for one in chosen:
            seen += 1
            found.facts += _judge(name, one)
    if subject.alert is not None and world.fleet.sections.get("prometheus"):
        _ask(world, subject, found)
    if not seen and not found.facts:
        raise Unavailable("nothing is recorded for it yet", "还没有它的记录")
    said = ", ".join(str(f.value) for f in found.facts)
    found.note(
        f"{seen} series of the last 2 h; out of their range: {said or 'none'}"[:200],
        f"最近 2 小时 {seen} 条序列；异常：{said or '无'}"[:200],
    )
    return found


def against_before(name: str, series: Sequence[Series]) -> list[Fact]:
    """The newest revision's latency or errors against the one before it, from recorded history."""
    numbered = {
        int(s.labels["revision"]): s for s in series if s.labels.get("revision", "").isdigit()
    }
    revisions = sorted(r for r, s in numbered.items() if len(s.points) >= 3)
    if len(revisions) < 2 or name not in ("latency_p95_seconds", "error_ratio"):
        return []
    before, now = revisions[-2], revisions[-1]
    old, new = (median(v for _, v in numbered[r].points) for r in (before, now))
    at = numbered[now].points[0][0]
    source = f"revision {now} against {before}"
    if name == "error_ratio":
        quote = f"errors {new:.1%} against {old:.1%} before"
        return [Fact("traffic.new_errors", new - old, quote, source, at)]
    if old <= 0:
        return []
    quote = f"p95 {new * 1000:.0f} ms against {old * 1000:.0f} ms of revision {before}"
    zh = f"p95 {new * 1000:.0f} ms，修订版 {before} 为 {old * 1000:.0f} ms"
    return [Fact("traffic.worse_than_previous", new / old, quote, source, at, quote_zh=zh)]


def _wanted(subject: Subject) -> tuple[str, ...]:
    names: tuple[str, ...] = ()
    if subject.local:
        names += _NAMES["host"]
    if subject.kind in ("gpu", "alert", "node") or subject.gpu:
        names += _NAMES["gpu"]
    if subject.deployment or subject.kind == "alert":
        names += _NAMES["serving"]
    if subject.job:
        names += _NAMES["job"]
    return names


def _relevant(series: Sequence[Series], subject: Subject) -> list[Series]:
    wanted = {n for n in (subject.deployment, subject.job, subject.gpu, subject.node) if n}
    if subject.deployment:
        wanted.add(subject.deployment.rpartition("/")[2])
    named = [s for s in series if wanted & set(s.labels.values())]
    return (named or [s for s in series if not s.labels] or list(series))[:16]


def _ask(world: World, subject: Subject, found: Collected) -> None:
    for name, query in _QUERIES.items():
        if subject.kind != "alert" or subject.alert is None:
            return
        if not subject.alert.name.startswith("LLM"):
            return
        try:
            answer = telemetry(world).query(query, WINDOW)
        except ToolError as error:
            found.gap(f"{name}: {error.en}", f"{name}：{error.zh}")
            return
        for one in answer.series[:4]:
            found.facts += _judge(name, one)


def _judge(name: str, series: Series) -> list[Fact]:
    values = [v for _, v in series.points]
    if len(values) < _POINTS:
        return []
    recent = values[-max(3, len(values) // 12) :]
    before = values[: -len(recent)]
    now, usual = median(recent), median(before)
    spread = median(abs(v - usual) for v in before) * 1.4826
    floor = max(abs(usual) * 0.1, 1e-9)
    away = (now - usual) / max(spread, floor / 3)
    at = series.points[-len(recent)][0]
    quote = (
        f"{series.name} {_number(now)}{series.unit} against {_number(usual)}{series.unit} before"
    )
    zh = f"{series.name} 现为 {_number(now)}{series.unit}，此前 {_number(usual)}{series.unit}"
    facts: list[Fact] = []
    limit = _LIMITS.get(name)
    if limit is not None and now > limit:
        facts.append(Fact("metric.high", name, quote, "metrics", at, quote_zh=zh))
    if abs(away) >= 4 and abs(now - usual) > floor:
        kind = "metric.rising" if away > 0 else "metric.falling"
        facts.append(
            Fact(kind, name, quote, "metrics", _onset(series, usual, spread, floor), quote_zh=zh)
        )
    elif _climbs(values):
        said = f"{series.name} rises steadily from {_number(values[0])} to {_number(values[-1])}{series.unit}"
        facts.append(Fact("metric.rising", name, said, "metrics", series.points[0][0]))
    return facts


def _onset(series: Series, usual: float, spread: float, floor: float) -> datetime:
    """The first of the last points that left the range for good."""
    edge = 3 * max(spread, floor / 3)
    onset = series.points[-1][0]
    for at, value in reversed(series.points):
        if abs(value - usual) <= edge:
            break
        onset = at
    return onset


def _climbs(values: Sequence[float]) -> bool:
    """Whether it grew in (nearly) every eighth of the window, by a tenth in all."""
    size = len(values) // 8
    if size < 2 or values[0] <= 0:
        return False
    parts = [median(values[i * size : (i + 1) * size]) for i in range(8)]
    rises = sum(b > a for a, b in pairwise(parts))
    return rises >= 7 and parts[-1] > 1.1 * parts[0]


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 10_000 else f"{value:,.0f}"

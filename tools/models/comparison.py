"""Two versions side by side: measured now, on the same data, in turns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.amounts import size
from tools.columns import columns
from tools.models.asking import ask
from tools.models.numbers import percent, points

if TYPE_CHECKING:
    from tools.models.base import ModelVersion
    from tools.words import Lang
    from tools.world import World


@dataclass(frozen=True, slots=True)
class Measured:
    """One version as measured on the test split."""

    number: int
    technique: str
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    size: int
    """Bytes of the artefact."""
    parameters: int | None
    latency_ms: float
    """Median of one example, ONNX Runtime on one thread (its own runtime for other formats)."""
    latency_p95_ms: float
    per_second: float
    """Examples per second in batches of 32."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Version ``b`` against version ``a``."""

    model: str
    a: Measured
    b: Measured
    samples: int
    change: float
    """Mean accuracy of b minus a, 0..1."""
    change_low: float
    """Lower end of its one-sided 95 % interval (paired bootstrap)."""
    flips: float
    """Share of examples the two answer differently."""
    passed: bool
    """b loses at most ``budget``, proven."""
    budget: float
    chart: Path | None = None

    def say(self, lang: Lang) -> str:
        """Which is more accurate and by how much, then the table, the gate and the chart."""
        head, note = self._zh() if lang == "zh" else self._en()
        lines = [head, "", *self._table(lang), "", note]
        if self.chart is not None:
            lines.append(("Picture: " if lang == "en" else "图：") + str(self.chart))
        return "\n".join(lines)

    def _en(self) -> tuple[str, str]:
        a, b = self.a.number, self.b.number
        if abs(self.change) < 0.0005:
            head = f"{self.model} version {b} is as accurate as {a} ({percent(self.b.accuracy)})"
        else:
            word = "more" if self.change > 0 else "less"
            head = f"{self.model} version {b} is {points(abs(self.change), False)} points {word} "
            head += f"accurate than {a}"
        head += f", {_times(self.a.latency_ms / self.b.latency_ms, FASTER, 'en')}"
        head += f" and {_times(self.a.size / self.b.size, SMALLER, 'en')}."
        proven = "proven" if self.passed else "not proven"
        note = (
            f"A loss of at most {points(self.budget, False)} point is {proven}: with 95 % "
            f"certainty the change is above {points(self.change_low)} points "
            f"({self.samples} test samples). {percent(self.flips)} of the answers differ."
        )
        return head, _wrapped(note)

    def _zh(self) -> tuple[str, str]:
        a, b = self.a.number, self.b.number
        if abs(self.change) < 0.0005:
            head = f"{self.model} 版本 {b} 与 {a} 一样准（{percent(self.b.accuracy)}）"
        else:
            word = "高" if self.change > 0 else "低"
            head = f"{self.model} 版本 {b} 的准确率比 {a} {word} "
            head += f"{points(abs(self.change), False)} 个点"
        head += f"，{_times(self.a.latency_ms / self.b.latency_ms, FASTER, 'zh')}"
        head += f"，{_times(self.a.size / self.b.size, SMALLER, 'zh')}。"
        proven = "已证明" if self.passed else "未能证明"
        note = (
            f"{proven}损失不超过 {points(self.budget, False)} 个点：95 % 把握下变化高于 "
            f"{points(self.change_low)} 个点（{self.samples} 个测试样本）。\n"
            f"两者有 {percent(self.flips)} 的回答不同。"
        )
        return head, note

    def _table(self, lang: Lang) -> list[str]:
        names = (
            ("version", "made by", "accuracy", "95 % interval", "size", "1 example, p95", "per s")
            if lang == "en"
            else ("版本", "方法", "准确率", "95 % 区间", "大小", "单样本耗时, p95", "每秒")
        )
        rows = [names, *(self._row(v) for v in (self.a, self.b))]
        widths = [max(columns(row[i]) for row in rows) for i in range(len(names))]
        return [
            "  ".join(
                cell + " " * (width - columns(cell))
                for cell, width in zip(row, widths, strict=True)
            ).rstrip()
            for row in rows
        ]

    def _row(self, version: Measured) -> tuple[str, ...]:
        interval = f"{100 * version.accuracy_low:.1f}..{100 * version.accuracy_high:.1f}"
        return (
            str(version.number),
            version.technique[:20],
            percent(version.accuracy),
            interval,
            size(version.size),
            f"{version.latency_ms:.3g}, {version.latency_p95_ms:.3g} ms",
            f"{version.per_second:,.0f}",
        )


@dataclass(frozen=True, slots=True)
class _Ratio:
    """How a ratio is said: about one, above, below. ``{r}`` is the ratio above one."""

    even: float
    """A ratio up to this, or down to its inverse, is no difference worth saying."""
    en: tuple[str, str, str]
    zh: tuple[str, str, str]


FASTER = _Ratio(
    1.25,  # on a machine that does other work, medians of short calls differ by as much
    ("about as fast", "{r} times faster", "{r} times slower"),
    ("速度相近", "速度是后者的 {r} 倍", "耗时是后者的 {r} 倍"),
)
SMALLER = _Ratio(
    1.05,
    ("as large", "{r} times smaller", "{r} times larger"),
    ("体积相同", "体积是后者的 1/{r}", "体积是后者的 {r} 倍"),
)


def _times(ratio: float, said: _Ratio, lang: Lang) -> str:
    even, above, below = said.en if lang == "en" else said.zh
    if 1 / said.even < ratio < said.even:
        return even
    return (above if ratio > 1 else below).format(r=f"{max(ratio, 1 / ratio):.1f}")


def _wrapped(text: str) -> str:
    from textwrap import fill

    return fill(text, 90)


def compared(world: World, model: str, a: ModelVersion, b: ModelVersion) -> Compared:
    """Measure both versions in one process, in turns, and draw them."""
    report = ask(world, "compare", model, {"a": a, "b": b}, {})
    gate: dict[str, Any] = report["gates"]["b"]
    first, second = (_measured(v, report["rows"][r]) for v, r in ((a, "a"), (b, "b")))
    found = Compared(
        model=model,
        a=first,
        b=second,
        samples=int(gate["samples"]),
        change=float(gate["change"]),
        change_low=float(gate["low"]),
        flips=float(gate["flips"]),
        passed=bool(gate["passed"]),
        budget=float(gate["budget"]),
    )
    return _drawn(world, found)


def _measured(version: ModelVersion, row: dict[str, Any]) -> Measured:
    count = version.metrics.get("parameters")
    return Measured(
        number=version.number,
        technique=version.technique,
        accuracy=float(row["accuracy"]),
        accuracy_low=float(row["accuracy_low"]),
        accuracy_high=float(row["accuracy_high"]),
        size=int(row["size"]),
        parameters=int(count) if count is not None else None,
        latency_ms=float(row["latency_ms"]),
        latency_p95_ms=float(row["latency_p95_ms"]),
        per_second=float(row["per_second"]),
    )


def _drawn(world: World, found: Compared) -> Compared:
    from dataclasses import replace

    from tools.models.charts import trade_off

    marks = [
        (f"{v.number} ({v.technique})", v.accuracy, v.latency_ms, v.size / 1024)
        for v in (found.a, found.b)
    ]
    name = f"{found.model}-{found.a.number}-{found.b.number}.png"
    return replace(found, chart=trade_off(world.home / "charts" / name, found.model, marks))

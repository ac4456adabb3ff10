"""Drift as a finding: what changed in what a model is asked and answers, and how right it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tools.models.drifting import Tested
from tools.models.labels import Labelled

if TYPE_CHECKING:
    from tools.words import Lang

ENOUGH = 100
"""Rows below which a drift test says little."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A serving window against held-out data, and accuracy where labels arrived."""

    model: str
    version: int
    window: str
    rows: int = 0
    """Recorded rows that were tested: a uniform sample of ``seen``."""
    seen: int = 0
    reference: int = 0
    first: datetime | None = None
    last: datetime | None = None
    tests: tuple[Tested, ...] = ()
    drifted: bool = False
    accuracy: tuple[Labelled, ...] = ()

    @property
    def changed(self) -> tuple[Tested, ...]:
        """The tests that found a change."""
        return tuple(test for test in self.tests if test.changed)

    def say(self, lang: Lang) -> str:
        """Whether anything changed, then each test, then accuracy where labels arrived."""
        zh = lang == "zh"
        lines = [self._first(lang)]
        if self.rows:
            lines += [self._looked(lang), *(f"  {_line(test, lang)}" for test in self.tests)]
        else:
            none = "No inputs were recorded, so nothing else can be said."
            lines.append("没有记录到输入，其他无从判断。" if zh else none)
        if 0 < self.rows < ENOUGH:
            few = f"Only {self.rows} rows: small changes would not show yet."
            lines.append(f"只有 {self.rows} 条，小的变化还看不出来。" if zh else few)
        if self.accuracy:
            lines += ["有标签处：" if zh else "Where labels arrived:"]
            lines += [f"  {found.say(lang)}" for found in self.accuracy]
        elif self.drifted:
            context = "Drift is context, not harm: compare accuracy where labels arrive."
            lines.append("漂移是背景信息，不等于变差：有标签时请对比准确率。" if zh else context)
        return "\n".join(lines)

    def _first(self, lang: Lang) -> str:
        name = (
            f"{self.model} 版本 {self.version}" if lang == "zh" else f"{self.model} {self.version}"
        )
        worse = any(found.worse for found in self.accuracy)
        what = list(dict.fromkeys(test.name.split(" (")[0] for test in self.changed))
        if lang == "zh":
            words = {"inputs": "输入", "predictions": "预测", "confidence": "置信度"}
            moved = "、".join(words.get(word, word) for word in what)
            drift = f"{name} 有漂移：{moved}变了" if what else f"{name} 没有漂移"
            return drift + ("；有标签的回答不如测试时准确。" if worse else "。")
        drift = f"{name} drifts: {', '.join(what)} changed" if what else f"No drift in {name}"
        return drift + ("; where labels arrived it is less accurate than tested." if worse else ".")

    def _looked(self, lang: Lang) -> str:
        sample = {
            "en": f" (a sample of {self.seen})" if self.seen > self.rows else "",
            "zh": f"（抽样自 {self.seen} 条）" if self.seen > self.rows else "",
        }[lang]
        return {
            "en": f"{self.rows} rows{sample} of the last {self.window} against "
            f"{self.reference} tested.",
            "zh": f"最近 {self.window} 的 {self.rows} 条{sample}，对比 {self.reference} 条测试数据。",
        }[lang]


def _line(test: Tested, lang: Lang) -> str:
    p = "" if test.p_value is None else f", p = {test.p_value:.2g}"
    said = {"en": ("changed", "as before"), "zh": ("有变化", "无变化")}[lang]
    return f"{test.name}: {test.statistic:.3g}{p}, {said[0] if test.changed else said[1]}"

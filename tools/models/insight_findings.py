"""Explanations and drift as findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from tools.models.numbers import percent, points

if TYPE_CHECKING:
    from tools.words import Lang

_PLACES = {
    "top left": "左上",
    "top": "上",
    "top right": "右上",
    "left": "左",
    "middle": "中间",
    "right": "右",
    "bottom left": "左下",
    "bottom": "下",
    "bottom right": "右下",
}


def _weighed(
    head: str, against: str, comma: str, found: Iterable[tuple[str, float]]
) -> Iterator[str]:
    """What speaks for the answer and what against it, each with its share of all that counts."""
    listed = [*found]
    for title, sign in ((head, 1), (against, -1)):
        side = [f"{name} {100 * abs(share):.0f} %" for name, share in listed if sign * share > 0]
        if side:
            yield title + comma.join(side)


@dataclass(frozen=True, slots=True)
class Reason:
    """A feature and its share of the attribution; negative speaks against the answer."""

    what: str
    share: float


@dataclass(frozen=True, slots=True)
class Explained:
    """One prediction and what it rests on."""

    model: str
    version: int
    explained_by: int
    """The version whose weights were asked: an int8 file answers through its parent."""
    sample: str
    label: str
    probability: float
    truth: str | None
    runner_up: str
    runner_up_probability: float
    reasons: tuple[Reason, ...]
    deleted: int
    drop: float
    random_drop: float
    faithful: bool
    chart: Path | None = None

    def say(self, lang: Lang) -> str:
        """The answer and its main reasons; then whether the explanation holds."""
        lines = [fill(line, 98) for line in (self._zh() if lang == "zh" else self._en())]
        if self.explained_by != self.version:
            lines.append(
                f"Explained through version {self.explained_by}, which it was made of."
                if lang == "en"
                else f"通过其来源版本 {self.explained_by} 解释。"
            )
        if self.chart is not None:
            lines.append(("Picture: " if lang == "en" else "图：") + str(self.chart))
        return "\n".join(lines)

    def _named(self, word: str) -> str:
        index = self.sample.lstrip("#")
        return f"{word} {index}" if index.isdigit() else repr(self.sample[:40])

    def _en(self) -> list[str]:
        right = "" if self.truth is None else f"; the truth is {self.truth}"
        lines = [
            f"{self.model} version {self.version} says {self.label} "
            f"({percent(self.probability)}) for "
            f"{self._named('sample')}{right}; next is {self.runner_up} "
            f"({percent(self.runner_up_probability)}).",
            *_weighed("For it: ", "Against it: ", ", ", ((r.what, r.share) for r in self.reasons)),
        ]
        drops = f"deleting the {self.deleted} that count most costs {points(self.drop, False)} points of "
        drops += f"probability, deleting at random {points(self.random_drop, False)}"
        lines.append(
            f"The explanation holds: {drops}."
            if self.faithful
            else f"Do not trust this explanation: {drops}."
        )
        return lines

    def _zh(self) -> list[str]:
        right = "" if self.truth is None else f"；真实标签是 {self.truth}"
        names = ((_PLACES.get(r.what, r.what), r.share) for r in self.reasons)
        drops = f"删去最重要的 {self.deleted} 个特征，概率下降 {points(self.drop, False)} 个点，"
        drops += f"随机删除下降 {points(self.random_drop, False)} 个点"
        return [
            f"{self.model} 版本 {self.version} 对{self._named('样本')} 的判断是 {self.label}"
            f"（{percent(self.probability)}）{right}；其次是 {self.runner_up}"
            f"（{percent(self.runner_up_probability)}）。",
            *_weighed("支持：", "反对：", "，", names),
            f"解释可信：{drops}。" if self.faithful else f"此解释不可信：{drops}。",
        ]

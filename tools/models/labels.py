"""Accuracy where labels arrive: what the servers counted, held against what was tested.

Labels reach a server with a request (``parameters.labels``) or later (``feedback``); the platform
adds up its replicas. The interval is Wilson's; the tested accuracy has its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.errors import ToolError
from tools.models.numbers import percent
from tools.platforms.canary import wilson

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.models.base import ModelVersion
    from tools.platforms.base import Status, Traffic
    from tools.words import Lang
    from tools.world import World


@dataclass(frozen=True, slots=True)
class Labelled:
    """Answers of one deployment whose truth became known."""

    deployment: str
    version: str
    accuracy: float
    answers: int
    low: float
    high: float
    """95 % interval of ``accuracy``."""
    tested: float | None
    """Accuracy of this version on its test split; ``None`` when it is not registered here."""

    @property
    def worse(self) -> bool:
        """Less accurate than tested, beyond chance."""
        return self.tested is not None and self.high < self.tested

    def say(self, lang: Lang) -> str:
        """One line: the share right, its interval, and how that compares with the test."""
        interval = f"{100 * self.low:.1f}..{100 * self.high:.1f}"
        if lang == "zh":
            held = {True: "，低于测试", False: ""}[self.worse]
            return (
                f"{self.deployment} 版本 {self.version}：{self.answers} 个有标签的回答中 "
                f"{percent(self.accuracy)} 正确（95 % 区间 {interval}，测试 {percent(self.tested)}）{held}"
            )
        held = {True: ": worse than tested", False: ""}[self.worse]
        return (
            f"{self.deployment} version {self.version}: {percent(self.accuracy)} of "
            f"{self.answers} labelled answers right ({interval}; tested {percent(self.tested)}){held}"
        )


def labelled(world: World, model: str) -> tuple[Labelled, ...]:
    """One entry per deployment of ``model`` that has labels; a silent platform has none."""
    found: list[Labelled] = []
    versions = {str(v.number): v for v in world.registry.versions(model)}
    for spec in world.fleet.deployments.values():
        if spec.model != model:
            continue
        try:
            platform = world.platforms.named(spec.platform)
            status = platform.status(spec.ref)
            counted = platform.traffic(spec.ref).get(status.revision)
        except ToolError:
            continue
        if counted is not None and counted.quality is not None and counted.labelled:
            found.append(_entry(status, counted, counted.quality, versions.get))
    return tuple(found)


def _entry(
    status: Status, counted: Traffic, quality: float, version: Callable[[str], ModelVersion | None]
) -> Labelled:
    known = version(status.release.version or "")
    low, high = wilson(round(quality * counted.labelled), counted.labelled)
    return Labelled(
        deployment=status.ref,
        version=str(status.release.version),
        accuracy=quality,
        answers=counted.labelled,
        low=low,
        high=high,
        tested=known.metrics.get("accuracy") if known is not None else None,
    )

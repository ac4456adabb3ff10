"""What a change says before and after: its target, plan, outcome and verdict. Plain frozen values.

Tools import them from :mod:`tools.contract`, with the rest of what a tool is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from tools.words import Lang

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class Effect(StrEnum):
    """What a call may do to the world; ``destroy`` needs two people by default."""

    READ = "read"
    CHANGE = "change"
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True)
class Target:
    """One thing in the world, as it was when somebody looked.

    ``uid`` changes when the thing is recreated, ``version`` when its desired state is edited;
    neither changes when it merely reports a new status.
    """

    kind: str
    name: str
    uid: str
    version: str


@dataclass(frozen=True, slots=True)
class PlanWords:
    """What a plan says to people, in one language; see :class:`Plan` for the parts."""

    title: str
    blast_radius: str
    undo: str
    verification: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A pure look ahead: everything a person needs to say yes, and all that ``apply`` needs."""

    target: Target
    title: str
    """One line in the imperative: ``Roll out digits version 2 to digits (2 replicas, rolling)``."""
    diff: str
    """What changes, one ``- before`` / ``+ after`` line each."""
    blast_radius: str
    """Who feels it: replicas, share of traffic, GPU-hours."""
    undo: str
    """How it will be undone, or why it cannot be."""
    verification: str
    """What will be looked at to call it done."""
    deadline: timedelta
    """How long verification may take."""
    risk: Effect = Effect.CHANGE
    undo_on_failure: bool = False
    """A failed verification runs ``undo`` at once; the approval covers it."""
    warnings: tuple[str, ...] = ()
    gpu_hours: float = 0.0
    details: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Plain JSON for ``apply``/``verify``/``undo``/``happened``; part of the digest."""
    pins: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Arguments that were left open and what they mean now (the newest version): the proposal's
    call names them, so that it stays possible when something newer comes along."""
    zh: PlanWords | None = None
    """The same in Chinese, where the tool says it; part of the digest like the English."""

    def words(self, lang: Lang) -> PlanWords:
        """What it says in ``lang``; English where there is no Chinese."""
        en = PlanWords(self.title, self.blast_radius, self.undo, self.verification, self.warnings)
        if lang == "en" or self.zh is None:
            return en
        zh = self.zh
        return PlanWords(
            zh.title or en.title,
            zh.blast_radius or en.blast_radius,
            zh.undo or en.undo,
            zh.verification or en.verification,
            # A warning that has no Chinese must not be lost on the way to a yes.
            zh.warnings if len(zh.warnings) == len(en.warnings) else en.warnings,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What ``apply`` did, in one sentence, with the facts ``verify`` and ``undo`` need."""

    summary: str
    details: Mapping[str, Json] = field(default_factory=dict[str, Json])
    zh: str = ""
    """The summary in Chinese; empty where the tool says none."""

    def said(self, lang: Lang) -> str:
        """The summary in ``lang``; English where there is no Chinese."""
        return (lang == "zh" and self.zh) or self.summary


@dataclass(frozen=True, slots=True)
class Verdict:
    """What ``verify`` saw. ``ok`` is false when the change is provably not there (or harmful)."""

    ok: bool
    evidence: str
    """One sentence with the numbers seen."""
    cause: str = ""
    """When not ok: the named cause (``image cannot be pulled``, ``probe failing``, …)."""
    details: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """What came of it that a next step may need: ``{"model": "digits", "version": "2"}``."""
    zh: str = ""
    """The evidence in Chinese; empty where the tool says none."""
    cause_zh: str = ""

    def said(self, lang: Lang) -> str:
        """The evidence in ``lang``; English where there is no Chinese."""
        return (lang == "zh" and self.zh) or self.evidence

    def why(self, lang: Lang) -> str:
        """The named cause, unless the evidence names it, and the evidence."""
        if lang == "zh" and self.zh:
            cause = self.cause_zh or self.cause
            return self.zh if cause in self.zh else f"{cause}：{self.zh}"
        told = self.cause in self.evidence  # an empty cause too
        return self.evidence if told else f"{self.cause}: {self.evidence}"


class Happened(StrEnum):
    """Did the effect of an action reach the world? Asked after a crash."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Call:
    """A tool with its arguments: what a planner emits and what ``undo`` answers."""

    tool: str
    args: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Irreversible:
    """Declared instead of ``undo``, with the reason a person reads on the card."""

    reason: str
    zh: str = ""

    def say(self, lang: Lang) -> str:
        """The reason in ``lang``; English where there is no Chinese."""
        return (lang == "zh" and self.zh) or self.reason


def as_json(value: Any) -> Json:
    """Plain JSON of a finding: dataclasses become objects, times ISO 8601, durations seconds."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_json(getattr(value, f.name)) for f in fields(value)}
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Path():
            return str(value)
        case Mapping():
            return {str(k): as_json(v) for k, v in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list() | tuple() | set() | frozenset():
            return [as_json(v) for v in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return str(value)

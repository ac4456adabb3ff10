"""What a part of the summary is: typed facts, said in both languages, and what needs a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from tools.contract import Json
from tools.words import Said

if TYPE_CHECKING:
    from tools.world import World

Weight = Literal["problem", "note"]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something for the first line: a ``problem`` (not all is well) or a ``note``."""

    weight: Weight
    said: Said


@dataclass(frozen=True, slots=True)
class Part:
    """One section of the report."""

    name: str
    title: Said
    lines: tuple[Said, ...]
    remarks: tuple[Remark, ...] = ()
    well: Said | None = None
    """The piece this part adds to the first line when nothing is wrong."""
    facts: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """The numbers behind the lines, for machines."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that could not be collected, and why."""

    name: str
    title: Said
    reason: Said


@dataclass(frozen=True, slots=True)
class Look:
    """What every part is given."""

    world: World
    since: datetime
    until: datetime
    zone: ZoneInfo

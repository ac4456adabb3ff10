"""A typed piece of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from agent.offline.names import Kind
from agent.offline.text import Span

SAID = "said"
"""The unit of words to be passed on that stand without quotation marks."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A typed piece of the request."""

    kind: str
    """``name``, ``window``, ``fraction``, ``count``, ``version``, ``alias``, ``metric``, …"""
    span: Span
    value: str | float | Mapping[str, float | int | bool]
    core: Span
    """The characters that carry the value: in ``gpu 3`` only the ``3``."""
    means: Mapping[Kind, tuple[str, ...]] = field(
        default_factory=lambda: MappingProxyType[Kind, tuple[str, ...]]({})
    )
    """For names: kind → the proper names it may stand for."""
    also: tuple[Mention, ...] = ()
    """Further names of the same kind in one breath: ``ranker and sentiment``."""
    unit: str = ""
    known: bool = True
    typo: bool = False
    loose: bool = False
    """Is it said by some of its words only?"""
    aside: bool = False
    """Is it named only by what the message forbids or takes back?"""
    listed: frozenset[str] = frozenset()
    """For names that nobody lists: the kinds of which the fleet lists all."""

    @property
    def guessed(self) -> bool:
        """Is it only a word that may be a name, because nothing else explains it?"""
        return not self.known and len(self.means) > 1 and str(self.value).isalnum()

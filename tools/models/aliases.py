"""Aliases of versions: compare-and-swap, once per action, with an audit. Every registry's part.

Where the aliases are differs (rows of the store, an MLflow server); the lock, the rule and the
audit are Steward's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tools.contract import Happened
from tools.errors import BadArguments, Refused
from tools.models import registry_rows as rows
from tools.models.base import Registry

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tools.store import Store
    from tools.world import Clock


@dataclass(frozen=True, slots=True)
class AliasMove:
    """An alias of a model that an action moves; ``None`` is no version."""

    model: str
    alias: str
    before: int | None
    after: int | None
    action_id: str
    reason: str


class Aliases(ABC):
    """The aliases of one registry. A subclass says where they are and how one is set."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @abstractmethod
    def now(self, connection: Connection, model: str, alias: str) -> int | None:
        """The version that carries ``alias``."""

    @abstractmethod
    def put(self, connection: Connection, move: AliasMove) -> None:
        """Point the alias at ``move.after``, or take it away; the model is locked."""

    @abstractmethod
    def happened(self, model: str, alias: str, action_id: str) -> Happened:
        """Did the alias move of this action take place?"""

    def resumed(self, move: AliasMove, now: int | None) -> bool:
        """Whether the action made its move before a crash and only its record is missing."""
        return False

    def ready(self) -> Store:
        """The store, with the registry's tables."""
        self._store.ensure(rows.tables())
        return self._store

    def swap(self, move: AliasMove) -> None:
        """Move the alias; the same action moves it once. ``Refused`` if it moved meanwhile."""
        model, alias = move.model, move.alias
        refuse_alias(alias)
        with self.ready().write() as connection:
            rows.lock(connection, model)
            if rows.moved(connection, model, alias, move.action_id):
                return
            now = self.now(connection, model, alias)
            if now != move.before and not self.resumed(move, now):
                raise Refused(
                    f"The {alias} alias of {model} moved meanwhile: it is {carrier(now)}, "
                    f"expected {carrier(move.before)}. Ask again.",
                    f"{model} 的别名 {alias} 已被移动：现在是 {carrier(now)}，"
                    f"预期 {carrier(move.before)}。请重试。",
                )
            self.put(connection, move)
            said = {**asdict(move), "reason": move.reason[:2000], "at": self._clock.now()}
            connection.execute(rows.table("model_alias_moves").insert().values(**said))

    def recorded(self, model: str, alias: str, action_id: str) -> bool:
        """Whether the audit has this move."""
        with self.ready().read() as connection:
            return rows.moved(connection, model, alias, action_id)

    def moves(self, model: str) -> Sequence[Mapping[str, Any]]:
        """The audit of alias moves, newest first: before, after, action_id, reason, at."""
        with self.ready().read() as connection:
            return rows.moves(connection, model)


class AliasedRegistry(Registry):
    """The part of the registry's contract that its aliases answer."""

    _aliases: Aliases

    def set_alias(
        self,
        model: str,
        alias: str,
        number: int | None,
        *,
        expect: int | None,
        action_id: str,
        reason: str,
    ) -> None:
        """Move ``alias`` from ``expect`` to ``number``; ``Refused`` if it moved meanwhile."""
        self._aliases.swap(AliasMove(model, alias, expect, number, action_id, reason))

    def alias_happened(self, model: str, alias: str, action_id: str) -> Happened:
        """Did the alias move of this action take place?"""
        return self._aliases.happened(model, alias, action_id)

    def moves(self, model: str) -> Sequence[Mapping[str, Any]]:
        """The audit of alias moves, newest first: before, after, action_id, reason, at."""
        return self._aliases.moves(model)


def carrier(number: int | None) -> str:
    """Where an alias is, in words."""
    return f"version {number}" if number is not None else "unset"


def refuse_alias(alias: str) -> None:
    """Raise ``BadArguments`` for an alias that would be taken for a version number."""
    if alias.isdigit():
        raise BadArguments(
            f"{alias!r} cannot be an alias: it reads as a version number.",
            f"{alias!r} 不能作为别名：它看起来是版本号。",
        )

"""Aliases on an MLflow server, moved by compare-and-swap among Stewards, with their audit.

MLflow sets an alias unconditionally. Stewards take a lock in their own database first; the intent
is written to the server before the move and the audit after it, so that a move cut in half by a
crash is found again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tools.contract import Happened
from tools.errors import Refused
from tools.models import registry_rows as rows
from tools.models.mlflow_api import MissingInMlflow, MlflowApi
from tools.models.registry import carrier, refuse_alias

if TYPE_CHECKING:
    from tools.store import Store
    from tools.world import Clock


class MlflowAliases:
    """The aliases of one server."""

    def __init__(self, api: MlflowApi, store: Store, clock: Clock) -> None:
        self._api = api
        self._store = store
        self._clock = clock

    def of(self, model: str) -> dict[str, int] | None:
        """Alias → number; ``None`` when the server does not know the model."""
        try:
            found = self._api.call("GET", "/registered-models/get", name=model)
        except MissingInMlflow:
            return None
        listed = found["registered_model"].get("aliases", [])
        return {str(a["alias"]): int(a["version"]) for a in listed}

    def move(
        self,
        model: str,
        alias: str,
        number: int | None,
        *,
        expect: int | None,
        action_id: str,
        reason: str,
    ) -> None:
        """Move ``alias`` from ``expect`` to ``number``; the same action moves it once."""
        refuse_alias(alias)
        self._store.ensure(rows.tables())
        with self._store.write() as connection:
            rows.lock(connection, model)
            if rows.moved(connection, model, alias, action_id):
                return
            now = (self.of(model) or {}).get(alias)
            # After a crash between the move and its record, the move is already there.
            resumed = now == number and self._intent(model, alias).get("action") == action_id
            if now != expect and not resumed:
                raise Refused(
                    f"The {alias} alias of {model} moved meanwhile: it is {carrier(now)}, "
                    f"expected {carrier(expect)}. Ask again.",
                    f"{model} 的别名 {alias} 已被移动：现在是 {carrier(now)}，"
                    f"预期 {carrier(expect)}。请重试。",
                )
            intent = {"action": action_id, "before": expect, "after": number}
            self._tag_model(model, f"steward.alias.{alias}", json.dumps(intent))
            self._set(model, alias, number)
            move = {"model": model, "alias": alias, "before": expect, "after": number}
            said = {"action_id": action_id, "reason": reason[:2000], "at": self._clock.now()}
            connection.execute(rows.table("model_alias_moves").insert().values(**move, **said))

    def _set(self, model: str, alias: str, number: int | None) -> None:
        path = "/registered-models/alias"
        if number is None:
            self._api.call("DELETE", path, name=model, alias=alias)
        else:
            self._api.call("POST", path, name=model, alias=alias, version=str(number))

    def happened(self, model: str, alias: str, action_id: str) -> Happened:
        """The audit knows; else the intent on the server and where the alias is now."""
        self._store.ensure(rows.tables())
        with self._store.read() as connection:
            if rows.moved(connection, model, alias, action_id):
                return Happened.YES
        intent = self._intent(model, alias)
        if intent.get("action") != action_id:
            return Happened.NO
        now = (self.of(model) or {}).get(alias)
        if now == intent.get("after"):
            return Happened.YES
        return Happened.NO if now == intent.get("before") else Happened.UNSURE

    def moves(self, model: str) -> Sequence[Mapping[str, Any]]:
        """The audit of alias moves, newest first."""
        self._store.ensure(rows.tables())
        with self._store.read() as connection:
            return rows.moves(connection, model)

    def _intent(self, model: str, alias: str) -> dict[str, Any]:
        try:
            found = self._api.call("GET", "/registered-models/get", name=model)
        except MissingInMlflow:
            return {}
        tags = {t["key"]: t["value"] for t in found["registered_model"].get("tags", [])}
        said: Any = json.loads(tags.get(f"steward.alias.{alias}", "{}"))
        return said

    def _tag_model(self, model: str, key: str, value: str) -> None:
        self._api.call("POST", "/registered-models/set-tag", name=model, key=key, value=value)

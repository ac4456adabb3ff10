"""Aliases on an MLflow server, moved by compare-and-swap among Stewards, with their audit.

MLflow sets an alias unconditionally. Stewards take a lock in their own database first; the intent
is written to the server before the move and the audit after it, so that a move cut in half by a
crash is found again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tools.contract import Happened
from tools.models.aliases import Aliases, AliasMove
from tools.models.mlflow_api import MissingInMlflow, MlflowApi

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tools.store import Store
    from tools.world import Clock


class MlflowAliases(Aliases):
    """The aliases of one server."""

    def __init__(self, api: MlflowApi, store: Store, clock: Clock) -> None:
        super().__init__(store, clock)
        self._api = api

    def of(self, model: str) -> dict[str, int] | None:
        """Alias → number; ``None`` when the server does not know the model."""
        try:
            found = self._api.call("GET", "/registered-models/get", name=model)
        except MissingInMlflow:
            return None
        listed = found["registered_model"].get("aliases", [])
        return {str(a["alias"]): int(a["version"]) for a in listed}

    def now(self, connection: Connection, model: str, alias: str) -> int | None:
        """The version that carries ``alias`` on the server."""
        return (self.of(model) or {}).get(alias)

    def resumed(self, move: AliasMove, now: int | None) -> bool:
        """The alias is there already, and the intent on the server is this action's."""
        intent = self._intent(move.model, move.alias)
        return now == move.after and intent.get("action") == move.action_id

    def put(self, connection: Connection, move: AliasMove) -> None:
        """Write the intent, then set the alias."""
        intent = {"action": move.action_id, "before": move.before, "after": move.after}
        self._tag_model(move.model, f"steward.alias.{move.alias}", json.dumps(intent))
        self._set(move.model, move.alias, move.after)

    def _set(self, model: str, alias: str, number: int | None) -> None:
        path = "/registered-models/alias"
        if number is None:
            self._api.call("DELETE", path, name=model, alias=alias)
        else:
            self._api.call("POST", path, name=model, alias=alias, version=str(number))

    def happened(self, model: str, alias: str, action_id: str) -> Happened:
        """The audit knows; else the intent on the server and where the alias is now."""
        if self.recorded(model, alias, action_id):
            return Happened.YES
        intent = self._intent(model, alias)
        if intent.get("action") != action_id:
            return Happened.NO
        now = (self.of(model) or {}).get(alias)
        if now == intent.get("after"):
            return Happened.YES
        return Happened.NO if now == intent.get("before") else Happened.UNSURE

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

"""The embedded registry, system of record: versions, compare-and-swap aliases, lineage, audit.

Rows live in the store, files in ``STEWARD_HOME/artifacts`` by content. A version is written file
first, row second: a crash in between leaves an unreferenced file, never a version without one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.contract import Happened
from tools.errors import BadArguments
from tools.models import registry_rows as rows
from tools.models.aliases import AliasedRegistry, Aliases, AliasMove
from tools.models.artifacts import Artifacts
from tools.models.base import ModelVersion, refuse_bad_metrics

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from tools.contract import Json
    from tools.store import Store
    from tools.world import Clock


class EmbeddedAliases(Aliases):
    """Aliases in the store: a move and its record are one transaction."""

    def now(self, connection: Connection, model: str, alias: str) -> int | None:
        """The version that carries ``alias``."""
        return rows.aliases(connection, model).get(alias)

    def put(self, connection: Connection, move: AliasMove) -> None:
        """Point the alias at the version, or take it away."""
        rows.move(connection, move.model, move.alias, move.after)

    def happened(self, model: str, alias: str, action_id: str) -> Happened:
        """The audit knows."""
        return Happened.YES if self.recorded(model, alias, action_id) else Happened.NO


class EmbeddedRegistry(AliasedRegistry):
    """Versions in the store, artefacts by content under ``home``. Safe for many processes."""

    def __init__(self, store: Store, home: Path, clock: Clock) -> None:
        self._clock = clock
        self._artifacts = Artifacts(home / "artifacts")
        self._aliases = EmbeddedAliases(store, clock)

    def models(self) -> Sequence[str]:
        """Names with at least one version."""
        from sqlalchemy import select

        column = rows.table("model_versions").c.model
        with self._aliases.ready().read() as connection:
            return list(connection.scalars(select(column).distinct().order_by(column)))

    def versions(self, model: str) -> Sequence[ModelVersion]:
        """Newest first."""
        from sqlalchemy import select

        table = rows.table("model_versions")
        query = select(table).where(table.c.model == model).order_by(table.c.number.desc())
        with self._aliases.ready().read() as connection:
            found = connection.execute(query).all()
            aliases = rows.aliases(connection, model)
        return [self._version(row, aliases) for row in found]

    def register(
        self,
        model: str,
        artifact: Path,
        format: str,
        *,
        metrics: Mapping[str, float],
        technique: str,
        parent: int | None,
        action_id: str | None,
        job: str | None,
        lineage: Mapping[str, Json],
        gate: Mapping[str, Json] | None = None,
        extras: Mapping[str, Path] | None = None,
    ) -> ModelVersion:
        """Keep the files and write the version; a second call for the same ``job`` finds it."""
        refuse_bad_metrics(model, metrics)
        digest, place = self._artifacts.keep(artifact, format)
        files: dict[str, Json] = {}
        for name, file in (extras or {}).items():
            kind = file.suffix.removeprefix(".")
            files[name] = {"digest": self._artifacts.keep(file, kind)[0], "format": kind}
        row: dict[str, Any] = {
            "model": model,
            "digest": digest,
            "format": format,
            "size": place.stat().st_size,
            "metrics": dict(metrics),
            "technique": technique,
            "parent": parent,
            "action_id": action_id,
            "job": job,
            "lineage": {**lineage, "files": files} if files else dict(lineage),
            "gate": dict(gate or {}),
            "created_at": self._clock.now(),
        }
        with self._aliases.ready().write() as connection:
            number = rows.insert(connection, row)
        return self.resolve(model, str(number))

    def verified(self, version: ModelVersion, extra: str | None = None) -> Path:
        """The file of a version, or of one of its extras, after checking its digest."""
        what = f"{version.model} version {version.number}"
        if extra is None:
            return self._artifacts.verified(version.digest, version.format, what)
        files = version.lineage.get("files")
        entry = files.get(extra) if isinstance(files, dict) else None
        if not isinstance(entry, dict):
            raise BadArguments(
                f"{what} has no {extra}: it was registered without one.",
                f"{version.model} 版本 {version.number} 没有 {extra}：注册时未附带。",
            )
        return self._artifacts.verified(str(entry["digest"]), str(entry["format"]), what)

    def _version(self, row: Row[Any], aliases: Mapping[str, int]) -> ModelVersion:
        at: datetime = row.created_at
        return ModelVersion(
            model=row.model,
            number=row.number,
            digest=row.digest,
            format=row.format,
            path=self._artifacts.path(row.digest, row.format),
            size=row.size,
            metrics=row.metrics,
            created_at=at if at.tzinfo else at.replace(tzinfo=UTC),
            technique=row.technique,
            parent=row.parent,
            action_id=row.action_id,
            job=row.job,
            aliases=tuple(sorted(a for a, n in aliases.items() if n == row.number)),
            lineage=row.lineage,
            gate=row.gate,
        )

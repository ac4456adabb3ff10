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
from tools.errors import BadArguments, Refused, unknown
from tools.models import registry_rows as rows
from tools.models.artifacts import Artifacts
from tools.models.base import ModelVersion

if TYPE_CHECKING:
    from sqlalchemy import Row

    from tools.contract import Json
    from tools.store import Store
    from tools.world import Clock


class EmbeddedRegistry:
    """Versions in the store, artefacts by content under ``home``. Safe for many processes."""

    def __init__(self, store: Store, home: Path, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._artifacts = Artifacts(home / "artifacts")

    def _ready(self) -> Store:
        self._store.ensure(rows.tables())
        return self._store

    def models(self) -> Sequence[str]:
        """Names with at least one version."""
        from sqlalchemy import select

        column = rows.table("model_versions").c.model
        with self._ready().read() as connection:
            return list(connection.scalars(select(column).distinct().order_by(column)))

    def versions(self, model: str) -> Sequence[ModelVersion]:
        """Newest first."""
        from sqlalchemy import select

        table = rows.table("model_versions")
        query = select(table).where(table.c.model == model).order_by(table.c.number.desc())
        with self._ready().read() as connection:
            found = connection.execute(query).all()
            aliases = rows.aliases(connection, model)
        return [self._version(row, aliases) for row in found]

    def resolve(self, model: str, ref: str | None = None) -> ModelVersion:
        """A number or an alias; ``None`` is ``production``, else the newest."""
        return chosen(model, self.versions(model), ref)

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
        with self._ready().write() as connection:
            number = rows.insert(connection, row)
        return self.resolve(model, str(number))

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
        """Move ``alias`` from ``expect`` to ``number``; the same action moves it once."""
        refuse_alias(alias)
        with self._ready().write() as connection:
            rows.lock(connection, model)
            if rows.moved(connection, model, alias, action_id):
                return
            now = rows.aliases(connection, model).get(alias)
            if now != expect:
                raise Refused(
                    f"The {alias} alias of {model} moved meanwhile: it is {carrier(now)}, "
                    f"expected {carrier(expect)}. Ask again.",
                    f"{model} 的别名 {alias} 已被移动：现在是 {carrier(now)}，预期 {carrier(expect)}。请重试。",
                )
            rows.move(connection, model, alias, number)
            move = {"model": model, "alias": alias, "before": expect, "after": number}
            said = {"action_id": action_id, "reason": reason[:2000], "at": self._clock.now()}
            connection.execute(rows.table("model_alias_moves").insert().values(**move, **said))

    def alias_happened(self, model: str, alias: str, action_id: str) -> Happened:
        """Whether this action moved the alias: the move and its record are one transaction."""
        with self._ready().read() as connection:
            moved = rows.moved(connection, model, alias, action_id)
        return Happened.YES if moved else Happened.NO

    def moves(self, model: str) -> Sequence[Mapping[str, Any]]:
        """The audit of alias moves, newest first: before, after, action_id, reason, at."""
        with self._ready().read() as connection:
            return rows.moves(connection, model)

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


def refuse_bad_metrics(model: str, metrics: Mapping[str, float]) -> None:
    """Raise ``Refused`` for a metric that is not a finite number."""
    import math

    bad = [name for name, value in metrics.items() if not math.isfinite(value)]
    if bad:
        raise Refused(
            f"{model} was not registered: {', '.join(bad)} is not a finite number.",
            f"{model} 未注册：{'、'.join(bad)} 不是有限数值。",
        )


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


def chosen(model: str, versions: Sequence[ModelVersion], ref: str | None) -> ModelVersion:
    """What ``ref`` means among ``versions`` (newest first); raises ``BadArguments``."""
    if not versions:
        raise BadArguments(
            f"{model} has no registered version yet; train it first.",
            f"{model} 还没有已注册的版本；请先训练。",
        )
    if ref in (None, "latest", "newest"):
        carrying = [v for v in versions if ref is None and "production" in v.aliases]
        return (carrying or [*versions])[0]
    for version in versions:
        if str(ref) == str(version.number) or ref in version.aliases:
            return version
    known = [str(v.number) for v in versions] + [a for v in versions for a in v.aliases]
    raise unknown(f"version of {model}", str(ref), known, f"{model} 版本")

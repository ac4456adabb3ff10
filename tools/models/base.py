"""Model versions and jobs: the values and the two contracts (registry, jobs)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from tools.contract import Happened, Json
from tools.errors import BadArguments, Refused, unknown
from tools.platforms.base import LogLine

JobState = Literal["pending", "running", "succeeded", "failed", "cancelled", "lost"]


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A registered version. Immutable; aliases are looked up at read time."""

    model: str
    number: int
    digest: str
    """sha256 of the artefact."""
    format: str
    """``safetensors``, ``onnx``, ``torch_export``."""
    path: Path
    size: int
    """Bytes."""
    metrics: Mapping[str, float]
    """``accuracy`` in 0..1, ``parameters``, …"""
    created_at: datetime
    technique: str = "train"
    parent: int | None = None
    action_id: str | None = None
    job: str | None = None
    aliases: tuple[str, ...] = ()
    lineage: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Data digest, code digest, parameters, who said yes."""
    gate: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Result of the non-inferiority gate against the parent; ``{"passed": false, …}`` blocks it."""

    @property
    def trainable(self) -> bool:
        """Whether it has weights for torch: an int8 or foreign ONNX file has none."""
        files = self.lineage.get("files")
        return self.format == "safetensors" or (isinstance(files, dict) and "weights" in files)


class Registry(Protocol):
    """Where versions live. The embedded one is the system of record."""

    def models(self) -> Sequence[str]:
        """Names with at least one version."""
        ...

    def versions(self, model: str) -> Sequence[ModelVersion]:
        """Newest first; empty when the model has none."""
        ...

    def resolve(self, model: str, ref: str | None = None) -> ModelVersion:
        """A number or an alias; ``None`` is ``production``, else the newest.

        Raises ``BadArguments`` with what there is.
        """
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
        """Store the artefact by content and register it; the same ``job`` registers once.

        ``extras`` are further files of the version (``weights.safetensors``), kept the same way.
        Raises ``Refused`` for unsafe formats (pickle) with the remedy.
        """
        ...

    def verified(self, version: ModelVersion, extra: str | None = None) -> Path:
        """The file of a version (or one of its extras) after checking its digest.

        Raises ``Failed`` when the file is missing or was altered.
        """
        ...

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
        ...

    def alias_happened(self, model: str, alias: str, action_id: str) -> Happened:
        """Did the alias move of this action take place?"""
        ...


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


def with_weights(registry: Registry, version: ModelVersion) -> ModelVersion | None:
    """The version itself, or the nearest one it was made of, that torch can go on with."""
    now: ModelVersion | None = version
    while now is not None and not now.trainable:
        now = registry.resolve(now.model, str(now.parent)) if now.parent is not None else None
    return now


def refuse_bad_metrics(model: str, metrics: Mapping[str, float]) -> None:
    """Raise ``Refused`` for a metric that is not a finite number."""
    bad = [name for name, value in metrics.items() if not math.isfinite(value)]
    if bad:
        raise Refused(
            f"{model} was not registered: {', '.join(bad)} is not a finite number.",
            f"{model} 未注册：{'、'.join(bad)} 不是有限数值。",
        )


@dataclass(frozen=True, slots=True)
class JobSpec:
    """Work to start: a command of the embedded operations, or a team's entry point."""

    name: str
    kind: str
    """``train``, ``tune``, ``prune``, ``quantize``, ``distill``, ``export``."""
    model: str
    params: Mapping[str, Json] = field(default_factory=dict[str, Json])
    workers: int = 1


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job now. Progress is judged by steps and checkpoints, not by utilisation."""

    name: str
    kind: str
    model: str
    state: JobState
    created_at: datetime
    action_id: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    step: int = 0
    total_steps: int | None = None
    loss: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    eta_seconds: float | None = None
    last_step_at: datetime | None = None
    last_checkpoint_at: datetime | None = None
    restarts: int = 0
    workers: int = 1
    cause: str = ""
    """When failed or stalled: the named cause (``NaN loss at step 40``, ``out of memory``, …)."""
    version: int | None = None
    """Registered version, when it succeeded."""
    platform: str = "local"


class Jobs(Protocol):
    """Long work: detached, durable, resumable."""

    def launch(self, spec: JobSpec, action_id: str) -> JobStatus:
        """Start once per ``action_id``; a second call returns the same job."""
        ...

    def status(self, name: str) -> JobStatus:
        """Raises ``BadArguments`` for an unknown job."""
        ...

    def list(self) -> Sequence[JobStatus]:
        """Newest first."""
        ...

    def cancel(self, name: str, action_id: str) -> JobStatus:
        """Ask it to stop at the next step, then make sure."""
        ...

    def logs(self, name: str, *, limit: int = 500) -> Sequence[LogLine]:
        """Newest last, over all ranks."""
        ...

    def happened(self, action_id: str) -> Happened:
        """Did the launch of this action take place?"""
        ...

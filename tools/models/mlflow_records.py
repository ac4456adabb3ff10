"""How a version of ours is written down in MLflow, and how one of anybody's is read.

The whole record is one tag (JSON); technique, accuracy, job and action are tags of their own, for
people who look at MLflow's pages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import Refused
from tools.models.base import ModelVersion

if TYPE_CHECKING:
    from tools.contract import Json

RECORD, DIGEST, JOB, ACTION = "steward.record", "steward.digest", "steward.job", "steward.action"
_LONGEST = 100_000
"""Characters MLflow takes in a tag's value."""


def tags_of(
    record: Mapping[str, Json], action_id: str | None, job: str | None
) -> list[dict[str, str]]:
    """The tags a version is created with: all at once, so that a crash leaves all or none."""
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
    if len(text) > _LONGEST:
        raise Refused(
            f"The record of this version has {len(text)} characters, MLflow takes {_LONGEST}; "
            "shorten the model's parameters.",
            f"该版本的记录有 {len(text)} 个字符，MLflow 最多接受 {_LONGEST}；请缩短模型参数。",
        )
    files: Any = record["files"]
    tags = {RECORD: text, DIGEST: str(files[""]["digest"])}
    tags |= {"steward.technique": str(record["technique"])}
    metrics: Any = record["metrics"]
    if "accuracy" in metrics:
        tags["steward.accuracy"] = f"{metrics['accuracy']:.4f}"
    if job is not None:
        tags[JOB] = job
    if action_id is not None:
        tags[ACTION] = action_id
    return [{"key": key, "value": value} for key, value in tags.items()]


def record_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Our record of a version; empty for one that others logged."""
    said = _tags(entry).get(RECORD)
    found: Any = json.loads(said) if said else {}
    return found


def pick(record: Mapping[str, Any], extra: str | None) -> dict[str, str] | None:
    """The artefact (``None``) or an extra file: its digest, format and name on the server."""
    return record["files"].get(extra or "")


def _tags(entry: Mapping[str, Any]) -> dict[str, str]:
    return {str(tag["key"]): str(tag["value"]) for tag in entry.get("tags", [])}


def version_of(
    entry: Mapping[str, Any], aliases: Mapping[str, int], place: Callable[[str, str], Path]
) -> ModelVersion:
    """A version of the contract; ``place`` tells where content of a digest and format lives."""
    number, tags, record = int(entry["version"]), _tags(entry), record_of(entry)
    made = datetime.fromtimestamp(int(entry.get("creation_timestamp") or 0) / 1000, UTC)
    held = tuple(sorted(alias for alias, n in aliases.items() if n == number))
    model = str(entry["name"])
    if not record:
        digest = tags.get(DIGEST, "")
        return ModelVersion(
            model, number, digest, "onnx", place(digest, "onnx"), 0, {}, made,
            technique="logged to MLflow by others", aliases=held,
            lineage={"mlflow_run": str(entry.get("run_id") or "")},
        )  # fmt: skip
    file = record["files"][""]
    lineage: dict[str, Any] = dict(record["lineage"])
    if extras := {name: f for name, f in record["files"].items() if name}:
        lineage["files"] = {
            n: {"digest": f["digest"], "format": f["format"]} for n, f in extras.items()
        }
    return ModelVersion(
        model=model,
        number=number,
        digest=file["digest"],
        format=file["format"],
        path=place(file["digest"], file["format"]),
        size=int(record["size"]),
        metrics=record["metrics"],
        created_at=datetime.fromisoformat(record["created_at"]),
        technique=record["technique"],
        parent=record["parent"],
        action_id=tags.get(ACTION),
        job=tags.get(JOB),
        aliases=held,
        lineage=lineage,
        gate=record["gate"],
    )

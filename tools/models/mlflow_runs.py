"""The run behind a version: MLflow takes files only inside one, and shows its metrics beside it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.errors import Failed
from tools.models.mlflow_api import SCHEME, MissingInMlflow, MlflowApi

if TYPE_CHECKING:
    from tools.contract import Json

EXPERIMENT = "steward"
_FOLDER = "model"
_LONGEST = 500
"""Characters of a parameter's value that every MLflow takes."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run whose files may be sent."""

    id: str
    source: str
    """URI of the folder that becomes the version."""

    @property
    def folder(self) -> str:
        """The same, as the artefact interface names it."""
        return self.source.removeprefix(SCHEME).strip("/")


def begin(api: MlflowApi, name: str) -> Run:
    """Start a run; raises ``Failed`` where the server keeps no artefacts itself."""
    now = int(time.time() * 1000)
    made = api.call(
        "POST", "/runs/create", experiment_id=_experiment(api), start_time=now, run_name=name
    )
    info = made["run"]["info"]
    place = str(info["artifact_uri"])
    if not place.startswith(SCHEME):
        raise Failed(
            f"The MLflow server at {api.url} keeps artefacts elsewhere ({place.split(':')[0]}); "
            "start it with --serve-artifacts.",
            f"MLflow 服务器 {api.url} 把模型文件存在别处（{place.split(':')[0]}）；"
            "请用 --serve-artifacts 启动。",
        )
    return Run(str(info["run_id"]), f"{place}/{_FOLDER}")


def end(api: MlflowApi, run: Run, metrics: Mapping[str, float], params: Mapping[str, Json]) -> None:
    """Log what the version is known by, and close the run."""
    now = int(time.time() * 1000)
    measured = [
        {"key": key, "value": value, "timestamp": now, "step": 0} for key, value in metrics.items()
    ]
    chosen = [{"key": key, "value": str(value)[:_LONGEST]} for key, value in params.items()]
    api.call("POST", "/runs/log-batch", run_id=run.id, metrics=measured, params=chosen[:100])
    api.call("POST", "/runs/update", run_id=run.id, status="FINISHED", end_time=now)


def _experiment(api: MlflowApi) -> str:
    def found() -> str:
        said = api.call("GET", "/experiments/get-by-name", experiment_name=EXPERIMENT)
        return str(said["experiment"]["experiment_id"])

    try:
        return found()
    except MissingInMlflow:
        try:
            made: dict[str, Any] = api.call("POST", "/experiments/create", name=EXPERIMENT)
        except Failed:  # another Steward was faster
            return found()
        return str(made["experiment_id"])

"""An MLflow server as the registry: the same contract over what a team already has.

Versions and aliases live in MLflow, where everybody sees them; each version of Steward's carries
its record as a tag and its digest, and its files are checked against that when fetched. MLflow has
no compare-and-swap: aliases move under a lock of Steward's own database, where the audit is kept
too, so that Stewards never overwrite each other; a person in MLflow's own pages still could, and
is noticed by the next look.

Versions that others logged are listed, and served or compared if they are ONNX: their digest is
pinned when it is first seen.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import BadArguments, Failed, Refused
from tools.models import mlflow_runs
from tools.models.aliases import AliasedRegistry
from tools.models.artifacts import Artifacts
from tools.models.base import refuse_bad_metrics
from tools.models.mlflow_aliases import MlflowAliases
from tools.models.mlflow_api import MissingInMlflow, MlflowApi
from tools.models.mlflow_files import MlflowFiles
from tools.models.mlflow_records import JOB, tags_of, version_of

if TYPE_CHECKING:
    from tools.contract import Json
    from tools.models.base import ModelVersion
    from tools.store import Store
    from tools.world import Clock

_PAGE = 200


class MlflowRegistry(AliasedRegistry):
    """Versions of an MLflow server. Safe for many processes of one Steward."""

    def __init__(self, api: MlflowApi, store: Store, home: Path, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._artifacts = Artifacts(home / "artifacts")
        self._files = MlflowFiles(api, self._artifacts)
        aliases = MlflowAliases(api, store, clock)
        self._aliases, self._aliases_of = aliases, aliases.of

    def models(self) -> Sequence[str]:
        """Names with at least one version."""
        found = self._api.pages("/registered-models/search", "registered_models", max_results=_PAGE)
        return sorted(str(m["name"]) for m in found if m.get("latest_versions"))

    def versions(self, model: str) -> Sequence[ModelVersion]:
        """Newest first."""
        aliases = self._aliases_of(model)
        if aliases is None:
            return []
        said = f"name='{_quoted(model)}'"
        listed = self._api.pages(
            "/model-versions/search", "model_versions", filter=said, max_results=_PAGE
        )
        found = [version_of(entry, aliases, self._artifacts.path) for entry in listed]
        return sorted(found, key=lambda version: -version.number)

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
        """Send the files, then create the version with its record in one call; once per ``job``."""
        refuse_bad_metrics(model, metrics)
        _refuse_name(model)
        if job is not None and (number := self._of_job(model, job)):
            return self.resolve(model, str(number))
        self._artifacts.keep(artifact, format)  # what is unsafe is refused before anything is sent
        run = mlflow_runs.begin(self._api, job or f"{model} {technique}")
        files = self._files.send(run, artifact, format, extras or {})
        record: dict[str, Any] = {
            "metrics": dict(metrics),
            "technique": technique,
            "parent": parent,
            "lineage": dict(lineage),
            "gate": dict(gate or {}),
            "files": files,
            "size": artifact.stat().st_size,
            "created_at": self._clock.now().isoformat(),
        }
        self._ensure(model)
        tags = tags_of(record, action_id, job)
        said = {"name": model, "source": run.source, "run_id": run.id, "tags": tags}
        made = self._api.call("POST", "/model-versions/create", **said)
        params = lineage.get("params")
        mlflow_runs.end(self._api, run, metrics, params if isinstance(params, dict) else {})
        number = int(made["model_version"]["version"])
        return self.resolve(model, str(self._settled(model, job, number)))

    def _settled(self, model: str, job: str | None, number: int) -> int:
        """Two that registered one job at once agree on the lower number; the other one goes."""
        first = number if job is None else self._of_job(model, job) or number
        if first != number:
            self._api.call("DELETE", "/model-versions/delete", name=model, version=str(number))
        return first

    def _of_job(self, model: str, job: str) -> int | None:
        said = f"name='{_quoted(model)}' and tags.`{JOB}`='{_quoted(job)}'"
        try:
            found = self._api.pages(
                "/model-versions/search", "model_versions", filter=said, max_results=_PAGE
            )
            return min((int(entry["version"]) for entry in found), default=None)
        except MissingInMlflow:
            return None

    def _ensure(self, model: str) -> None:
        if self._aliases_of(model) is None:
            try:
                self._api.call("POST", "/registered-models/create", name=model)
            except Failed:
                if self._aliases_of(model) is None:  # not because another one was faster
                    raise

    def verified(self, version: ModelVersion, extra: str | None = None) -> Path:
        """The file here, fetched from the server the first time, after checking its digest."""
        return self._files.verified(version, extra)


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _refuse_name(model: str) -> None:
    if "/" in model or ":" in model:
        raise Refused(
            f"MLflow takes no / or : in a model's name; rename {model} in steward.yaml.",
            f"MLflow 的模型名不能包含 / 或 :；请在 steward.yaml 中给 {model} 改名。",
        )


def open_mlflow(said: Mapping[str, Json], store: Store, home: Path, clock: Clock) -> MlflowRegistry:
    """The registry of ``registry: {kind: mlflow, url: …, token_env: …}``."""
    url, variable = said.get("url"), said.get("token_env")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise BadArguments(
            "registry.url in steward.yaml must be the address of the MLflow server, such as "
            "http://mlflow:5000.",
            "steward.yaml 的 registry.url 应为 MLflow 服务器地址，例如 http://mlflow:5000。",
        )
    token = os.environ.get(str(variable)) if variable else None
    return MlflowRegistry(MlflowApi(url, token), store, home, clock)

"""Model files on an MLflow server: sent by content, checked against their digest when fetched."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import BadArguments, Failed, Refused
from tools.models.artifacts import Artifacts, digest_of
from tools.models.mlflow_api import SCHEME, MissingInMlflow, MlflowApi
from tools.models.mlflow_records import DIGEST, pick, record_of
from tools.models.mlflow_runs import Run

if TYPE_CHECKING:
    from tools.contract import Json
    from tools.models.base import ModelVersion


class MlflowFiles:
    """The files of one server, kept here too once they were needed."""

    def __init__(self, api: MlflowApi, artifacts: Artifacts) -> None:
        self._api = api
        self._artifacts = artifacts

    def send(
        self, run: Run, artifact: Path, format: str, extras: Mapping[str, Path]
    ) -> dict[str, Json]:
        """Keep the files here and in the run; returns what the record says of them.

        Raises ``Refused`` for unsafe formats.
        """
        sent = {"": (artifact, format)}
        sent |= {name: (file, file.suffix.removeprefix(".")) for name, file in extras.items()}
        files: dict[str, Json] = {}
        for name, (file, kind) in sent.items():
            digest, place = self._artifacts.keep(file, kind)
            remote = f"{name or 'model'}{place.suffix}"
            self._api.put_file(f"{run.folder}/{remote}", place)
            files[name] = {"digest": digest, "format": kind, "file": remote}
        return files

    def verified(self, version: ModelVersion, extra: str | None = None) -> Path:
        """The file here, fetched from the server the first time, after checking its digest."""
        what = f"{version.model} version {version.number}"
        entry = self._api.call(
            "GET", "/model-versions/get", name=version.model, version=str(version.number)
        )["model_version"]
        record = record_of(entry)
        file = pick(record, extra) if record else None
        if file is None and extra is None:
            return self._foreign(version, entry, what)
        if file is None:
            raise BadArguments(
                f"{what} has no {extra}: it was registered without one.",
                f"{version.model} 版本 {version.number} 没有 {extra}：注册时未附带。",
            )
        place = self._artifacts.path(file["digest"], file["format"])
        if not place.is_file():
            self._fetch(entry, file["file"], file["format"], file["digest"], what)
        return self._artifacts.verified(file["digest"], file["format"], what)

    def _fetch(
        self, entry: Mapping[str, Any], name: str, format: str, digest: str | None, what: str
    ) -> str:
        """Bring a file into the local store; raises ``Failed`` when it is not the one recorded."""
        folder = self._folder(entry, what)
        with tempfile.TemporaryDirectory(prefix="mlflow-") as scratch:
            file = Path(scratch) / name
            try:
                self._api.get_file(f"{folder}/{name}", file)
            except MissingInMlflow:
                raise Failed(
                    f"The file of {what} is missing from MLflow; restore it or train again.",
                    f"MLflow 上没有 {what} 的文件；请恢复备份或重新训练。",
                ) from None
            if digest is not None and digest_of(file) != digest:
                raise Failed(
                    f"The file of {what} was altered: its sha256 is not {digest[:12]}. Not loaded.",
                    f"{what} 的文件被改动过：sha256 不是 {digest[:12]}。未加载。",
                )
            return self._artifacts.keep(file, format)[0]

    def _foreign(self, version: ModelVersion, entry: Mapping[str, Any], what: str) -> Path:
        """The ONNX file of a version that others logged; its digest is pinned the first time."""
        try:
            names = [n for n in self._api.files(self._folder(entry, what)) if n.endswith(".onnx")]
        except MissingInMlflow:
            names = []
        if len(names) != 1:
            raise Refused(
                f"{what} was logged to MLflow by others and is not one ONNX file; log it with "
                "mlflow.onnx, or import its weights with import_model.",
                f"{what} 由其他工具登记到 MLflow，且不是单个 ONNX 文件；"
                "请用 mlflow.onnx 登记，或用 import_model 导入权重。",
            )
        digest = self._fetch(entry, names[0], "onnx", version.digest or None, what)
        if not version.digest:
            self._api.call(
                "POST",
                "/model-versions/set-tag",
                name=version.model,
                version=str(version.number),
                key=DIGEST,
                value=digest,
            )
        return self._artifacts.verified(digest, "onnx", what)

    def _folder(self, entry: Mapping[str, Any], what: str) -> str:
        """Where a version's files are; ``runs:/`` and ``models:/`` are resolved by the server."""
        said = {"name": str(entry["name"]), "version": str(entry["version"])}
        place = str(
            self._api.call("GET", "/model-versions/get-download-uri", **said)["artifact_uri"]
        )
        if not place.startswith(SCHEME):
            raise Refused(
                f"{what} is kept outside the MLflow server ({place.split(':')[0]}); "
                "log it through a server with --serve-artifacts.",
                f"{what} 保存在 MLflow 服务器之外（{place.split(':')[0]}）；"
                "请通过启用 --serve-artifacts 的服务器登记。",
            )
        return place.removeprefix(SCHEME).strip("/")

"""Values and errors of a Docker engine, free of its SDK."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tools.errors import BadArguments, Failed, Refused, ToolError


class NoImage(Failed):
    """The image is not on this host and cannot be pulled."""


class NoContainer(BadArguments):
    """The container is not there (any more)."""


class Going(Refused):
    """The container is being removed by somebody else right now."""


@dataclass(frozen=True, slots=True)
class Box:
    """A container."""

    id: str
    name: str
    image: str
    labels: Mapping[str, str]
    state: str
    """``created``, ``running``, ``restarting``, ``exited``, ``dead``, ``paused``."""
    created: datetime
    exit_code: int | None = None
    oom: bool = False
    restarts: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A container to make."""

    name: str
    image: str
    labels: Mapping[str, str]
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    binds: Sequence[str] = ()
    network: str | None = None
    port: tuple[str, int, int] | None = None
    """Host address, host port, container port to publish."""
    restart: str = "unless-stopped"
    memory: str | None = None
    gpus: int = 0
    shm: str | None = None


def box_of(row: Mapping[str, Any]) -> Box:
    """A container of a listing."""
    return Box(
        id=row["Id"],
        name=row["Names"][0].lstrip("/") if row.get("Names") else row["Id"][:12],
        image=row["Image"],
        labels=row.get("Labels") or {},
        state=row["State"],
        created=datetime.fromtimestamp(row["Created"], UTC),
    )


def moment(text: str) -> datetime:
    """A time as the engine writes it, to the second."""
    moment = datetime.fromisoformat(text[:19])
    return moment.replace(tzinfo=UTC)


def explanation(error: Any) -> str:
    """What the engine said, on one line."""
    return short(str(getattr(error, "explanation", None) or error))


def short(text: str) -> str:
    """One line of at most 240 characters."""
    return " ".join(text.split())[:240]


def explain(where: str, code: int, said: str) -> ToolError:
    """The error for a refusal of the engine."""
    low = said.lower()
    if "port is already allocated" in low or "address already in use" in low:
        return Refused(
            f"{where}: the port is taken by something else: {said}",
            f"{where}：端口已被占用：{said}",
        )
    if "pull access denied" in low or "no such image" in low or "manifest" in low:
        return NoImage(f"image cannot be pulled: {said}", f"镜像无法拉取：{said}")
    if "no space left" in low:
        return Failed(
            f"{where}: the disk of the Docker host is full: {said}", f"{where}：磁盘已满：{said}"
        )
    if "removal" in low:
        return Going(f"{where}: {said}")
    if code == 409:
        return Refused(f"{where}: {said}", f"{where}：{said}")
    if code >= 500 and "could not select device driver" in low:
        return Failed(f"no capacity (nvidia.com/gpu): {said}", f"没有可用的 GPU：{said}")
    if code >= 500:
        return Failed(f"{where}: the engine failed: {said}", f"{where}：引擎出错：{said}")
    return Refused(f"{where} refuses it: {said}", f"{where} 拒绝：{said}")


def tarred(files: Mapping[str, bytes]) -> bytes:
    """Files as the archive that an engine unpacks."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, data in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode, entry.mtime = len(data), 0o644, int(time.time())
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()

"""What this machine can carry: refused before anybody is asked."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping
from pathlib import Path

from tools.contract import Json
from tools.errors import Refused
from tools.platforms.base import Release
from tools.platforms.local_process import Identity, memory
from tools.platforms.local_records import Observed

MOST_REPLICAS = 32
"""Server processes of one deployment, unless its option ``max_replicas`` says otherwise."""
USUAL_MEMORY = 90 * 2**20
"""Bytes of an idle server with a small ONNX model, where none runs to be measured."""


def refuse_too_many(
    name: str, replicas: int, observed: Observed, options: Mapping[str, Json]
) -> None:
    """Raise ``Refused`` when so many replicas do not fit on this machine."""
    limit = options.get("max_replicas", MOST_REPLICAS)
    most = limit if isinstance(limit, int) else MOST_REPLICAS
    if replicas > most:
        raise Refused(
            f"{replicas} replicas of {name} are too many for this machine: the limit is {most} "
            "(option max_replicas).",
            f"{name} 的 {replicas} 个副本超出本机上限 {most}（选项 max_replicas）。",
        )
    import psutil

    sizes = [memory(Identity(r.pid, r.start)) for r in observed.replicas if r.state == "ready"]
    each = max(sizes, default=0) or USUAL_MEMORY
    more = max(0, replicas - len(sizes))
    free = int(psutil.virtual_memory().available)
    if more * each > free * 0.9:
        raise Refused(
            f"{replicas} replicas of {name} need about {more * each / 2**30:.1f} GiB more memory; "
            f"this machine has {free / 2**30:.1f} GiB free.",
            f"{name} 的 {replicas} 个副本还需约 {more * each / 2**30:.1f} GiB 内存，"
            f"本机仅剩 {free / 2**30:.1f} GiB。",
        )


def refuse_missing(name: str, release: Release) -> None:
    """Raise ``Refused`` when the artefact of a release is not on this machine."""
    if release.artifact is None or not Path(release.artifact).is_file():
        where = release.artifact or "nowhere"
        raise Refused(
            f"The artefact of version {release.version} for {name} is missing ({where}).",
            f"{name} 的版本 {release.version} 的模型文件缺失（{where}）。",
        )


def free_port(seed: str, taken: Collection[int]) -> int:
    """A port nobody listens on, the same for the same deployment when possible."""
    import socket

    first = 20000 + zlib.crc32(seed.encode()) % 10000
    for port in (*range(first, 30000), *range(20000, first)):
        if port in taken:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Refused("No port between 20000 and 30000 is free.", "20000–30000 之间没有空闲端口。")


def refuse_taken(name: str, port: int, ours: bool) -> None:
    """Raise ``Refused`` when another program listens on the deployment's port."""
    import socket

    if ours:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            who = _holder(port)
            raise Refused(
                f"Port {port} of {name} is taken by {who}; stop it, or give {name} another port.",
                f"{name} 的端口 {port} 已被 {who} 占用；请停止它，或为 {name} 换一个端口。",
            ) from None


def _holder(port: int) -> str:
    import psutil

    for connection in psutil.net_connections("tcp"):
        if connection.laddr and connection.laddr.port == port and connection.pid:
            try:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.Error:
                return f"pid {connection.pid}"
    return "another program"

"""A Docker engine as plain values: the only file that knows the SDK."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import Any

from tools.errors import Failed, Unavailable
from tools.platforms.docker_values import (
    Box,
    Going,
    NoContainer,
    NoImage,
    Recipe,
    box_of,
    explain,
    explanation,
    moment,
    short,
    tarred,
)


class Engine:
    """One engine, reached at first use. Thread-safe."""

    def __init__(self, where: str, host: str | None = None, timeout: float = 30.0) -> None:
        self.where = where
        self.host = host
        self._timeout = timeout
        self._lock = Lock()
        self._api: Any = None

    @property
    def api(self) -> Any:
        """The SDK's low-level client, which speaks dictionaries."""
        from docker import APIClient
        from docker.utils import kwargs_from_env

        with self._lock:
            if self._api is None:
                loose: Any = kwargs_from_env
                given: dict[str, Any] = loose()
                if self.host:
                    given["base_url"] = self.host
                make: Any = APIClient
                with self.translated():
                    self._api = make(version="auto", timeout=self._timeout, **given)
            return self._api

    @contextmanager
    def translated(self) -> Generator[None]:
        """SDK errors as sentences."""
        from docker.errors import APIError, DockerException, ImageNotFound, NotFound
        from requests.exceptions import RequestException

        try:
            yield
        except ImageNotFound as error:
            raise NoImage(f"image cannot be pulled: {explanation(error)}") from error
        except NotFound as error:
            said = explanation(error)
            kind = NoImage if "image" in said.lower() else NoContainer
            raise kind(f"{self.where}: {said}") from error
        except APIError as error:
            raise explain(self.where, int(error.status_code or 0), explanation(error)) from error
        except (DockerException, RequestException, OSError) as error:
            raise Unavailable(
                f"The Docker engine of {self.where} does not answer ({short(str(error))}); start it,"
                " set host in steward.yaml, or give this user access to it.",
                f"{self.where} 的 Docker 引擎没有响应（{short(str(error))}）；请启动它、在 steward.yaml"
                " 中设置 host，或授予当前用户访问权限。",
            ) from error

    def boxes(self, labels: Mapping[str, str], *, detail: bool = True) -> list[Box]:
        """Containers with these labels, oldest first; ``detail`` adds how the ended ones ended."""
        wanted = [f"{k}={v}" if v else k for k, v in labels.items()]
        with self.translated():
            rows = self.api.containers(all=True, filters={"label": wanted})
        found = [box_of(row) for row in rows]
        if detail:
            looked = [b if b.state == "running" else self.inspect(b.id) for b in found]
            found = [b for b in looked if b is not None and b.state != "removing"]
        return sorted(found, key=lambda b: (b.created, b.name))

    def inspect(self, container: str) -> Box | None:
        """One container by id or name, or ``None``."""
        try:
            with self.translated():
                raw: dict[str, Any] = self.api.inspect_container(container)
        except NoContainer:
            return None
        state = raw["State"]
        return Box(
            id=raw["Id"],
            name=raw["Name"].lstrip("/"),
            image=raw["Config"]["Image"],
            labels=raw["Config"]["Labels"] or {},
            state=state["Status"],
            created=moment(raw["Created"]),
            exit_code=state.get("ExitCode"),
            oom=bool(state.get("OOMKilled")),
            restarts=int(raw.get("RestartCount") or 0),
            error=state.get("Error") or "",
        )

    def make(self, recipe: Recipe) -> str:
        """Make a container and leave it to :meth:`start`; its id. A container of that name is a ``Refused``."""
        api = self.api
        host: dict[str, Any] = {
            "binds": list(recipe.binds),
            "restart_policy": {"Name": recipe.restart},
            "init": True,
        }
        if recipe.port:
            address, outer, inner = recipe.port
            host["port_bindings"] = {inner: (address, outer)}
        if recipe.network:
            host["network_mode"] = recipe.network
        if recipe.memory:
            host["mem_limit"] = recipe.memory
        if recipe.shm:
            host["shm_size"] = recipe.shm
        if recipe.gpus:
            host["device_requests"] = [
                {"Driver": "nvidia", "Count": recipe.gpus, "Capabilities": [["gpu"]]}
            ]
        with self.translated():
            made = api.create_container(
                recipe.image,
                list(recipe.command) or None,
                name=recipe.name,
                labels=dict(recipe.labels),
                environment=dict(recipe.env),
                ports=[recipe.port[2]] if recipe.port else None,
                host_config=api.create_host_config(**host),
            )
            return str(made["Id"])

    def has_image(self, image: str) -> bool:
        """Whether the image is on this host."""
        try:
            with self.translated():
                self.api.inspect_image(image)
        except NoImage:
            return False
        return True

    def ensure_image(self, image: str) -> None:
        """Have the image on this host, pulled if need be; raises :class:`NoImage`."""
        if self.has_image(image):
            return
        with self.translated():
            for row in self.api.pull(image, stream=True, decode=True):
                if "error" in row:
                    raise NoImage(
                        f"image cannot be pulled: {image}: {short(row['error'])}",
                        f"镜像无法拉取：{image}：{short(row['error'])}",
                    )

    def start(self, container: str) -> None:
        """Start a made container."""
        with self.translated():
            self.api.start(container)

    def stop(self, container: str, seconds: int) -> None:
        """SIGTERM, then SIGKILL after ``seconds``; a container that is gone is fine."""
        try:
            with self.translated():
                self.api.stop(container, timeout=seconds)
        except NoContainer:
            return

    def remove(self, container: str) -> None:
        """Remove a container, running or not; one that is gone is fine."""
        try:
            with self.translated():
                self.api.remove_container(container, force=True, v=True)
        except (NoContainer, Going):
            return

    def execute(self, container: str, command: Sequence[str], env: Mapping[str, str]) -> str:
        """Run a command in a running container; its standard output. ``Failed`` when it fails."""
        with self.translated():
            made = self.api.exec_create(container, list(command), environment=dict(env))
            out, err = self.api.exec_start(made["Id"], demux=True)
            code = self.api.exec_inspect(made["Id"])["ExitCode"]
        if code:
            raise Failed(f"{command[0]} in {container} failed: {short((err or b'').decode())}")
        return (out or b"").decode()

    def put_files(self, container: str, files: Mapping[str, bytes]) -> None:
        """Write files into a container, with the folders they need."""
        with self.translated():
            self.api.put_archive(container, "/", tarred(files))

    def read_file(self, container: str, path: str) -> bytes:
        """Read a file out of a container, running or not; raises :class:`NoContainer`."""
        with self.translated():
            chunks, _ = self.api.get_archive(container, path)
            packed = io.BytesIO(b"".join(chunks))
        with tarfile.open(fileobj=packed) as tar:
            held = tar.extractfile(tar.getmembers()[0])
            return held.read() if held else b""

    def logs(self, container: str, since: datetime | None, limit: int) -> str:
        """Its newest lines, each with its time."""
        try:
            with self.translated():
                raw: bytes = self.api.logs(
                    container,
                    timestamps=True,
                    tail=limit,
                    since=int(since.timestamp()) if since else None,
                )
        except (NoContainer, Going):
            return ""
        return raw.decode("utf-8", "replace")

    def events(self, labels: Mapping[str, str], since: datetime) -> list[dict[str, Any]]:
        """What the engine reported about containers with these labels, oldest first."""
        wanted = [f"{k}={v}" if v else k for k, v in labels.items()]
        with self.translated():
            stream: Iterator[dict[str, Any]] = self.api.events(
                since=int(since.timestamp()),
                until=int(time.time()) + 1,
                filters={"label": wanted, "type": "container"},
                decode=True,
            )
            return list(stream)

    def close(self) -> None:
        """Let the connections go."""
        if self._api is not None:
            self._api.close()
            self._api = None

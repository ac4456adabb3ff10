"""The REST interface of an MLflow server: registered models, versions, aliases, proxied artefacts.

https://mlflow.org/docs/latest/api_reference/rest-api.html (2.0 paths, served by MLflow 2 and 3).
Plain HTTP rather than MLflow's own client: that client brings forty packages and pins of its own
for the dozen calls used here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tools.errors import Failed, Unavailable

if TYPE_CHECKING:
    import httpx

_ROOT = "/api/2.0/mlflow"
_FILES = "/api/2.0/mlflow-artifacts/artifacts"
SCHEME = "mlflow-artifacts:/"
"""Where the server itself keeps artefacts (``--serve-artifacts``, its default)."""
_TIMEOUT = 30.0
_PIECE = 1 << 20


class MissingInMlflow(Exception):
    """What was asked for is not there."""


class MlflowApi:
    """One server. Raises ``Unavailable`` when it does not answer, ``Failed`` when it refuses."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client: httpx.Client | None = None

    def call(self, method: str, path: str, **said: Any) -> dict[str, Any]:
        """JSON of one call; GET sends ``said`` as parameters, everything else as a body."""
        more = {"params": said} if method == "GET" else {"json": said}
        response = self._send(method, _ROOT + path, **more)
        found: Any = response.json() if response.content else {}
        return cast("dict[str, Any]", found)

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        import httpx

        if self._client is None:
            self._client = httpx.Client(
                base_url=self.url, headers=self._headers, timeout=_TIMEOUT, follow_redirects=True
            )
        try:
            response = self._client.request(method, path, **more)
        except httpx.HTTPError as error:
            raise Unavailable(
                f"The MLflow server at {self.url} does not answer: {error or type(error).__name__}.",
                f"MLflow 服务器 {self.url} 没有响应：{error or type(error).__name__}。",
            ) from None
        if response.is_success:
            return response
        code, said = _fault(response)
        if response.status_code == 404 or code == "RESOURCE_DOES_NOT_EXIST":
            raise MissingInMlflow(said)
        raise Failed(
            f"The MLflow server at {self.url} refused {path}: {said} (HTTP {response.status_code}).",
            f"MLflow 服务器 {self.url} 拒绝了 {path}：{said}（HTTP {response.status_code}）。",
        )

    def pages(self, path: str, key: str, **said: Any) -> Iterator[dict[str, Any]]:
        """Every entry of a paged search."""
        token = ""
        while True:
            more = {"page_token": token} if token else {}
            found = self.call("GET", path, **said, **more)
            yield from found.get(key, [])
            token = str(found.get("next_page_token") or "")
            if not token:
                return

    def put_file(self, path: str, file: Path) -> None:
        """Keep a file on the server under ``path``; the same content may be sent twice."""

        def pieces() -> Iterator[bytes]:
            with file.open("rb") as opened:
                while piece := opened.read(_PIECE):
                    yield piece

        try:
            self._send("PUT", f"{_FILES}/{path}", content=pieces())
        except MissingInMlflow:
            raise Failed(
                f"The MLflow server at {self.url} does not take artefacts; start it with "
                "--serve-artifacts.",
                f"MLflow 服务器 {self.url} 不接收模型文件；请用 --serve-artifacts 启动。",
            ) from None

    def get_file(self, path: str, to: Path) -> None:
        """Fetch a file; raises :class:`MissingInMlflow`."""
        response = self._send("GET", f"{_FILES}/{path}")
        to.write_bytes(response.content)

    def files(self, path: str) -> list[str]:
        """Names of the files right below ``path``."""
        response = self._send("GET", _FILES, params={"path": path})
        listed: Any = response.json().get("files", [])
        return [str(f["path"]).rpartition("/")[2] for f in listed if not f.get("is_dir")]


def _fault(response: httpx.Response) -> tuple[str, str]:
    try:
        body: Any = response.json()
        said = cast("Mapping[str, Any]", body)
        return str(said.get("error_code", "")), str(said.get("message", ""))[:200]
    except ValueError:
        return "", response.text[:200]

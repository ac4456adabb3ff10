"""The fleet's Prometheus over its HTTP API: the only file that speaks to it.

steward.yaml: ``prometheus: {url: http://prometheus:9090, timeout: 10, token_env: PROM_TOKEN}``;
also ``headers`` (a mapping) and ``proxy: true`` to honour the proxy variables of the environment.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from tools.contract import Json
from tools.errors import BadArguments, Unavailable
from tools.observe.base import Series
from tools.observe.metrics import unit_of

if TYPE_CHECKING:
    import httpx

MOST_SERIES = 200
"""More series than this in one answer are counted, not kept."""
_POINTS = 240
_NAMES_KEPT = 60.0


class Prometheus:
    """Queries, and what is exported at all. Thread-safe."""

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 10.0,
        headers: Mapping[str, str] | None = None,
        proxy: bool = False,
    ) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._headers = dict(headers or {})
        self._proxy = proxy
        self._client: httpx.Client | None = None
        self._names: tuple[float, frozenset[str]] | None = None
        self._labels: tuple[float, frozenset[str]] | None = None

    def exported(self) -> frozenset[str]:
        """Names of metrics with samples in the last hour; asked at most once a minute."""
        if self._names is None or time.monotonic() - self._names[0] > _NAMES_KEPT:
            self._names = (time.monotonic(), self._strings("label/__name__/values"))
        return self._names[1]

    def labels(self) -> frozenset[str]:
        """Names of labels in the last hour; asked at most once a minute."""
        if self._labels is None or time.monotonic() - self._labels[0] > _NAMES_KEPT:
            self._labels = (time.monotonic(), self._strings("labels"))
        return self._labels[1]

    def _strings(self, path: str) -> frozenset[str]:
        now = time.time()
        data = self._ask("GET", path, {"start": f"{now - 3600:.0f}", "end": f"{now:.0f}"})
        return frozenset(str(v) for v in cast("list[Any]", data))

    def range(
        self, query: str, window: timedelta, *, name: str = "", unit: str | None = None
    ) -> tuple[tuple[Series, ...], int]:
        """Series over the last ``window``, and how many more there were than were kept."""
        seconds = window.total_seconds()
        step = max(round(seconds / _POINTS), 5)
        now = time.time()
        data = self._ask(
            "POST",
            "query_range",
            {
                "query": query,
                "start": f"{now - seconds:.3f}",
                "end": f"{now:.3f}",
                "step": str(step),
            },
        )
        rows = _list(data, "result")
        kept = tuple(_series(row, name, unit) for row in rows[:MOST_SERIES])
        return kept, max(len(rows) - MOST_SERIES, 0)

    def rules(self) -> tuple[Mapping[str, Any], ...]:
        """Alerting rules as loaded: ``name``, ``query``, ``health``, ``state``, …"""
        data = self._ask("GET", "rules", {"type": "alert"})
        return tuple(rule for group in _list(data, "groups") for rule in _list(group, "rules"))

    def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _ask(self, method: str, path: str, params: Mapping[str, str]) -> Any:
        import httpx

        if self._client is None:
            self._client = httpx.Client(
                timeout=self._timeout, headers=self._headers, trust_env=self._proxy
            )
        place = {"params": params} if method == "GET" else {"data": params}
        try:
            answer = self._client.request(method, f"{self.url}/api/v1/{path}", **place)  # pyright: ignore[reportArgumentType]
        except httpx.TimeoutException:
            raise Unavailable(
                f"Prometheus at {self.url} did not answer within {self._timeout:g} s; ask for a "
                "shorter window or raise prometheus.timeout in steward.yaml.",
                f"{self.url} 的 Prometheus 在 {self._timeout:g} 秒内没有回答；"
                "请缩短时间范围，或在 steward.yaml 调大 prometheus.timeout。",
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(
                f"Prometheus at {self.url} cannot be reached ({error}); check prometheus.url in "
                "steward.yaml.",
                f"无法连接 {self.url} 的 Prometheus（{error}）；"
                "请检查 steward.yaml 中的 prometheus.url。",
            ) from None
        return _data(self.url, answer)


def _list(document: Any, key: str) -> list[Any]:
    return cast("dict[str, list[Any]]", document).get(key, []) if isinstance(document, dict) else []


def _data(url: str, answer: httpx.Response) -> Any:
    try:
        body = answer.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        document = cast("dict[str, Any]", body)
        if document.get("status") == "success":
            return document.get("data")
        said = str(document.get("error", ""))[:300]
        if answer.status_code in (400, 422):
            raise BadArguments(
                f"Prometheus does not accept this query: {said}.",
                f"Prometheus 不接受这个查询：{said}。",
            )
        if said:
            raise Unavailable(
                f"Prometheus at {url} failed: {said}.", f"{url} 的 Prometheus 出错：{said}。"
            )
    if answer.status_code in (401, 403):
        raise Unavailable(
            f"Prometheus at {url} refuses Steward ({answer.status_code}); set "
            "prometheus.token_env in steward.yaml.",
            f"{url} 的 Prometheus 拒绝访问（{answer.status_code}）；"
            "请在 steward.yaml 设置 prometheus.token_env。",
        )
    raise Unavailable(
        f"{url} answers {answer.status_code} and not as Prometheus does; check prometheus.url.",
        f"{url} 返回 {answer.status_code}，不像是 Prometheus；请检查 prometheus.url。",
    )


def _series(row: Mapping[str, Any], name: str, unit: str | None) -> Series:
    labels = {str(k): str(v) for k, v in row.get("metric", {}).items()}
    own = labels.pop("__name__", "")
    points = tuple((datetime.fromtimestamp(float(t), UTC), float(v)) for t, v in row["values"])
    known = unit if unit is not None else unit_of(own)
    return Series(name or own or "value", labels, known, points)


def configured(section: Json) -> Prometheus | None:
    """The Prometheus of a fleet's section, or ``None`` without one; ``BadArguments`` if wrong."""
    if section is None:
        return None
    if not isinstance(section, dict) or not isinstance(section.get("url"), str):
        raise BadArguments(
            "steward.yaml: prometheus needs a url, such as http://prometheus:9090.",
            "steward.yaml：prometheus 需要 url，例如 http://prometheus:9090。",
        )
    given = section.get("headers")
    headers = {k: str(v) for k, v in given.items()} if isinstance(given, dict) else {}
    variable = section.get("token_env")
    if isinstance(variable, str):
        token = os.environ.get(variable, "")
        if not token:
            raise BadArguments(
                f"steward.yaml: prometheus.token_env names {variable}, which is not set.",
                f"steward.yaml：prometheus.token_env 指定的 {variable} 没有设置。",
            )
        headers["Authorization"] = f"Bearer {token}"
    timeout = section.get("timeout", 10)
    seconds = float(timeout) if isinstance(timeout, int | float) else 10.0
    return Prometheus(
        str(section["url"]), timeout=seconds, headers=headers, proxy=bool(section.get("proxy"))
    )

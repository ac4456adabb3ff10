"""The Kubernetes API server, as plain dictionaries: the only file that knows the SDK.

The SDK gives authentication (kubeconfig, exec plug-ins, in-cluster tokens), TLS and connections;
answers are parsed here rather than into its model classes, which would cost seconds and hundreds
of megabytes on large lists. Reads are tried again on passing faults; a write never is, except where
the server said that it did not begin (401, 429).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Any
from urllib.parse import urlencode

from tools.platforms.kubernetes_connection import MANAGER, Access, connect, why
from tools.platforms.kubernetes_errors import (
    Broken,
    Denied,
    Gone,
    Missing,
    Throttled,
    translate,
    unreachable,
)
from tools.platforms.kubernetes_objects import Obj
from tools.platforms.kubernetes_request import (
    JSON_PATCH,
    PAGE,
    Reply,
    parsed,
)

_TRIES = 3


class Api:
    """One cluster. Thread-safe; connects at first use and again when a token expired."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.calls = 0
        """Requests sent since it was made."""
        self._lock = Lock()
        self._client: Any = None
        self._skew = 0.0

    def now(self) -> datetime:
        """The server's time, by the last answer's ``Date``: clocks of two machines differ."""
        return datetime.fromtimestamp(time.time() + self._skew, UTC)

    def get(self, path: str, query: Mapping[str, Any] | None = None, accept: str = "") -> Obj:
        """One object or one page; raises :class:`Missing` and the other translated errors."""
        return parsed(self._send("GET", path, query, accept=accept).data)

    def find(self, path: str) -> Obj | None:
        """One object, or ``None`` where there is none."""
        try:
            return self.get(path)
        except Missing:
            return None

    def items(
        self,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        accept: str = "",
        most: int = 20_000,
    ) -> Iterator[Obj]:
        """Every item of a list, page by page, at most ``most``; an expired list is begun anew."""
        asked = {**(query or {}), "limit": min(PAGE, most)}
        seen: set[str] = set()
        for attempt in range(_TRIES):
            try:
                for item in self._pages(path, asked, accept):
                    uid = item["metadata"]["uid"]
                    if uid not in seen:
                        seen.add(uid)
                        yield item
                    if len(seen) >= most:
                        return
                return
            except Gone:
                if attempt == _TRIES - 1:
                    raise

    def _pages(self, path: str, asked: dict[str, Any], accept: str) -> Iterator[Obj]:
        while True:
            page = self.get(path, asked, accept)
            yield from page.get("items") or ()
            more = page["metadata"].get("continue")
            if not more:
                return
            asked = {**asked, "continue": more}

    def patch(
        self, path: str, body: Any, *, kind: str = JSON_PATCH, dry_run: bool = False
    ) -> Reply:
        """Change an object; ``dry_run`` runs admission and validation and persists nothing."""
        query = {"fieldManager": MANAGER, "fieldValidation": "Warn"}
        if dry_run:
            query["dryRun"] = "All"
        return self._write("PATCH", path, query, body, kind)

    def create(self, path: str, body: Obj, *, dry_run: bool = False) -> Reply:
        """Make an object; raises :class:`kubernetes_errors.Exists`."""
        query = {"fieldManager": MANAGER, "fieldValidation": "Warn"}
        if dry_run:
            query["dryRun"] = "All"
        return self._write("POST", path, query, body, "application/json")

    def delete(self, path: str, uid: str) -> None:
        """Delete exactly this object, with what it owns."""
        body = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": "Background",
            "preconditions": {"uid": uid},
        }
        self._write("DELETE", path, {}, body, "application/json")

    def text(self, path: str, query: Mapping[str, Any] | None = None) -> str:
        """A plain-text answer (logs, metrics), decoded leniently."""
        return self._send("GET", path, query, accept="*/*").data.decode("utf-8", "replace")

    def watch(
        self, path: str, query: Mapping[str, Any], seconds: float
    ) -> Iterator[tuple[str, Obj]]:
        """Events of a watch until it ends; raises :class:`Gone` when it must begin anew."""
        asked = {**query, "watch": "true", "allowWatchBookmarks": "true"}
        asked["timeoutSeconds"] = max(1, int(seconds))
        answer = self._send("GET", path, asked, stream=True, seconds=seconds + 5)
        try:
            for line in self._lines(answer):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    status = event["object"]
                    raise translate(
                        self.access.where, status.get("code", 500), json.dumps(status).encode()
                    )
                yield event["type"], event["object"]
        finally:
            answer.close()

    def _lines(self, answer: Any) -> Iterator[bytes]:
        from urllib3.exceptions import HTTPError

        rest = b""
        try:
            for chunk in answer.stream(65536, decode_content=True):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (line for line in lines if line)
        except (HTTPError, OSError) as error:
            raise unreachable(self.access.where, self._host(), why(error)) from error

    def _write(
        self, method: str, path: str, query: Mapping[str, Any], body: Any, kind: str
    ) -> Reply:
        answer = self._send(method, path, query, body=body, kind=kind)
        value = json.loads(answer.data)
        warnings = answer.headers.getlist("Warning")
        return Reply(value, tuple(w.split('"', 1)[-1].rstrip('"') for w in warnings))

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        *,
        accept: str = "",
        body: Any = None,
        kind: str = "",
        stream: bool = False,
        seconds: float | None = None,
    ) -> Any:
        target = f"{path}?{urlencode(query)}" if query else path
        headers = {"Accept": accept or "application/json"}
        if kind:
            headers["Content-Type"] = kind
        last: Exception | None = None
        for attempt in range(_TRIES):
            try:
                return self._once(method, target, headers, body, stream, seconds)
            except Denied as error:
                last, self._client = error, None  # a fresh token may be on disk
            except Throttled as error:
                if error.budget or error.after > 5:
                    raise
                last = error
                time.sleep(error.after)
            except Broken as error:
                if method != "GET":
                    raise
                last = error
                time.sleep(0.2 * 3**attempt)
        assert last is not None
        raise last

    def _once(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: Any,
        stream: bool,
        seconds: float | None,
    ) -> Any:
        from urllib3.exceptions import HTTPError

        client = self._connected()
        request: Any = client.param_serialize(
            method, target, header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        limit = self.access.timeout
        with self._lock:
            self.calls += 1
        try:
            answer = client.call_api(*request, _request_timeout=(limit / 3, seconds or limit))
            raw: Any = answer.response
            self._tell_time(raw.headers.get("Date"))
            if 200 <= raw.status <= 299:
                if not stream:
                    _ = raw.data
                return raw
            said, after = raw.data, raw.headers.get("Retry-After")
        except (HTTPError, OSError) as error:
            raise unreachable(self.access.where, self._host(), why(error)) from error
        raise translate(self.access.where, raw.status, said, float(after or 1))

    def _tell_time(self, date: str | None) -> None:
        if date:
            self._skew = parsedate_to_datetime(date).timestamp() + 0.5 - time.time()

    def _host(self) -> str:
        return str(self._client.configuration.host) if self._client else "its address"

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = connect(self.access)
            return self._client

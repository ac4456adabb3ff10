"""The HTTP side: routes, authentication, lists, watches, patches, and faults on demand."""

from __future__ import annotations

import json
import re
import socket
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.platforms.api_double import errors, patching
from tests.platforms.api_double.admission import check_update, defaulted
from tests.platforms.api_double.errors import ApiError
from tests.platforms.api_double.store import CLUSTER_WIDE, KINDS, Obj, Store

_VERBS = {"POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete"}


@dataclass
class Faults:
    """What goes wrong on purpose."""

    latency: float = 0.0
    fail_next: int = 0
    """So many of the next requests are answered 500 before they do anything."""
    drop_next: int = 0
    """So many of the next writes are carried out and the connection is cut before the answer."""
    conflict_next: int = 0
    down: bool = False
    """Connections are closed without an answer."""
    expired_tokens: set[str] = field(default_factory=set)
    forbidden: set[tuple[str, str]] = field(default_factory=set)
    """``(verb, plural)`` that the authorizer refuses."""
    cut_watches_after: int = 0
    """End a watch after so many events."""
    expire_continue: int = 0
    """So many of the next continue tokens are answered 410."""
    throttle_next: int = 0


@dataclass(frozen=True)
class Address:
    resource: str
    namespace: str | None
    name: str
    subresource: str
    rest: str = ""

    @property
    def plural(self) -> str:
        return self.resource.rpartition("/")[2]


_PATH = re.compile(
    r"^/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+/[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/))?"
    r"/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[^/]+)(?P<rest>/.*)?)?)?$"
)


class ApiServer:
    def __init__(self, store: Store, plugins: Any) -> None:
        self.store = store
        self.plugins = plugins
        self.faults = Faults()
        self.tokens = {"good": "system:serviceaccount:steward:steward"}
        self.requests: list[tuple[str, str]] = []
        self.groups = {"apps", "batch", "policy", "autoscaling", "events.k8s.io"}
        api = self

        class Handler(_Handler):
            owner = api

        self._http = _Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def serve(self) -> None:
        self._http.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def user(self, header: str) -> str:
        token = header.removeprefix("Bearer ").strip()
        if token not in self.tokens or token in self.faults.expired_tokens:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        return self.tokens[token]


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    owner: ApiServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(self.owner.store.clock.seconds(), usegmt=True)

    def _handle(self) -> None:
        faults = self.owner.faults
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if length else b""
        if faults.down:
            self.close_connection = True
            return
        if faults.latency:
            time.sleep(faults.latency)
        split = urlsplit(self.path)
        self.owner.requests.append((self.command, split.path))
        query = dict(parse_qsl(split.query))
        try:
            self._spoil()
            user = self.owner.user(self.headers.get("Authorization", ""))
            self._route(user, split.path, query, json.loads(raw) if raw else None)
        except ApiError as error:
            self._json(error.body(), error.code, list(error.headers.items()))
        except patching.TestFailed as error:
            failed = errors.rejected(str(error))
            self._json(failed.body(), failed.code)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _handle

    def _spoil(self) -> None:
        faults = self.owner.faults
        if faults.fail_next > 0:
            faults.fail_next -= 1
            raise ApiError(
                500, "InternalError", "Internal error occurred: etcdserver: leader changed"
            )
        if faults.throttle_next > 0:
            faults.throttle_next -= 1
            error = ApiError(429, "TooManyRequests", "too many requests, please try again later.")
            error.headers["Retry-After"] = "1"
            raise error
        if faults.conflict_next > 0 and self.command == "PATCH":
            faults.conflict_next -= 1
            raise errors.conflict("apps/v1/deployments", "it")

    def _route(self, user: str, path: str, query: dict[str, str], body: Any) -> None:
        if path == "/apis":
            groups = [{"name": g} for g in sorted(self.owner.groups)]
            self._json({"kind": "APIGroupList", "groups": groups})
            return
        match = _PATH.match(path)
        if match is None:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        found = match.groupdict()
        resource = f"{found['core'] or found['group']}/{found['plural']}"
        group = resource.split("/")[0]
        custom = (
            "." in group and group.split(".")[-1] in ("io", "org", "com") and "k8s" not in group
        )
        if resource not in KINDS or (custom and group not in self.owner.groups):
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        where = Address(
            resource,
            found["namespace"],
            found["name"] or "",
            found["sub"] or "",
            found["rest"] or "",
        )
        self._authorize(user, where, query)
        if self.command == "GET":
            self._get(where, query)
        else:
            self._change(where, query, body)

    def _authorize(self, user: str, where: Address, query: dict[str, str]) -> None:
        verb = _VERBS.get(self.command, "get" if where.name else "list")
        if query.get("watch") == "true":
            verb = "watch"
        plural = f"{where.plural}/{where.subresource}" if where.subresource else where.plural
        if (verb, plural) in self.owner.faults.forbidden:
            raise errors.forbidden(user, verb, where.resource, plural, where.name, where.namespace)

    def _get(self, where: Address, query: dict[str, str]) -> None:
        if where.subresource == "log":
            self._text(self.owner.plugins.log(where, query))
        elif where.subresource == "proxy" or ":" in where.name:
            port = where.name.partition(":")[2]
            if port and not port.isdigit():  # only Services have named ports here
                raise ApiError(
                    503,
                    "ServiceUnavailable",
                    f"error trying to reach service: dial tcp: lookup tcp/{port}: unknown port",
                )
            self._text(self.owner.plugins.proxy(where))
        elif where.name:
            self._json(self.owner.store.get(where.resource, where.namespace, where.name))
        elif query.get("watch") == "true":
            self._watch(where, query)
        else:
            self._list(where, query)

    def _list(self, where: Address, query: dict[str, str]) -> None:
        store, limit = self.owner.store, int(query.get("limit") or 0)
        start = None
        if query.get("continue"):
            if self.owner.faults.expire_continue > 0:
                self.owner.faults.expire_continue -= 1
                raise errors.expired()
            start = store.after(query["continue"])
        wanted = (
            selector(query.get("labelSelector", "")),
            fields(where.resource, query.get("fieldSelector", "")),
        )
        partial = "PartialObjectMetadataList" in self.headers.get("Accept", "").split(",")[0]
        chunks: list[bytes] = []
        more = ""
        last: tuple[str, str] | None = None
        for key, obj in store.items(where.resource, where.namespace):
            if (start is not None and key <= start) or not (wanted[0](obj) and wanted[1](obj)):
                continue
            if limit and len(chunks) == limit:
                more = store.token(last or key)
                break
            last = key
            chunks.append(
                json.dumps({"metadata": obj["metadata"]}).encode()
                if partial
                else store.encoded(where.resource, key, obj)
            )
        kind = "PartialObjectMetadata" if partial else KINDS[where.resource]
        head = {"resourceVersion": str(store.version), **({"continue": more} if more else {})}
        prefix = f'{{"kind":"{kind}List","apiVersion":"v1","metadata":{json.dumps(head)},"items":['
        self._send(b"".join((prefix.encode(), b",".join(chunks), b"]}")), "application/json")

    def _watch(self, where: Address, query: dict[str, str]) -> None:
        store, since = self.owner.store, int(query.get("resourceVersion") or 0)
        end = time.monotonic() + float(query.get("timeoutSeconds") or 30)
        wanted = (
            selector(query.get("labelSelector", "")),
            fields(where.resource, query.get("fieldSelector", "")),
        )
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        sent = 0
        while time.monotonic() < end:
            with store.lock:
                if since and since < store.compacted:
                    gone = ApiError(
                        410, "Expired", f"too old resource version: {since} ({store.version})"
                    )
                    self._chunk({"type": "ERROR", "object": gone.body()})
                    break
                news = [e for e in store.log if e[0] > since and e[1] == where.resource]
                if not news:
                    store.changed.wait(0.2)
                at_version = store.version
            for version, _, event, obj in news:
                since = version
                inside = not where.namespace or obj["metadata"].get("namespace") == where.namespace
                if inside and wanted[0](obj) and wanted[1](obj):
                    self._chunk({"type": event, "object": obj})
                    sent += 1
            if not news and query.get("allowWatchBookmarks") == "true":
                mark = {
                    "kind": KINDS[where.resource],
                    "metadata": {"resourceVersion": str(at_version)},
                }
                self._chunk({"type": "BOOKMARK", "object": mark})
                since = max(since, at_version)
            if self.owner.faults.cut_watches_after and sent >= self.owner.faults.cut_watches_after:
                self.close_connection = True
                return
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, event: Obj) -> None:
        data = json.dumps(event).encode() + b"\n"
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _change(self, where: Address, query: dict[str, str], body: Any) -> None:
        dry = query.get("dryRun") == "All"
        manager = query.get("fieldManager") or "unknown"
        store = self.owner.store
        warnings: list[str] = []
        with store.lock:
            match self.command:
                case "POST" if where.subresource == "eviction":
                    self.owner.plugins.evict(where, body, dry)
                    result: Obj = {
                        "kind": "Status",
                        "apiVersion": "v1",
                        "status": "Success",
                        "code": 201,
                    }
                case "POST":
                    made = defaulted(where.resource, {**body, "kind": KINDS[where.resource]})
                    if where.namespace:
                        made["metadata"]["namespace"] = where.namespace
                    result = store.create(where.resource, made, manager=manager, dry_run=dry)
                case "DELETE":
                    result = self._delete(where, body, dry)
                case _:
                    result = self._patch(where, body, manager, dry, warnings)
        if self.owner.faults.drop_next > 0:
            self.owner.faults.drop_next -= 1
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        headers = [("Warning", f'299 - "{w}"') for w in warnings]
        self._json(result, 201 if self.command == "POST" else 200, headers)

    def _delete(self, where: Address, body: Any, dry: bool) -> Obj:
        obj = self.owner.store.get(where.resource, where.namespace, where.name)
        wanted = ((body or {}).get("preconditions") or {}).get("uid")
        if wanted and wanted != obj["metadata"]["uid"]:
            raise errors.conflict(where.resource, where.name)
        if not dry:
            self.owner.store.delete(where.resource, obj, (body or {}).get("gracePeriodSeconds"))
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}

    def _patch(
        self, where: Address, body: Any, manager: str, dry: bool, warnings: list[str]
    ) -> Obj:
        store = self.owner.store
        before = store.get(where.resource, where.namespace, where.name)
        kind = self.headers.get("Content-Type", "").split(";")[0]
        if self.command == "PUT":
            after = body
        elif kind == "application/json-patch+json":
            after = patching.json_patch(before, body)
        elif kind == "application/merge-patch+json":
            after = patching.merge_patch(before, body)
        elif kind == "application/strategic-merge-patch+json":
            after = patching.strategic_merge(before, body)
        else:
            raise ApiError(
                415,
                "UnsupportedMediaType",
                f"the body of the request was in an unknown format - {kind}",
            )
        version = after["metadata"].get("resourceVersion")
        if version and version != before["metadata"]["resourceVersion"]:
            raise errors.conflict(where.resource, where.name)
        if after["metadata"].get("uid", before["metadata"]["uid"]) != before["metadata"]["uid"]:
            raise errors.conflict(where.resource, where.name)
        after = defaulted(where.resource, after)
        warnings += check_update(where.resource, before, after)
        warnings += self.owner.plugins.warnings(where, after)
        return store.replace(
            where.resource,
            before,
            after,
            manager=manager,
            subresource=where.subresource,
            dry_run=dry,
        )

    def _json(
        self, value: Any, code: int = 200, headers: list[tuple[str, str]] | None = None
    ) -> None:
        self._send(json.dumps(value).encode(), "application/json", code, headers)

    def _text(self, text: str) -> None:
        self._send(text.encode(), "text/plain")

    def _send(
        self, data: bytes, kind: str, code: int = 200, headers: list[tuple[str, str]] | None = None
    ) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for key, value in headers or ():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()


def selector(text: str) -> Any:
    """A label selector as a predicate over objects."""
    tests = []
    for part in re.split(r",(?![^()]*\))", text) if text else []:
        part = part.strip()
        if m := re.fullmatch(r"(\S+)\s+(in|notin)\s+\(([^)]*)\)", part):
            values = {v.strip() for v in m[3].split(",")}
            tests.append(
                (m[1], lambda v, values=values, inside=m[2] == "in": (v in values) is inside)
            )
        elif m := re.fullmatch(r"([^=!\s]+)\s*(!=|==|=)\s*(\S*)", part):
            tests.append((m[1], lambda v, want=m[3], same=m[2] != "!=": (v == want) is same))
        elif part.startswith("!"):
            tests.append((part[1:], lambda v: v is None))
        else:
            tests.append((part, lambda v: v is not None))

    def matches(obj: Obj) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(test(labels.get(key)) for key, test in tests)

    return matches


_FIELDS = {
    "v1/pods": {"metadata.name", "metadata.namespace", "spec.nodeName", "status.phase"},
    "v1/events": {
        "metadata.name",
        "involvedObject.uid",
        "involvedObject.name",
        "involvedObject.kind",
        "type",
        "reason",
    },
}


def fields(resource: str, text: str) -> Any:
    """A field selector as a predicate; unknown fields are the 400 that the real server sends."""
    tests = []
    for part in text.split(",") if text else []:
        m = re.fullmatch(r"([\w.]+)(!=|==|=)(.*)", part)
        if m is None or m[1] not in _FIELDS.get(resource, {"metadata.name", "metadata.namespace"}):
            raise ApiError(400, "BadRequest", f"field label not supported: {m[1] if m else part}")
        tests.append((m[1].split("."), m[2] != "!=", m[3]))

    def matches(obj: Obj) -> bool:
        for path, same, want in tests:
            value: Any = obj
            for step in path:
                value = value.get(step) if isinstance(value, dict) else None
            if ((value or "") == want) is not same:
                return False
        return True

    return matches


__all__ = ["CLUSTER_WIDE", "Address", "ApiServer", "Faults"]

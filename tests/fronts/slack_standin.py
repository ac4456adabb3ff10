"""A Slack workspace on 127.0.0.1: Web API over HTTP, Socket Mode over WebSocket, signed events.

Written against Slack's documented protocol, not against any SDK: it keeps channels, threads,
streams, files and ephemerals, checks tokens and limits, redelivers what is not acknowledged, and
fails on request.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
from aiohttp import WSMsgType, web

from tests.fronts.serving import Loop, eventually

BOT, APP, SECRET = "xoxb-standin", "xapp-standin", "signing-secret-standin"
TEAM, BOT_USER = "T1", "UBOT"


@dataclass
class Ack:
    sent: float
    at: float = 0.0
    times: int = 0
    payload: Any = None


@dataclass
class Workspace:
    """State of the stand-in."""

    messages: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """(channel, ts) → message, in order of posting."""
    calls: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    ephemerals: list[dict[str, Any]] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    prompts: list[dict[str, Any]] = field(default_factory=list)
    titles: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    failures: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    """method → what to answer next: 429, 500, ``lost`` (done but answered 500), or an error."""
    always: dict[str, str] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    """Methods this stand-in does not have."""
    absent_as: int = 200
    """How it says so: 200 with ``unknown_method``, or 404 with a page."""
    refused_blocks: set[str] = field(default_factory=set)
    """Types of blocks that are ``invalid_blocks`` here."""
    closed: set[str] = field(default_factory=set)
    """Channels that Steward was not invited to."""
    post_only: bool = False
    """GET is not known here."""
    upload_status: int = 200
    silent: set[str] = field(default_factory=set)
    """Channels in which a message appears while its sender never gets an answer."""
    forgets_metadata: bool = False
    responses: list[dict[str, Any]] = field(default_factory=list)
    """What was answered at a ``response_url``."""
    refused_tokens: int = 0
    early_after_429: int = 0
    """Calls that came before Retry-After was over."""


class SlackStandin:
    def __init__(self) -> None:
        self.state = Workspace()
        self.acks: dict[str, Ack] = {}
        self.loop = Loop()
        self._sockets: list[web.WebSocketResponse] = []
        self._tickets: set[str] = set()
        self._uploads: dict[str, bytes] = {}
        self._numbers = itertools.count(1)
        self._born = int(time.time())
        self._blocked: dict[str, float] = {}
        self.connections = 0
        self.everywhere = False
        """Deliver to every connection at once: the worst kind of duplicate."""
        self.port = self.loop.do(self._serve())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    def close(self) -> None:
        self.loop.do(self._runner.cleanup())
        self.loop.close()

    async def _serve(self) -> int:
        app = web.Application(client_max_size=50 * 2**20)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/link", self._link)
        app.router.add_post("/upload/{id}", self._upload)
        app.router.add_post("/respond/{id}", self._respond)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return self._runner.addresses[0][1]

    # The Web API

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        if self.state.post_only and request.method == "GET":
            return web.Response(status=405, text="Method Not Allowed")
        args = await _arguments(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        wanted = APP if method == "apps.connections.open" else BOT
        self.state.calls.append((time.time(), method, args))
        if token != wanted:
            self.state.refused_tokens += 1
            return web.json_response({"ok": False, "error": "invalid_auth"})
        if method in self.state.absent:
            if self.state.absent_as == 404:
                return web.Response(status=404, text="<h1>Not Found</h1>", content_type="text/html")
            return web.json_response({"ok": False, "error": "unknown_method"})
        if args.get("channel") in self.state.closed:
            return web.json_response({"ok": False, "error": "not_in_channel"})
        if self._blocked.get(method, 0) > time.time():
            self.state.early_after_429 += 1
        planned = self.state.failures[method]
        lost = False
        if planned:
            failure = planned.pop(0)
            if failure == 429:
                self._blocked[method] = time.time() + 0.9
                return web.Response(status=429, headers={"Retry-After": "1"}, text="slow down")
            if isinstance(failure, int):
                return web.Response(status=failure, text="<html>oops</html>")
            if failure == "message_not_in_streaming_state":
                self.state.messages[(args["channel"], args["ts"])]["streaming"] = False
            if failure != "lost":
                return web.json_response({"ok": False, "error": failure})
            lost = True
        if method in self.state.always:
            return web.json_response({"ok": False, "error": self.state.always[method]})
        handler = getattr(self, "_" + method.replace(".", "_"), None)
        if handler is None:
            return web.json_response({"ok": False, "error": "unknown_method"})
        answer = handler(args)
        if method == "chat.postMessage" and args.get("channel") in self.state.silent:
            await asyncio.sleep(60)
        if lost:
            return web.Response(status=502, text="bad gateway")
        return web.json_response({"ok": "error" not in answer, **answer})

    def _auth_test(self, args: dict[str, Any]) -> dict[str, Any]:
        return {"team_id": TEAM, "user_id": BOT_USER, "bot_id": "BBOT", "team": "t", "user": "s"}

    def _apps_connections_open(self, args: dict[str, Any]) -> dict[str, Any]:
        ticket = uuid.uuid4().hex
        self._tickets.add(ticket)
        return {"url": f"ws://127.0.0.1:{self.port}/link?ticket={ticket}"}

    def _ts(self) -> str:
        return f"{self._born}.{next(self._numbers):06d}"

    def _chat_postMessage(self, args: dict[str, Any]) -> dict[str, Any]:
        wrong = self._refusal(args)
        if wrong:
            return {"error": wrong}
        ts = self._ts()
        args = {**args, "channel": args["channel"].removeprefix("#")}  # a name becomes an id
        message = {**args, "ts": ts, "user": BOT_USER, "bot_id": "BBOT", "edits": 0}
        self.state.messages[(args["channel"], ts)] = message
        return {"channel": args["channel"], "ts": ts, "message": message}

    def _chat_update(self, args: dict[str, Any]) -> dict[str, Any]:
        message = self.state.messages.get((args["channel"], args["ts"]))
        if message is None:
            return {"error": "message_not_found"}
        if message.get("streaming"):
            return {"error": "streaming_state_conflict"}
        wrong = self._refusal(args)
        if wrong:
            return {"error": wrong}
        message.update(args)
        message["edits"] += 1
        return {"channel": args["channel"], "ts": args["ts"]}

    def _refusal(self, args: dict[str, Any]) -> str:
        types = {block["type"] for block in args.get("blocks") or []}
        return "invalid_blocks" if types & self.state.refused_blocks else _too_large(args)

    def _chat_postEphemeral(self, args: dict[str, Any]) -> dict[str, Any]:
        self.state.ephemerals.append(args)
        return {"message_ts": self._ts()}

    def _chat_startStream(self, args: dict[str, Any]) -> dict[str, Any]:
        if "thread_ts" not in args:
            return {"error": "invalid_arguments"}
        if not args["channel"].startswith("D") and not args.get("recipient_user_id"):
            return {"error": "missing_recipient_user_id"}
        ts = self._ts()
        text = args.get("markdown_text", "")
        message = {**args, "ts": ts, "user": BOT_USER, "text": text, "streaming": True, "edits": 0}
        self.state.messages[(args["channel"], ts)] = message
        return {"channel": args["channel"], "ts": ts}

    def _chat_appendStream(self, args: dict[str, Any]) -> dict[str, Any]:
        message = self.state.messages.get((args["channel"], args["ts"]))
        if message is None:
            return {"error": "message_not_found"}
        if not message.get("streaming"):
            return {"error": "message_not_in_streaming_state"}
        message["text"] += args.get("markdown_text", "")
        return {"channel": args["channel"], "ts": args["ts"]}

    def _chat_stopStream(self, args: dict[str, Any]) -> dict[str, Any]:
        answer = self._chat_appendStream(args)
        if "error" not in answer:
            self.state.messages[(args["channel"], args["ts"])]["streaming"] = False
        return answer

    def _conversations_list(self, args: dict[str, Any]) -> dict[str, Any]:
        ids = dict.fromkeys(channel for channel, _ in self.state.messages)
        return {"channels": [{"id": id, "name": id} for id in ids]}

    def _conversations_replies(self, args: dict[str, Any]) -> dict[str, Any]:
        if args["channel"].startswith("#"):
            return {"error": "channel_not_found"}
        found = [
            m
            for (channel, ts), m in self.state.messages.items()
            if channel == args["channel"] and args["ts"] in (ts, m.get("thread_ts"))
        ]
        if self.state.forgets_metadata:
            found = [{k: v for k, v in m.items() if k != "metadata"} for m in found]
        return {"messages": found}

    def _conversations_history(self, args: dict[str, Any]) -> dict[str, Any]:
        if args["channel"].startswith("#"):
            return {"error": "channel_not_found"}
        found = [m for (c, _), m in self.state.messages.items() if c == args["channel"]]
        return {"messages": [m for m in found if not m.get("thread_ts")]}

    def _assistant_threads_setStatus(self, args: dict[str, Any]) -> dict[str, Any]:
        self.state.statuses.append(args)
        return {}

    def _assistant_threads_setTitle(self, args: dict[str, Any]) -> dict[str, Any]:
        self.state.titles.append(args)
        return {}

    def _assistant_threads_setSuggestedPrompts(self, args: dict[str, Any]) -> dict[str, Any]:
        self.state.prompts.append(args)
        return {}

    def _views_open(self, args: dict[str, Any]) -> dict[str, Any]:
        if args.get("trigger_id") == "expired":
            return {"error": "expired_trigger_id"}
        self.state.views.append(args["view"])
        return {"view": {"id": "V1"}}

    def _files_getUploadURLExternal(self, args: dict[str, Any]) -> dict[str, Any]:
        id = f"F{next(self._numbers)}"
        return {"upload_url": f"http://127.0.0.1:{self.port}/upload/{id}", "file_id": id}

    def _files_completeUploadExternal(self, args: dict[str, Any]) -> dict[str, Any]:
        if str(args.get("channel_id", "")).startswith("#"):
            return {"error": "channel_not_found"}
        for file in args["files"]:
            content = self._uploads[file["id"]]
            self.state.files.append({**args, **file, "content": content})
        return {"files": args["files"]}

    async def _respond(self, request: web.Request) -> web.Response:
        self.state.responses.append(await request.json())
        return web.Response(text="ok")

    async def _upload(self, request: web.Request) -> web.Response:
        if self.state.upload_status != 200:
            return web.Response(status=self.state.upload_status, text="no")
        self._uploads[request.match_info["id"]] = await _file_content(request)
        return web.Response(text="OK")

    # Socket Mode

    async def _link(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("ticket") not in self._tickets:
            return web.Response(status=403)
        self._tickets.discard(request.query["ticket"])
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {}})
        self._sockets.append(socket)
        self.connections += 1
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                self._acknowledged(json.loads(message.data))
        self._sockets.remove(socket)
        return socket

    def _acknowledged(self, document: dict[str, Any]) -> None:
        ack = self.acks.get(document.get("envelope_id", ""))
        if ack is not None:
            ack.times += 1
            ack.at = ack.at or time.time()
            ack.payload = document.get("payload")

    # What people and Slack itself do

    def connected(self, count: int = 1) -> None:
        eventually(lambda: self.connections >= count and self._sockets, 90)

    def deliver(
        self, kind: str, payload: dict[str, Any], retry: int = 0, envelope: str = ""
    ) -> str:
        envelope = envelope or str(uuid.uuid4())
        document = {"envelope_id": envelope, "type": kind, "payload": payload}
        document["accepts_response_payload"] = kind != "events_api"
        if kind == "events_api":
            document |= {"retry_attempt": retry, "retry_reason": "timeout" if retry else ""}
        self.acks.setdefault(envelope, Ack(time.time()))
        for socket in self._sockets if self.everywhere else self._sockets[-1:]:
            self.loop.do(socket.send_json(document))
        return envelope

    def deliver_raw(self, document: dict[str, Any]) -> str:
        """Any document at all over the socket."""
        envelope = str(document.get("envelope_id", ""))
        self.acks.setdefault(envelope, Ack(time.time()))
        self.loop.do(self._sockets[-1].send_json(document))
        return envelope

    def event(self, event: dict[str, Any], id: str = "", **more: Any) -> str:
        return self.deliver("events_api", self.callback(event, id), **more)

    def callback(self, event: dict[str, Any], id: str = "", team: str = TEAM) -> dict[str, Any]:
        return {
            "type": "event_callback",
            "team_id": team,
            "api_app_id": "A1",
            "event_id": id or f"Ev{self._born}{next(self._numbers):04d}",
            "event_time": int(time.time()),
            "authorizations": [{"team_id": team, "user_id": BOT_USER, "is_bot": True}],
            "event": event,
        }

    def mention(self, text: str, user: str = "UANA", channel: str = "C1", **more: Any) -> str:
        """A person mentions Steward; the message exists. Returns its ts."""
        ts = more.pop("ts", None) or self._ts()
        words = f"<@{BOT_USER}> {text}"
        event = {"type": "app_mention", "channel": channel, "user": user, "text": words, "ts": ts}
        if "thread_ts" in more:
            event["thread_ts"] = more.pop("thread_ts")
        self.state.messages.setdefault((channel, ts), {**event, "person": True})
        self.last = self.event(event, **more)
        return ts

    def direct(self, text: str, user: str = "UANA", **more: Any) -> str:
        ts = self._ts()
        event = {
            "type": "message",
            "channel_type": "im",
            "channel": f"D{user}",
            "user": user,
            "text": text,
            "ts": ts,
            **more,
        }
        self.state.messages[(event["channel"], ts)] = {**event, "person": True}
        self.last = self.event(event)
        return ts

    def click(self, button: str, card: dict[str, Any], user: str = "UANA", **more: Any) -> str:
        value = more.pop("value", None) or self.value(card, button)
        return self.deliver("interactive", self.clicked(button, card, user, value, **more))

    def clicked(
        self,
        button: str,
        card: dict[str, Any],
        user: str,
        value: str,
        team: str = TEAM,
        trigger: str = "trigger",
    ) -> dict[str, Any]:
        return {
            "type": "block_actions",
            "user": {"id": user, "team_id": team},
            "team": {"id": team, "domain": "d"},
            "api_app_id": "A1",
            "trigger_id": trigger,
            "response_url": f"http://127.0.0.1:{self.port}/respond/1",
            "channel": {"id": card["channel"], "name": "c"},
            "container": {
                "type": "message",
                "message_ts": card["ts"],
                "channel_id": card["channel"],
                "thread_ts": card.get("thread_ts"),
            },
            "message": {"ts": card["ts"], "thread_ts": card.get("thread_ts"), "text": "…"},
            "actions": [{"type": "button", "action_id": button, "value": value, "action_ts": "1"}],
        }

    @staticmethod
    def value(card: dict[str, Any], button: str) -> str:
        for block in card["blocks"]:
            for element in block.get("elements", []):
                if element.get("action_id") == button:
                    return str(element["value"])
        raise AssertionError(f"the card has no {button}")

    def signed(
        self,
        url: str,
        body: dict[str, Any],
        *,
        age: float = 0,
        secret: str = SECRET,
        form: bool = False,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request as Slack does in HTTP mode."""
        raw = urlencode({"payload": json.dumps(body)}) if form else json.dumps(body)
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        all_headers = {
            "content-type": kind,
            **self.sign(raw, age, secret),
            **(headers or {}),
        }
        self.last_request = (raw, all_headers)
        return httpx.post(url, content=raw, headers=all_headers, timeout=20)

    @staticmethod
    def sign(raw: str, age: float = 0, secret: str = SECRET) -> dict[str, str]:
        """The headers that prove a request to be Slack's."""
        stamp = str(int(time.time() - age))
        digest = hmac.new(secret.encode(), f"v0:{stamp}:{raw}".encode(), hashlib.sha256)
        signature = f"v0={digest.hexdigest()}"
        return {"x-slack-request-timestamp": stamp, "x-slack-signature": signature}

    def disconnect(self) -> None:
        """Slack asks to reconnect."""
        self.loop.do(self._sockets[-1].send_json({"type": "disconnect", "reason": "warning"}))

    def drop(self) -> None:
        """The connection breaks."""
        self.loop.do(self._sockets[-1].close())

    def delete(self, channel: str, ts: str) -> None:
        self.state.messages.pop((channel, ts), None)

    # What tests look at

    def ack(self, envelope: str, seconds: float = 60) -> Ack:
        eventually(lambda: self.acks[envelope].times, seconds)
        return self.acks[envelope]

    def thread(self, channel: str, ts: str) -> list[dict[str, Any]]:
        """Steward's messages in a thread, oldest first."""
        found = self._conversations_replies({"channel": channel, "ts": ts})["messages"]
        return [m for m in found if m["user"] == BOT_USER]

    def answers(self, channel: str, ts: str, count: int = 1) -> list[dict[str, Any]]:
        """Messages that are no cards; waits for them and for streams to end."""

        def look() -> list[dict[str, Any]]:
            found = [m for m in self.thread(channel, ts) if not m.get("blocks")]
            ready = len(found) >= count and not any(m.get("streaming") for m in found)
            return found if ready else []

        return eventually(look)

    def cards(self, channel: str, ts: str, count: int = 1) -> list[dict[str, Any]]:
        def look() -> list[dict[str, Any]]:
            found = [m for m in self.thread(channel, ts) if m.get("blocks")]
            return found if len(found) >= count else []

        return eventually(look)

    def called(self, method: str) -> list[dict[str, Any]]:
        return [args for _, name, args in self.state.calls if name == method]


def _too_large(args: dict[str, Any]) -> str:
    if len(args.get("text") or "") > 40_000:
        return "msg_too_long"
    blocks = args.get("blocks") or []
    if len(blocks) > 50:
        return "invalid_blocks"
    for block in blocks:
        text = (block.get("text") or {}).get("text", "")
        limit = 150 if block["type"] == "header" else 3000
        if len(text) > limit or (block["type"] in ("header", "section") and not text):
            return "invalid_blocks"
        for element in block.get("elements", []):
            if len(element.get("value", "")) > 2000 or len(block.get("block_id", "")) > 255:
                return "invalid_blocks"
    return ""


async def _arguments(request: web.Request) -> dict[str, Any]:
    if "json" in request.headers.get("content-type", ""):
        raw = await request.text()
        return {k: v for k, v in (json.loads(raw) if raw else {}).items() if v is not None}
    args: dict[str, Any] = {**request.query, **(await request.post())}
    for name in ("blocks", "files", "metadata", "prompts", "view"):
        if isinstance(args.get(name), str):
            args[name] = json.loads(args[name])
    return args


async def _file_content(request: web.Request) -> bytes:
    if request.content_type.startswith("multipart/"):
        form = await request.post()
        first = next(iter(form.values()))
        return first.file.read() if hasattr(first, "file") else str(first).encode()
    return await request.read()


def words(message: dict[str, Any]) -> str:
    """Everything that the blocks of a message hold, as text."""
    return json.dumps(message["blocks"], ensure_ascii=False)

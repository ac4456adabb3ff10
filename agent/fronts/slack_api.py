"""Slack's Web API, Socket Mode and signed requests. The only module that imports Slack's SDKs.

Bolt checks signatures and acknowledges; what arrives goes to one ``receive`` callable, which must
have written it down before it returns. Calls respect ``Retry-After``; a call whose outcome is not
known is repeated only where repeating is harmless.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from agent.fronts.metrics import Metrics
from agent.fronts.slack_errors import SlackRefused, SlackUncertain
from agent.settings import SlackSettings

Receive = Callable[[Mapping[str, Any], str], Awaitable[int]]
"""``(payload, delivery) -> HTTP status``: 200 only after it is written down."""
ONCE = frozenset({"chat.postMessage", "chat.startStream", "files.completeUploadExternal"})
"""Repeating these would show something twice."""
READS = frozenset({"conversations.replies", "conversations.history", "auth.test"})
PATIENCE = 180.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who Steward is in Slack."""

    team: str
    user: str
    bot: str


class SlackApi:
    """One Slack app in one workspace. Lives on one event loop."""

    def __init__(self, secrets: SlackSettings, metrics: Metrics) -> None:
        self._secrets = secrets
        self._metrics = metrics
        self._not_before: dict[str, float] = {}
        self._session: aiohttp.ClientSession | None = None
        self._socket: AsyncSocketModeHandler | None = None
        self._app: AsyncApp | None = None
        self._client: Any = None
        self.identity = Identity("", "", "")

    async def open(self) -> None:
        """Find out who Steward is; raises ``SlackRefused`` for a bad token."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        url = self._secrets.api_url.rstrip("/") + "/"
        token = self._secrets.bot_token
        self._client = AsyncWebClient(
            token=token, base_url=url, session=self._session, retry_handlers=[]
        )
        who = await self.call("auth.test")
        self.identity = Identity(
            str(who.get("team_id", "")), str(who.get("user_id", "")), str(who.get("bot_id", ""))
        )

    def receive_with(self, receive: Receive, signed: bool) -> None:
        """Send everything that arrives to ``receive``; ``signed`` requests are verified first."""
        me = AuthorizeResult(
            enterprise_id=None,
            team_id=self.identity.team,
            bot_user_id=self.identity.user,
            bot_id=self.identity.bot,
            bot_token=self._secrets.bot_token,
        )

        async def authorize() -> AuthorizeResult:
            return me  # one app, one token: whose payloads are heard is decided by the receiver

        quiet = logging.getLogger("agent.fronts.bolt")
        quiet.setLevel(logging.ERROR)
        app = AsyncApp(
            logger=quiet,
            client=self._client,
            signing_secret=self._secrets.signing_secret or "unused in socket mode",
            authorize=authorize,
            request_verification_enabled=signed,
            ignoring_self_events_enabled=False,
            attaching_function_token_enabled=False,
        )

        async def take(req: Any) -> BoltResponse:
            delivery = str(req.context.get("delivery", ""))
            return BoltResponse(status=await receive(req.body, delivery), body="")

        cast("Any", app).use(take)
        self._app = app

    async def listen(self) -> None:
        """Open a Socket Mode connection; it reconnects by itself."""
        assert self._app is not None
        self._socket = _Parallel(
            self._app, self._secrets.app_token or "", web_client=self._client, ping_interval=3
        )
        await self._socket.connect_async()

    async def connected(self) -> bool:
        """Whether the socket is up; true in HTTP mode."""
        return self._socket is None or await self._socket.client.is_connected()

    async def request(
        self, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One signed HTTP request from Slack: verified, written down, acknowledged."""
        if self._app is None:
            return 503, {}, b""
        lower = {name.lower(): value for name, value in headers.items()}
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return 400, {}, b""
        context = {"delivery": "sig:" + lower.get("x-slack-signature", "")}
        request = AsyncBoltRequest(body=text, headers=dict(lower), context=context)
        response = await self._app.async_dispatch(request)
        kind = response.headers.get("content-type", ["text/plain; charset=utf-8"])[0]
        return response.status, {"content-type": kind}, (response.body or "").encode()

    async def stop_listening(self) -> None:
        """Take nothing new."""
        if self._socket is not None:
            await self._socket.close_async()
            self._socket = None

    async def close(self) -> None:
        """Let go of every connection."""
        await self.stop_listening()
        if self._session is not None:
            await self._session.close()

    async def call(self, method: str, **args: Any) -> dict[str, Any]:
        """Call a method of the Web API.

        Raises:
            SlackRefused: Slack said no.
            SlackUncertain: no clear answer came (and repeating is not harmless, or did not help).
        """
        given = {k: v for k, v in args.items() if v is not None}
        how = {"params": given} if method in READS else {"json": given}
        return await self._patiently(method, lambda: self._client.api_call(method, **how))

    async def upload(
        self, channel: str, thread: str | None, name: str, title: str, content: bytes
    ) -> None:
        """Put a file into a thread."""
        await self._patiently(
            "files.completeUploadExternal",
            lambda: self._client.files_upload_v2(
                channel=channel, thread_ts=thread, filename=name, title=title, content=content
            ),
        )

    async def _patiently(self, method: str, work: Callable[[], Awaitable[Any]]) -> dict[str, Any]:
        end, pause = time.monotonic() + PATIENCE, 0.5
        while True:
            await self._my_turn(method)
            try:
                answer = await work()
            except (SlackClientError, aiohttp.ClientError, TimeoutError, ValueError) as error:
                wait, uncertain = self._read(method, error)
            else:
                self._counted(method, "ok")
                data = answer.data
                return dict(data) if isinstance(data, Mapping) else {}  # pyright: ignore[reportUnknownArgumentType]
            if uncertain and (method in ONCE or time.monotonic() + pause > end):
                raise SlackUncertain(f"Slack did not answer {method}.") from None
            if not uncertain and time.monotonic() + wait > end:
                raise SlackRefused(method, "ratelimited") from None
            await asyncio.sleep(pause if uncertain else 0)
            pause = min(pause * 2, 20.0)

    def _read(self, method: str, error: Exception) -> tuple[float, bool]:
        """``(seconds to wait, whether the outcome is unknown)``; raises what Slack refused."""
        response: Any = getattr(error, "response", None)
        status = getattr(response, "status_code", None)
        data: Any = getattr(response, "data", None)
        code = str(data.get("error", "")) if isinstance(data, Mapping) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        if status == 429 or code in ("ratelimited", "rate_limited"):
            wait = _seconds(getattr(response, "headers", None) or {})
            self._not_before[method] = time.monotonic() + wait
            self._counted(method, "rate_limited")
            return wait, False
        if code and code not in ("internal_error", "fatal_error", "service_unavailable"):
            self._counted(method, "refused")
            raise SlackRefused(method, code) from None
        self._counted(method, "uncertain")
        log.warning("slack gave no clear answer", extra={"method": method, "status": status})
        return 0.0, True

    async def _my_turn(self, method: str) -> None:
        wait = self._not_before.get(method, 0.0) - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
            await self._my_turn(method)

    def _counted(self, method: str, result: str) -> None:
        labels = {"method": method, "result": result}
        self._metrics.count("steward_slack_calls_total", "Calls of the Web API.", labels=labels)


class _Parallel(AsyncSocketModeHandler):
    """Acknowledges envelopes side by side: one slow write must not delay the next."""

    _running: set[asyncio.Task[None]]

    async def handle(self, client: Any, req: Any) -> None:  # type: ignore[override]
        """Take one envelope without waiting for it."""
        if not hasattr(self, "_running"):
            self._running = set()
        task = asyncio.create_task(self._take(client, req))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _take(self, client: Any, req: Any) -> None:
        begin = time.time()
        context = {"delivery": f"env:{req.envelope_id}"}
        request = AsyncBoltRequest(mode="socket_mode", body=req.payload, context=context)
        response = await self.app.async_dispatch(request)
        try:
            await send_async_response(client, req, response, begin)
        except Exception as error:  # the connection went away: Slack delivers it again
            log.warning("an acknowledgement could not be sent", exc_info=error)


def _seconds(headers: Mapping[str, str]) -> float:
    lower = {k.lower(): v for k, v in headers.items()}
    try:
        return max(0.1, float(lower.get("retry-after", "1")))
    except ValueError:
        return 1.0

"""How payloads arrive from Slack: Socket Mode and signed requests, through bolt.

Bolt checks signatures and acknowledges; what arrives goes to one ``receive`` callable, which must
have written it down before it returns.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from agent.fronts.slack_api import SlackApi
from agent.fronts.slack_errors import SlackRefused, SlackUncertain
from agent.settings import SlackSettings

Receive = Callable[[Mapping[str, Any], str], Awaitable[int]]
"""``(payload, delivery) -> HTTP status``: 200 only after it is written down."""
AGAIN = " again"
"""Ends a delivery that Slack itself calls a retry."""
OPEN_SECONDS = 15.0
TEND_SECONDS = 5.0
MEND_SECONDS = 30.0
log = logging.getLogger(__name__)


class SlackWire:
    """The receiving side of one Slack app. Lives on one event loop."""

    def __init__(self, api: SlackApi, secrets: SlackSettings) -> None:
        self._api = api
        self._secrets = secrets
        self._app: AsyncApp | None = None
        self._socket: AsyncSocketModeHandler | None = None
        self._opening: asyncio.Task[None] | None = None

    def receive_with(self, receive: Receive, signed: bool) -> None:
        """Send everything that arrives to ``receive``; ``signed`` requests are verified first."""
        identity = self._api.identity
        me = AuthorizeResult(
            enterprise_id=None,
            team_id=identity.team,
            bot_user_id=identity.user,
            bot_id=identity.bot,
            bot_token=self._secrets.bot_token,
        )

        async def authorize() -> AuthorizeResult:
            return me  # one app, one token: whose payloads are heard is decided by the receiver

        quiet = logging.getLogger("agent.fronts.bolt")
        quiet.setLevel(logging.ERROR)
        app = AsyncApp(
            logger=quiet,
            client=self._api.client,
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

    async def listen(self, address: str) -> None:
        """Open a Socket Mode connection to an address Slack gave; it reconnects by itself."""
        assert self._app is not None
        token = self._secrets.app_token or ""
        self._socket = _Parallel(self._app, token, web_client=self._api.client, ping_interval=5)
        # Asked for beforehand, because the SDK would try a wrong token for ever without a word.
        self._socket.client.wss_uri = address
        cast("Any", self._socket.client).message_listeners.append(_acknowledge_odd)
        self._opening = asyncio.create_task(self._socket.connect_async(), name="slack-socket")
        await asyncio.wait([self._opening], timeout=OPEN_SECONDS)

    async def tend(self) -> None:
        """Begin anew whenever the connection stays down; until cancelled."""
        down_since = 0.0
        while True:
            await asyncio.sleep(TEND_SECONDS)
            now = time.monotonic()
            if await self.connected():
                down_since = 0.0
                continue
            down_since = down_since or now
            if now - down_since > MEND_SECONDS:
                down_since = now
                await self._begin_anew()

    async def _begin_anew(self) -> None:
        # The SDK may hold on to an address that is spent.
        try:
            address = await self._api.socket_address()
            await self.stop_listening()
            await self.listen(address)
        except (SlackRefused, SlackUncertain) as error:
            log.warning("slack cannot be reached", extra={"why": error.en})

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
        again = AGAIN if "x-slack-retry-num" in lower else ""
        context = {"delivery": f"sig:{lower.get('x-slack-signature', '')}{again}"}
        try:
            request = AsyncBoltRequest(body=text, headers=dict(lower), context=context)
        except (ValueError, TypeError, AttributeError):
            return 400, {}, b""
        if not isinstance(cast("object", request.body), dict):
            return 400, {}, b""
        response = await self._app.async_dispatch(request)
        kind = response.headers.get("content-type", ["text/plain; charset=utf-8"])[0]
        return response.status, {"content-type": kind}, (response.body or "").encode()

    async def stop_listening(self) -> None:
        """Take nothing new."""
        if self._opening is not None:
            self._opening.cancel()
        if self._socket is not None:
            await self._socket.close_async()
            self._socket = None


async def _acknowledge_odd(client: Any, message: dict[str, Any], _raw: str | None) -> None:
    """Envelopes without a payload are none of ours, and the SDK would leave them unanswered."""
    envelope = message.get("envelope_id")
    if envelope and not isinstance(message.get("payload"), dict):
        await client.send_socket_mode_response({"envelope_id": envelope})


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

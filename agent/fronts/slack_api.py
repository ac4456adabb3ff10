"""Slack's Web API. With :mod:`agent.fronts.slack_wire` the only place that imports Slack's SDKs.

Calls respect ``Retry-After``; a call whose outcome is not known is repeated only where repeating is
harmless; what is merely nice is tried once and done without where it does not exist.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from agent.fronts.metrics import Metrics
from agent.fronts.slack_errors import ABSENT, SlackRefused, SlackUncertain
from agent.settings import SlackSettings

ONCE = frozenset(
    {"chat.postMessage", "chat.startStream", "chat.appendStream", "files.completeUploadExternal"}
)
"""Repeating these would show something twice."""
NICE = frozenset(
    {
        "assistant.threads.setStatus",
        "assistant.threads.setTitle",
        "assistant.threads.setSuggestedPrompts",
        "chat.startStream",
    }
)
"""Nothing is lost without these: one quick try each, and none where they do not exist."""
READS = frozenset({"conversations.replies", "conversations.history", "conversations.list"})
PATIENCE = 180.0
NICE_SECONDS = 3.0
FORGO_SECONDS = 600.0
"""How long a nicety that does not exist, or does not answer, is done without."""
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
        self.secrets = secrets
        self._metrics = metrics
        self._not_before: dict[str, float] = {}
        self._forgone: dict[str, float] = {}
        self._session: aiohttp.ClientSession | None = None
        self.client: Any = None
        self.identity = Identity("", "", "")

    async def open(self) -> None:
        """Find out who Steward is; raises ``SlackRefused`` for a bad token."""
        await self.close()
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        url = self.secrets.api_url.rstrip("/") + "/"
        token = self.secrets.bot_token
        self.client = AsyncWebClient(
            token=token, base_url=url, session=self._session, retry_handlers=[]
        )
        who = await self.call("auth.test")
        self.identity = Identity(
            str(who.get("team_id", "")), str(who.get("user_id", "")), str(who.get("bot_id", ""))
        )

    async def close(self) -> None:
        """Let go of every connection."""
        if self._session is not None:
            await self._session.close()

    async def socket_address(self) -> str:
        """Where to connect for Socket Mode; raises ``SlackRefused`` for a bad app token."""
        token = self.secrets.app_token or ""
        method = "apps.connections.open"
        answer = await self._patiently(
            method, lambda: self.client.apps_connections_open(app_token=token)
        )
        return str(answer.get("url", ""))

    async def call(self, method: str, **args: Any) -> dict[str, Any]:
        """Call a method of the Web API.

        Raises:
            SlackRefused: Slack said no.
            SlackUncertain: no clear answer came (and repeating is not harmless, or did not help).
        """
        given = {k: v for k, v in args.items() if v is not None}
        if method in READS:
            return await self._look(method, given)
        if method in NICE:
            return await self._nicely(method, lambda: self.client.api_call(method, json=given))
        return await self._patiently(method, lambda: self.client.api_call(method, json=given))

    async def _look(self, method: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Read by GET, and by a form where only POST is known."""
        api = self.client.api_call
        try:
            return await self._patiently(method, lambda: api(method, params=given, http_verb="GET"))
        except SlackRefused as error:
            if error.code != ABSENT:
                raise
        return await self._patiently(method, lambda: api(method, data=given))

    async def respond(self, url: str, text: str) -> None:
        """Answer a click at the address Slack gave for it; only who clicked sees it.

        The address came with the click itself, and is used only where the Web API is Slack's own
        or the same host as the one configured.
        """
        host = urlsplit(url).hostname
        ours = urlsplit(self.secrets.api_url).hostname
        if self._session is None or not host or host not in (ours, "hooks.slack.com"):
            raise SlackRefused("response_url", "foreign_host")
        said = {"text": text, "response_type": "ephemeral", "replace_original": False}
        try:
            async with self._session.post(url, json=said, allow_redirects=False) as answer:
                if answer.status >= 400:
                    raise SlackRefused("response_url", f"HTTP {answer.status}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SlackUncertain("Slack did not take an answer to a click.") from error

    async def _nicely(self, method: str, work: Callable[[], Awaitable[Any]]) -> dict[str, Any]:
        """One quick try."""
        if self._forgone.get(method, 0.0) > time.monotonic():
            raise SlackRefused(method, ABSENT)
        if self._not_before.get(method, 0.0) > time.monotonic():
            raise SlackRefused(method, "ratelimited")
        try:
            async with asyncio.timeout(NICE_SECONDS):
                answer = await work()
        except (SlackClientError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            if isinstance(error, TimeoutError):
                self._forgo(method, 60.0)
            _, uncertain = self._read(method, error)
            if not uncertain:
                raise SlackRefused(method, "ratelimited") from None
            raise SlackUncertain(f"Slack did not answer {method}.") from None
        self._counted(method, "ok")
        return _data(answer)

    def _forgo(self, method: str, seconds: float = FORGO_SECONDS) -> None:
        if method in NICE:
            self._forgone[method] = time.monotonic() + seconds

    async def upload(
        self, channel: str, thread: str | None, name: str, title: str, content: bytes
    ) -> None:
        """Put a file into a thread: an address, the content there, then the one call that shows."""
        ask, show = "files.getUploadURLExternal", "files.completeUploadExternal"
        size = {"filename": name, "length": len(content)}
        api = self.client.api_call
        given = await self._patiently(ask, lambda: api(ask, params=size))
        url = str(given.get("upload_url", ""))
        await self._patiently(ask, lambda: self._store(url, content))
        files = json.dumps([{"id": given.get("file_id", ""), "title": title}])
        where = {"files": files, "channel_id": channel, **({"thread_ts": thread} if thread else {})}
        await self._patiently(show, lambda: api(show, params=where))

    async def _store(self, url: str, content: bytes) -> None:
        assert self._session is not None
        async with self._session.post(url, data=content) as answer:
            if 400 <= answer.status < 500 and answer.status != 429:
                raise SlackRefused("the upload", f"HTTP {answer.status}")
            answer.raise_for_status()

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
                return _data(answer)
            if uncertain and (method in ONCE or time.monotonic() + pause > end):
                raise SlackUncertain(f"Slack did not answer {method}.") from None
            if not uncertain and time.monotonic() + wait > end:
                raise SlackRefused(method, "ratelimited") from None
            await asyncio.sleep(pause if uncertain else 0)
            pause = min(pause * 2, 20.0)

    def _read(self, method: str, error: Exception) -> tuple[float, bool]:
        """``(seconds to wait, whether the outcome is unknown)``; raises what Slack refused."""
        response: Any = getattr(error, "response", error)
        status = getattr(response, "status_code", getattr(error, "status", None))
        data: Any = getattr(response, "data", None)
        code = str(data.get("error", "")) if isinstance(data, Mapping) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        if status == 429 or code in ("ratelimited", "rate_limited"):
            wait = _seconds(getattr(response, "headers", None) or {})
            self._not_before[method] = time.monotonic() + wait
            self._counted(method, "rate_limited")
            return wait, False
        if status in (404, 405, 501) and not code:
            code = ABSENT  # no such path: a proxy or a stand-in without this method
        if code == ABSENT:
            self._forgo(method)
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


def _data(answer: Any) -> dict[str, Any]:
    data: Any = getattr(answer, "data", None)
    return cast("dict[str, Any]", data) if isinstance(data, dict) else {}


def _seconds(headers: Mapping[str, str]) -> float:
    lower = {k.lower(): v for k, v in headers.items()}
    try:
        return max(0.1, float(lower.get("retry-after", "1")))
    except ValueError:
        return 1.0

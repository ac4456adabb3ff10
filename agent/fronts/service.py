"""``steward serve``: one process that listens, watches, reports and asks; it can run as several.

Starts the configured fronts, the workers that carry out approved actions and the periodic jobs it
is handed, and drains them on SIGTERM. Everything that must survive is in the store.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from agent.assistant import Assistant
from agent.errors import Unreadable
from agent.fronts.inbox import Inbox
from agent.fronts.metrics import Labels, Metrics
from agent.fronts.parts import Job, Parts
from agent.fronts.runner import Runner, recent
from agent.fronts.slack_start import make_slack
from agent.fronts.telling import Telling
from agent.fronts.threads import call
from agent.settings import Settings
from tools.contract import Json
from tools.errors import ToolError, Unavailable

if TYPE_CHECKING:
    from agent.fronts.http_server import Listening
    from agent.fronts.slack import SlackFront

PORT = 8780
log = logging.getLogger(__name__)


class Service:
    """One running process. :func:`serve` is the usual way in."""

    def __init__(self, assistant: Assistant, settings: Settings, parts: Parts) -> None:
        self.assistant = assistant
        self._settings = settings
        self._parts = parts
        self._sections = assistant.door.fleet.sections
        self.metrics = Metrics()
        world = assistant.door.world
        self.inbox = Inbox(world.store, world.clock, assistant.door.owner, parts.gone)
        self.runner = Runner(assistant, self.metrics)
        self.slack: SlackFront | None = None
        self.listening: Listening | None = None
        self._slack_state = "starting"
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._arrived = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Start everything that is configured; raises ``Unreadable`` for a wrong section."""
        self._loop = asyncio.get_running_loop()
        self._gauges()
        self.slack = make_slack(
            self.assistant, self._settings.slack, self.inbox, self.metrics, self.runner.look_now
        )
        await self._listen()
        self._begin(self.runner.run(), "runner")
        if self.slack is not None:
            self._begin(self._connect_slack(self.slack), "slack")
        if self._parts.incident_notes is not None and self.slack is not None:
            self.slack.incidents.acknowledge = self._parts.acknowledge
            told = Telling(self.slack, self._parts.incident_notes, self.inbox, self._arrived)
            self._begin(told.run(lambda: self._slack_state == "ok"), "incidents")
        for job in self._parts.jobs:
            self._begin(self._repeat(job), f"job-{job.name}")
        if self._parts.warm is not None:
            threading.Thread(target=self._parts.warm, name="warm", daemon=True).start()

    async def stop(self) -> None:
        """Take nothing new, finish what runs for a while, leave the rest written down."""
        stopping = [self.runner.stop(self._parts.drain)]
        if self.slack is not None:
            stopping.append(self.slack.stop(self._parts.drain))
        if self.listening is not None:
            stopping.append(self.listening.stop())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *stopping, return_exceptions=True)
        await self._stack.aclose()
        await asyncio.to_thread(self.inbox.close)

    def post(self, target: str, text: str, files: Sequence[Path] = (), key: str = "") -> None:
        """Post to a Slack channel (``C…`` or ``slack:C…``); see :class:`agent.fronts.notes.Post`."""
        if self.slack is None or self._loop is None or self._slack_state != "ok":
            raise Unavailable(
                "Slack is not connected here; nothing was posted.", "Slack 未连接，未发送任何内容。"
            )
        channel = target.removeprefix("slack:")
        named = key or hashlib.sha256(f"{channel}/{text}".encode()).hexdigest()[:32]
        work = self.slack.post(channel, text, files, named)
        try:
            asyncio.run_coroutine_threadsafe(work, self._loop).result(120)
        except TimeoutError:
            raise Unavailable("Slack did not take the message in time.") from None

    async def state(self) -> dict[str, str]:
        """How the parts are, for readiness."""
        parts = {"store": await call(self._store_state, "store")}
        if self.slack is not None:
            ok = self._slack_state == "ok"
            parts["slack"] = await self.slack.state() if ok else self._slack_state
        return parts

    def _store_state(self) -> str:
        try:
            self.inbox.waiting()
        except ToolError as error:
            return error.en
        return "ok"

    def _begin(self, work: Any, name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def _connect_slack(self, front: SlackFront) -> None:
        from agent.fronts.slack_errors import SlackUncertain

        pause = 1.0
        while True:
            try:
                await front.start()
            except SlackUncertain as error:
                self._slack_state = error.en
            except ToolError as error:
                self._slack_state = error.en
                log.error("slack could not be started", extra={"why": error.en})
                return
            else:
                self._slack_state = "ok"
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, 60.0)

    async def _listen(self) -> None:
        from agent.fronts.client import SOCKET_NAME
        from agent.fronts.http import make_app
        from agent.fronts.http_callers import read_tokens
        from agent.fronts.http_desk import Desk
        from agent.fronts.http_server import listen

        section = cast("dict[str, Json]", self._sections.get("http") or {})
        http_mode = self.slack is not None and self.slack.options.mode == "http"
        requests = self.slack.wire.request if self.slack is not None and http_mode else None
        desk = Desk(
            self.assistant,
            user=self._settings.user,
            tokens=read_tokens(section),
            metrics=self.metrics,
            receive_alerts=self._parts.receive_alerts,
            alerts_arrived=self._arrived.set,
            incidents=self._parts.incidents,
            slack_events=requests,
            approved=self._approved,
            parts=self.state,
            mcp=await self._mcp(),
        )
        host, port = str(section.get("host") or "127.0.0.1"), section.get("port", PORT)
        if not isinstance(port, int) or not 0 <= port <= 65535:
            raise Unreadable("http.port must be a number from 0 to 65535.")
        unix = self._settings.home / SOCKET_NAME
        try:
            self.listening = await listen(make_app(desk), tcp=(host, port), unix=unix)
        except OSError as error:
            raise Unavailable(f"Cannot listen on {host}:{port} or {unix}: {error}.") from None
        log.info("listening", extra={"address": self.listening.address, "socket": str(unix)})

    async def _mcp(self) -> Any:
        from agent.fronts.mcp import caller_actor, make_http_app, make_server

        app = make_http_app(make_server(self.assistant, caller_actor))
        await self._stack.enter_async_context(app.router.lifespan_context(app))
        return app

    def _approved(self) -> None:
        """Somebody decided over HTTP, in a thread of its own."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.runner.look_now)
            if self.slack is not None:
                self._loop.call_soon_threadsafe(self.slack.watch.look_now)

    async def _repeat(self, job: Job) -> None:
        while True:
            result = "ok"
            try:
                await call(lambda: job.run(self.post), f"job-{job.name}")
            except ToolError as error:
                result = "failed"
                log.warning("a job failed", extra={"job": job.name, "why": error.en})
            except Exception as error:  # one job's bug must not stop it for good
                result = "broke"
                log.error("a job broke", exc_info=error, extra={"job": job.name})
            labels = {"job": job.name, "result": result}
            self.metrics.count("steward_jobs_total", "Runs of periodic jobs.", labels=labels)
            await asyncio.sleep(job.every)

    def _gauges(self) -> None:
        def actions() -> dict[Labels, float]:
            counts = recent(self.assistant)
            return {(("state", state),): float(n) for state, n in counts.items()}

        def waiting() -> dict[Labels, float]:
            return {(): float(self.inbox.waiting())}

        self.metrics.gauge("steward_actions", "Actions of the last day by state.", actions)
        self.metrics.gauge("steward_inbox_waiting", "Items nobody dealt with yet.", waiting)


def serve(assistant: Assistant, settings: Settings, parts: Parts) -> None:
    """Run until SIGTERM or SIGINT. Blocking; call it from the main thread."""
    # Acknowledgements share the interpreter with planners: hand it over sooner than every 5 ms.
    sys.setswitchinterval(0.001)
    asyncio.run(_serve(Service(assistant, settings, parts)))


async def _serve(service: Service) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    if threading.current_thread() is threading.main_thread():
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, ended.set)
    try:
        await service.start()
        log.info("serving")
        await ended.wait()
    finally:
        await service.stop()

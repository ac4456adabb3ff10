"""The life of a server process: listen, load, warm up, serve, drain, exit."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from tools.serving import inference
from tools.serving.admin import Admin
from tools.serving.app import Public
from tools.serving.faults import BadOutput, CannotServe, Exit
from tools.serving.listening import Acceptor, inherit, listen, offer
from tools.serving.metrics import Metrics
from tools.serving.options import Options
from tools.serving.runtime import Runtime, load
from tools.serving.state import Connection, Service
from tools.serving.window import Window

log = logging.getLogger("steward.serving")


def serve(options: Options) -> int:
    """Serve until told to drain; returns the exit code."""
    _write_log()
    try:
        asyncio.run(Server(options).run())
    except CannotServe as error:
        log.critical("%s", error)
        return error.code
    return Exit.OK


def _write_log() -> None:
    handler = logging.StreamHandler(sys.stderr)
    form = logging.Formatter(
        "%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    form.converter = time.gmtime
    handler.setFormatter(form)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.addLevelName(logging.CRITICAL, "FATAL")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


class Server:
    """One replica. SIGTERM, SIGINT and the admin port's drain all mean: leave gracefully."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._service = Service(
            options,
            Metrics(options.model),
            ThreadPoolExecutor(max_workers=2, thread_name_prefix="infer"),
        )
        self._leave = asyncio.Event()
        self._admin: asyncio.Server | None = None
        self._acceptor: Acceptor | None = None
        self._handing: set[asyncio.Task[Any]] = set()
        self._public, self._open = _protocol(Public(self._service))

    async def run(self) -> None:
        """The whole life; raises :class:`CannotServe` when it cannot begin."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leave.set)
        options, started = self._options, time.perf_counter()
        listener = self._listener()
        await self._open_admin()
        runtime = await loop.run_in_executor(None, self._loaded)
        self._acceptor = Acceptor(listener, self._deliver(loop), self._busy)
        self._service.begin = self._begin
        if options.window is not None:
            self._service.window = Window(options.window, options.version)
        self._service.runtime = runtime
        if not options.hold:
            self._begin()
        log.info(
            "serving %s version %s on port %d, ready after %.2f s",
            options.model,
            options.version,
            listener.getsockname()[1],
            time.perf_counter() - started,
        )
        await self._leave.wait()
        await self._drain()

    def _listener(self) -> socket.socket:
        options = self._options
        if options.listen_fd is not None:
            listener = inherit(options.listen_fd)
        else:
            listener = listen(options.host, options.port)
        if options.handover is not None:
            offer(listener, options.handover)
        return listener

    async def _open_admin(self) -> None:
        options = self._options
        factory, _ = _protocol(Admin(self._service, self._leave.set))
        loop = asyncio.get_running_loop()
        try:
            self._admin = await loop.create_server(factory, options.admin_host, options.admin_port)
        except OSError as error:
            raise CannotServe(
                Exit.PORT_TAKEN, f"admin port {options.admin_port}: {error.strerror}"
            ) from None
        if options.announce is not None:
            port = self._admin.sockets[0].getsockname()[1]
            said = {"pid": os.getpid(), "admin_port": port}
            part = options.announce.with_suffix(".part")
            part.write_text(json.dumps(said), encoding="utf-8")
            part.replace(options.announce)

    def _loaded(self) -> Runtime:
        options = self._options
        runtime = load(
            options.artifact,
            options.format,
            module=options.module,
            params=options.params,
            digest=options.digest,
            threads=options.threads,
        )
        if not any(len(t.shape) <= 1 for t in runtime.inputs):
            _warm_up(runtime)
        return runtime

    def _begin(self) -> None:
        if self._acceptor is not None and not self._service.accepting and not self._leave.is_set():
            self._service.accepting = True
            self._acceptor.start()

    def _busy(self) -> bool:
        return self._service.in_flight >= self._options.max_in_flight

    def _deliver(self, loop: asyncio.AbstractEventLoop) -> Callable[[socket.socket], None]:
        def schedule(connection: socket.socket) -> None:
            task = loop.create_task(loop.connect_accepted_socket(self._public, connection))
            self._handing.add(task)
            task.add_done_callback(self._handing.discard)

        return lambda connection: loop.call_soon_threadsafe(schedule, connection) and None

    async def _drain(self) -> None:
        """Take no new connection, answer what comes on open ones, close them as they fall idle."""
        options, loop = self._options, asyncio.get_running_loop()
        self._service.draining = True
        log.info("draining: %d connections, %d requests", len(self._open), self._service.in_flight)
        if self._acceptor is not None:
            await loop.run_in_executor(None, self._acceptor.leave)
        await asyncio.sleep(0)
        if self._handing:
            await asyncio.wait(self._handing)
        began = time.monotonic()
        while self._open or self._service.in_flight:
            if time.monotonic() - began > options.drain_timeout:
                break
            for protocol in list(self._open):
                known: Connection = protocol.app_state["connection"]
                if time.monotonic() - max(known.last, began) > options.drain_grace:
                    protocol.shutdown()
            await asyncio.sleep(0.02)
        if self._service.window is not None:
            await loop.run_in_executor(None, self._service.window.close)
        left = self._service.in_flight
        log.log(
            logging.WARNING if left else logging.INFO,
            "left with %d requests unanswered after %.1f s",
            left,
            time.monotonic() - began,
        )
        if self._admin is not None:
            self._admin.close()


def _warm_up(runtime: Runtime) -> None:
    """Run the model once or twice; raises :class:`CannotServe` when it never answers a number."""
    fault = ""
    for arrays in inference.examples(runtime):
        try:
            inference.check_finite(runtime.run(arrays))
        except BadOutput as error:
            fault = str(error)
        except Exception as error:  # noqa: BLE001  a runtime may raise anything
            fault = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        else:
            return
    raise CannotServe(Exit.BAD_WARM_UP, f"{fault}, with example inputs")


def _protocol(app: Any) -> tuple[Callable[[], asyncio.Protocol], set[Any]]:
    """A factory of uvicorn's HTTP protocol, and the set of its open connections."""
    from uvicorn.config import Config
    from uvicorn.server import ServerState

    config = Config(app, http="h11", lifespan="off", log_config=None, access_log=False)
    config.server_header = False
    config.timeout_keep_alive = 75
    config.load()
    state, kind = ServerState(), cast("Any", config.http_protocol_class)

    def make() -> Any:
        # uvicorn copies this into the scope of each request of the connection
        return kind(config, state, {"connection": Connection()})

    return make, state.connections

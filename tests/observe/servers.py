"""Real Prometheus and Alertmanager on free ports, fed by small exporters that write what a test says."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

PROMETHEUS = shutil.which("prometheus")
PROMTOOL = shutil.which("promtool")
AMTOOL = shutil.which("amtool")
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Web:
    """A server that answers every request with what ``answer`` gives: status, type, body."""

    answer: Callable[[], tuple[int, str, str]]
    server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, body = web.answer()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(body.encode())

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class PrometheusServer:
    """A Prometheus process that scrapes every second; may be stopped and started again."""

    def __init__(
        self,
        home: Path,
        targets: dict[str, str],
        rules: Path | None = None,
        alertmanager: str | None = None,
    ) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        jobs = "".join(
            f"  - job_name: {job}\n    static_configs: [{{targets: ['{address}']}}]\n"
            for job, address in targets.items()
        )
        loaded = f"rule_files: ['{rules}']\n" if rules else ""
        if alertmanager:
            where = f"{{static_configs: [{{targets: ['{alertmanager}']}}]}}"
            loaded += f"alerting: {{alertmanagers: [{where}]}}\n"
        times = "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
        home.mkdir(parents=True, exist_ok=True)
        (home / "prometheus.yml").write_text(f"{times}{loaded}scrape_configs:\n{jobs}")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert PROMETHEUS is not None
        self._process = subprocess.Popen(
            [
                PROMETHEUS,
                f"--config.file={self.home / 'prometheus.yml'}",
                f"--storage.tsdb.path={self.home / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--log.level=error",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.wait(lambda: httpx.get(f"{self.url}/-/ready", trust_env=False).status_code == 200)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def wait(self, ready: Callable[[], bool], seconds: float = 45) -> None:
        wait_until(ready, "Prometheus did not get there in time", seconds)


class AlertmanagerServer:
    """An Alertmanager process that hands everything to one webhook; may be stopped and started."""

    def __init__(self, home: Path, webhook: str, token: str) -> None:
        self.home = home
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        home.mkdir(parents=True, exist_ok=True)
        (home / "token").write_text(token)
        (home / "alertmanager.yml").write_text(
            "route: {receiver: steward, group_by: [alertname], group_wait: 1s, "
            "group_interval: 2s, repeat_interval: 1h}\n"
            "receivers:\n- name: steward\n  webhook_configs:\n"
            f"  - url: {webhook}\n    send_resolved: true\n"
            "    http_config: {authorization: {credentials_file: " + str(home / "token") + "}}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert ALERTMANAGER is not None
        self._process = subprocess.Popen(
            [
                ALERTMANAGER,
                f"--config.file={self.home / 'alertmanager.yml'}",
                f"--storage.path={self.home / 'data'}",
                f"--web.listen-address={self.address}",
                "--cluster.listen-address=",
                "--log.level=error",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ready = f"{self.url}/-/ready"
        wait_until(lambda: httpx.get(ready, trust_env=False).status_code == 200, "no Alertmanager")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None


def wait_until(ready: Callable[[], bool], fault: str, seconds: float = 60) -> None:
    """Poll; an answer that is no answer yet is no failure."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if ready():
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise AssertionError(fault)

"""The whole of Steward as a user starts it: ``steward serve`` from a steward.yaml, nothing faked.

Only the versions are tiny (a kilobyte of ONNX, made on the spot), so that nobody waits for training.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.fronts.serving import eventually
from tests.fronts.slack_standin import APP, BOT, SECRET, SlackStandin
from tests.serving.tiny import register, save

ROOT = Path(__file__).resolve().parent.parent.parent
TOKENS = [
    {"name": n, "person": p, "scopes": s, "sha256": hashlib.sha256(n.encode()).hexdigest()}
    for n, p, s in (("ana", "ana", ["ask", "read", "decide"]), ("am", None, ["alerts"]))
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Composed:
    """One ``steward serve`` on its own home; it may be killed and started again."""

    def __init__(
        self, home: Path, slack: SlackStandin, database: str | None = None, **sections: Any
    ) -> None:
        self.home, self.slack = home, slack
        self.url = f"http://127.0.0.1:{free_port()}"
        self.fleet = home / "steward.yaml"
        self._database = database
        self._running: subprocess.Popen[bytes] | None = None
        self.log = home / "serve.log"
        self.write(**sections)

    def write(self, **sections: Any) -> None:
        """Write steward.yaml; ``sections`` replace or add to the usual ones."""
        usual: dict[str, Any] = {
            "name": "vision",
            "models": {"digits": {"root": str(ROOT / "examples" / "digits")}},
            "deployments": {
                "digits": {"platform": "local", "model": "digits", "options": {"soak": 0.3}}
            },
            "people": {
                "ana": {"groups": ["oncall"], "slack": "UANA", "unix": "ana", "token": "ana"},
                "bob": {"groups": ["oncall"], "slack": "UBOB"},
                "eve": {"groups": ["guests"], "slack": "UEVE"},
            },
            "policy": {"approvers": {"*": ["group:oncall"]}, "self_approval": False},
            "slack": {"approvals": "CAPPROVE", "alerts": "CALERTS"},
            "http": {"port": int(self.url.rsplit(":", 1)[1]), "tokens": TOKENS},
        }
        self.fleet.write_text(yaml.safe_dump({**usual, **sections}))

    @property
    def environment(self) -> Mapping[str, str]:
        more = {
            "STEWARD_HOME": str(self.home),
            "SLACK_BOT_TOKEN": BOT,
            "SLACK_APP_TOKEN": APP,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": self.slack.url,
            "USER": "ana",
            **({"STEWARD_DATABASE": self._database} if self._database else {}),
        }
        return {**os.environ, **more}

    def shelve(self, kind: str = "good") -> None:
        """Register a tiny version of digits in this home's registry."""
        from agent.bootstrap import App
        from agent.settings import load

        world = App(load(self.environment, fleet=str(self.fleet))).world
        file = save(self.home / "made" / f"{kind}.onnx", kind)
        register(world.registry, file, metrics={"accuracy": 0.97})

    def start(self) -> None:
        """Start, and wait until it is ready."""
        command = [sys.executable, "-m", "agent", "serve", "--fleet", str(self.fleet)]
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        eventually(lambda: self.get("/readyz") == 200, 90, 0.1)

    def get(self, path: str) -> int:
        try:
            return httpx.get(self.url + path, timeout=10).status_code
        except httpx.TransportError:
            return 0

    def kill(self) -> None:
        """kill -9, as hard as it gets."""
        assert self._running is not None
        self._running.kill()
        self._running.wait(10)

    def stop(self) -> int:
        """End gracefully; then end the servers it left behind, as it should."""
        code = -1
        if self._running is not None and self._running.poll() is None:
            self._running.send_signal(signal.SIGTERM)
            code = self._running.wait(60)
        return code

    def sweep(self) -> None:
        """End everything that was started on this home."""
        from agent.bootstrap import App
        from agent.settings import load
        from tools.platforms.local import LocalPlatform

        self.stop()
        world = App(load(self.environment, fleet=str(self.fleet))).world
        platform = world.platforms.named("local")
        assert isinstance(platform, LocalPlatform)
        platform.stop()

    def replicas(self) -> list[int]:
        """Process ids of the model servers, oldest first."""
        processes = [p for p in Path("/proc").iterdir() if p.name.isdigit()]
        return sorted(int(p.name) for p in processes if _serves(p, self.home))


def _serves(process: Path, home: Path) -> bool:
    try:
        line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return False
    return "tools.serving" in line and str(home) in line

"""What the model server is told when it starts."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.contract import Json


@dataclass(frozen=True, slots=True)
class Options:
    """One server process: one version of one model."""

    artifact: Path
    format: str
    """``onnx`` or ``safetensors``."""
    model: str
    version: str
    port: int = 8080
    host: str = "127.0.0.1"
    admin_port: int = 0
    """0 chooses a free port; ``announce`` tells which."""
    admin_host: str = "127.0.0.1"
    listen_fd: int | None = None
    """An inherited listening socket, shared with every replica of the deployment."""
    handover: Path | None = None
    """Unix socket at which the listening socket is given to whoever may open it."""
    announce: Path | None = None
    """File that receives the admin port and the process identity once it listens."""
    module: Path | None = None
    """The model's code, needed where the artefact holds weights only."""
    params: Mapping[str, Json] = field(default_factory=dict[str, Json])
    digest: str | None = None
    """sha256 the artefact must have; another one is not loaded."""
    threads: int = 1
    hold: bool = False
    """Load and become ready, but take no traffic until told to (blue/green)."""
    drain_grace: float = 5.0
    """Seconds an idle keep-alive connection may still send a request while draining."""
    drain_timeout: float = 30.0
    """Seconds after which draining gives up on requests in flight."""
    connection_age: float = 10.0
    """Seconds after which a keep-alive connection is asked to reconnect, to spread load."""
    max_in_flight: int = 64
    """Requests in flight above which new connections are left to the other replicas."""
    window: Path | None = None
    """Folder that keeps a sample of what is asked and answered, for drift checks."""


def parse(argv: Sequence[str]) -> Options:
    """Options from a command line; prints usage and exits 2 when it is wrong."""
    parser = ArgumentParser(prog="python -m tools.serving", description="Serve one model version.")
    parser.add_argument("--artifact", type=Path, required=True)
    parser.add_argument("--format", choices=("onnx", "safetensors"), required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--admin-port", type=int, default=0)
    parser.add_argument("--admin-host", default="127.0.0.1")
    parser.add_argument("--listen-fd", type=int)
    parser.add_argument("--handover", type=Path)
    parser.add_argument("--announce", type=Path)
    parser.add_argument("--module", type=Path)
    parser.add_argument("--params", type=json.loads, default={})
    parser.add_argument("--digest")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--hold", action="store_true")
    parser.add_argument("--drain-grace", type=float, default=5.0)
    parser.add_argument("--drain-timeout", type=float, default=30.0)
    parser.add_argument("--connection-age", type=float, default=10.0)
    parser.add_argument("--max-in-flight", type=int, default=64)
    parser.add_argument("--window", type=Path)
    return Options(**vars(parser.parse_args(argv)))

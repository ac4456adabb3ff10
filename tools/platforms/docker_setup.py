"""How the containers of a deployment are made, and the labels by which they are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tools.contract import Json
from tools.platforms.base import Release

DEPLOYMENT, ROLE, REVISION = "steward.deployment", "steward.role", "steward.revision"


EPOCH, GENERATION, ACTION = "steward.epoch", "steward.generation", "steward.action-id"


VERSION, DIGEST, MODEL = "steward.version", "steward.digest", "steward.model"


PORT, ADMIN = 8080, 8081


@dataclass(frozen=True, slots=True)
class Setup:
    """How a deployment's containers are made: its ``options`` in steward.yaml."""

    name: str
    port: int
    image: str | None = None
    """``{model}:{version}-{digest12}``: an image for each version, which runs its own command. Or
    one server image for every version: the artefact is then mounted and ``command`` runs."""
    gateway_image: str | None = None
    """An image with ``python3``; none takes the first release's."""
    address: str = "127.0.0.1"
    network: str = "steward"
    command: Sequence[str] = ()
    """What a container runs, with ``{artifact}``, ``{format}``, ``{model}``, ``{version}``."""
    python: str = "python3"
    mounts: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    probe: str = "/v2/health/ready"
    probe_port: int = ADMIN
    metrics: str = "/metrics"
    start_seconds: float = 60.0
    """How long a replica may take to become ready."""
    stop_seconds: int = 30
    memory: str | None = None
    gpus: int = 0
    max_replicas: int = 64


COMMAND = [
    "{python}",
    "-m",
    "tools.serving",
    "--artifact",
    "{artifact}",
    "--format",
    "{format}",
    "--model",
    "{model}",
    "--version",
    "{version}",
    "--host",
    "0.0.0.0",
    "--port",
    "8080",
    "--admin-host",
    "0.0.0.0",
    "--admin-port",
    "8081",
    "--drain-grace",
    "0.2",
]


def filled(pattern: str, release: Release, setup: Setup | None = None, artifact: str = "") -> str:
    """A pattern with the release filled in."""
    digest = (release.digest or "").removeprefix("sha256:")
    return pattern.format(
        model=(release.model or "model").lower(),
        version=release.version or "0",
        digest=digest,
        digest12=digest[:12],
        artifact=artifact or release.artifact or "",
        format=release.config.get("format") or "onnx",
        python=setup.python if setup else "python3",
    )


def config_env(config: Mapping[str, Json]) -> dict[str, str]:
    """The environment that a configuration asks for."""
    env = config.get("env")
    return {k: str(v) for k, v in env.items()} if isinstance(env, dict) else {}

"""The images port: what builds and pushes container images of model versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from pathlib import Path

    from tools.contract import Act
    from tools.world import World


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """What to build: the server of ``deploy/Dockerfile`` with one artefact inside."""

    model: str
    version: int
    digest: str
    """sha256 of the artefact, hexadecimal."""
    artifact: Path
    format: str
    tag: str
    """``model:version-digest12``: the same version always has the same tag."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image the engine has."""

    id: str
    """``sha256:…`` of its configuration."""
    tags: tuple[str, ...]
    model: str
    version: str
    digest: str
    """sha256 of the artefact inside."""
    size: int
    """Bytes."""
    action_id: str | None = None
    repo_digests: tuple[str, ...] = ()
    """``repository@sha256:…`` as registries know it, after a push."""


class Images(Protocol):
    """A place where images are built. Errors are :mod:`tools.errors` only."""

    @property
    def name(self) -> str:
        """Where: the name of the platform in steward.yaml."""
        ...

    def find(self, tag: str) -> Image | None:
        """The image of this tag, or ``None``."""
        ...

    def list(self) -> Sequence[Image]:
        """Images that Steward built, newest first."""
        ...

    def build(self, spec: ImageSpec, act: Act) -> Image:
        """Build and tag; the image carries ``act.id``. The same ``act.id`` builds once."""
        ...

    def target(self, tag: str) -> str:
        """The full name a push of ``tag`` goes to; raises ``Refused`` where none is configured."""
        ...

    def pushed(self, tag: str) -> str | None:
        """The digest the registry has under ``target(tag)``, or ``None``."""
        ...

    def push(self, tag: str, act: Act) -> str:
        """Push with progress and return the registry's digest."""
        ...


def images(world: World) -> Images:
    """The fleet's image builder."""
    return cast("Images", world.port("images"))


def tag_of(model: str, version: int, digest: str) -> str:
    """``model:version-digest12``: reproducible, and readable in a listing."""
    return f"{model.lower()}:{version}-{digest.removeprefix('sha256:')[:12]}"

"""Images of model versions on a Docker engine: build, list, push, and what could be cleaned up."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.contract import Act
from tools.errors import BadArguments, Failed, Refused
from tools.images.base import Image, ImageSpec
from tools.platforms.docker_engine import Engine
from tools.platforms.docker_values import NoImage

if TYPE_CHECKING:
    from tools.world import World

MODEL, VERSION = "steward.model", "steward.version"
DIGEST, ACTION = "steward.digest", "steward.action-id"
ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
EPOCH = 1_600_000_000
"""Time of every file in the build context, so that the same version builds the same layers."""


@dataclass(frozen=True, slots=True)
class Waste:
    """What a clean-up would remove; it is proposed, never done silently."""

    images: tuple[Image, ...]
    """Built by Steward, and used by no container."""
    volumes: tuple[str, ...]
    """Anonymous volumes that no container uses."""
    size: int
    """Bytes the images take together."""


class DockerImages:
    """The images port over one engine."""

    def __init__(
        self,
        name: str,
        engine: Engine,
        registry: str | None = None,
        base: str | None = None,
        dockerfile: Path = DOCKERFILE,
    ) -> None:
        self._name = name
        self._engine = engine
        self._registry = registry
        self._base = base
        self._dockerfile = dockerfile

    @property
    def name(self) -> str:
        """The platform's name in steward.yaml."""
        return self._name

    def find(self, tag: str) -> Image | None:
        """The image of this tag, or ``None``."""
        try:
            with self._engine.translated():
                return _image(self._engine.api.inspect_image(tag))
        except NoImage:
            return None

    def list(self) -> Sequence[Image]:
        """Images that Steward built, newest first."""
        with self._engine.translated():
            rows = self._engine.api.images(filters={"label": MODEL})
        found = [self.find(row["Id"]) for row in sorted(rows, key=lambda r: -int(r["Created"]))]
        return [image for image in found if image is not None]

    def build(self, spec: ImageSpec, act: Act) -> Image:
        """Build the model server with this version's artefact inside."""
        there = self.find(spec.tag)
        if there is not None and there.digest == spec.digest:
            return there
        labels = {
            MODEL: spec.model,
            VERSION: str(spec.version),
            DIGEST: spec.digest,
            ACTION: act.id,
        }
        arguments = {"MODEL": spec.model, "VERSION": str(spec.version), "FORMAT": spec.format}
        arguments |= {"BASE": self._base} if self._base else {}
        act.progress("packing the server and the artefact", 0.05)
        context = pack(spec, self._dockerfile)
        with self._engine.translated():
            rows = self._engine.api.build(
                fileobj=io.BytesIO(context),
                custom_context=True,
                tag=spec.tag,
                rm=True,
                forcerm=True,
                labels=labels,
                buildargs=arguments,
                decode=True,
            )
            for row in rows:
                act.check()
                _building(row, act)
        built = self.find(spec.tag)
        if built is None:
            raise Failed(f"The build of {spec.tag} ended without an image.")
        return built

    def target(self, tag: str) -> str:
        """``registry/model:version-digest12``; raises ``Refused`` without a registry."""
        if not self._registry:
            raise Refused(
                f"{self._name} has no registry to push to; set 'registry: HOST[:PORT][/PATH]' on the"
                " platform in steward.yaml.",
                f"{self._name} 没有配置镜像仓库；请在 steward.yaml 的平台中设置 registry。",
            )
        return f"{self._registry}/{tag.removeprefix(self._registry + '/')}"

    def pushed(self, tag: str) -> str | None:
        """The digest that the registry has under this tag."""
        try:
            with self._engine.translated():
                said = self._engine.api.inspect_distribution(self.target(tag))
        except (NoImage, BadArguments, Refused, Failed):
            return None  # the registry does not know it
        return str(said["Descriptor"]["digest"])

    def push(self, tag: str, act: Act) -> str:
        """Push, layer by layer; layers that the registry has are not sent."""
        target = self.target(tag)
        repository, _, version = target.rpartition(":")
        progress = _Pushing(act, target)
        with self._engine.translated():
            self._engine.api.tag(tag, repository, version)
            for row in self._engine.api.push(repository, version, stream=True, decode=True):
                act.check()
                progress.row(row)
        if not progress.digest:
            raise Failed(f"The push of {target} ended without a digest.")
        return progress.digest

    def waste(self) -> Waste:
        """Images and volumes that nothing uses."""
        with self._engine.translated():
            used = {c["ImageID"] for c in self._engine.api.containers(all=True)}
            volumes: Sequence[Any] = (
                self._engine.api.volumes(filters={"dangling": "true"})["Volumes"] or []
            )
        idle = tuple(i for i in self.list() if i.id not in used)
        names = tuple(sorted(str(v["Name"]) for v in volumes))
        return Waste(idle, names, sum(i.size for i in idle))


def pack(spec: ImageSpec, dockerfile: Path) -> bytes:
    """The build context: Dockerfile, the tools package, the artefact. The same bytes every time."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        _add(tar, dockerfile, "Dockerfile")
        _add(tar, spec.artifact, f"model/{spec.artifact.name}")
        for path in sorted((ROOT / "tools").rglob("*.py")):
            _add(tar, path, str(path.relative_to(ROOT)))
    return packed.getvalue()


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    if not path.is_file():
        raise BadArguments(f"{path} is not there, so the image cannot be built.")
    data = path.read_bytes()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(data), 0o644, EPOCH
    tar.addfile(entry, io.BytesIO(data))


def _image(raw: Mapping[str, Any]) -> Image:
    labels: Mapping[str, str] = raw["Config"].get("Labels") or {}
    return Image(
        id=raw["Id"],
        tags=tuple(raw.get("RepoTags") or ()),
        model=labels.get(MODEL, ""),
        version=labels.get(VERSION, ""),
        digest=labels.get(DIGEST, ""),
        size=int(raw["Size"]),
        action_id=labels.get(ACTION),
        repo_digests=tuple(raw.get("RepoDigests") or ()),
    )


def _building(row: Mapping[str, Any], act: Act) -> None:
    if "error" in row:
        raise Failed(f"The image build failed: {' '.join(str(row['error']).split())[:300]}")
    said = str(row.get("stream") or row.get("status") or "").strip()
    if said.startswith("Step "):
        now, _, total = said.removeprefix("Step ").split(" ", 1)[0].partition("/")
        share = int(now) / int(total) if now.isdigit() and total.isdigit() else None
        act.progress(said[:120], share)


class _Pushing:
    """Adds up the layers of a push."""

    def __init__(self, act: Act, target: str) -> None:
        self._act = act
        self._target = target
        self._layers: dict[str, tuple[int, int]] = {}
        self.digest = ""

    def row(self, row: Mapping[str, Any]) -> None:
        """One line of the engine's report."""
        if "error" in row:
            raise Failed(f"The push of {self._target} failed: {str(row['error'])[:300]}")
        detail: dict[str, Any] = row.get("progressDetail") or {}
        if row.get("id") and detail.get("total"):
            self._layers[str(row["id"])] = (int(detail["current"]), int(detail["total"]))
            sent = sum(min(c, t) for c, t in self._layers.values())
            total = sum(t for _, t in self._layers.values())
            text = f"{sent / 1e6:.0f} of {total / 1e6:.0f} MB sent to {self._target}"
            self._act.progress(text, sent / total)
        aux: dict[str, Any] = row.get("aux") or {}
        self.digest = str(aux.get("Digest") or self.digest)


def build_images(world: World) -> DockerImages:
    """The ``images`` port: the engine of the first platform of kind docker, or the local one."""
    for name, options in world.fleet.platforms.items():
        if options.get("kind") == "docker":
            text = {k: str(v) for k, v in options.items() if k in ("host", "registry", "base")}
            engine = Engine(name, text.get("host"))
            return DockerImages(name, engine, text.get("registry"), text.get("base"))
    return DockerImages("docker", Engine("docker"))

"""Building and pushing images on a real engine, to a real registry where one is installed."""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.bench_docker import docker_platform, release, setup
from tests.platforms import real_engine
from tests.serving.tiny import save
from tests.support import RecordingAct, carry_out, make_world
from tools.contract import Happened
from tools.errors import BadArguments, Refused
from tools.images.base import ImageSpec, tag_of
from tools.images.build import BuildImage
from tools.images.push import PushImage
from tools.platforms.base import RollOut
from tools.platforms.docker_engine import Engine
from tools.platforms.docker_images import DockerImages, pack
from tools.world import World

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(bool(real_engine.why_not()), reason=real_engine.why_not() or "ok"),
]
RUNNING = shutil.which("docker-registry")


@dataclass
class Version:
    model: str
    number: int
    digest: str
    path: Path
    format: str = "onnx"


class OneVersion:
    def __init__(self, version: Version) -> None:
        self.version = version

    def resolve(self, model: str, ref: str | None = None) -> Version:
        return self.version


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if RUNNING is None:
        pytest.skip("docker-registry is not installed")
    home = tmp_path_factory.mktemp("registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = home / "config.yml"
    settings.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {home}/data}}}}\nhttp: {{addr: '{address}'}}\n"
    )
    process = subprocess.Popen(
        [RUNNING, "serve", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    for _ in range(100):
        try:
            httpx.get(f"http://{address}/v2/", timeout=1)
            break
        except httpx.HTTPError:
            time.sleep(0.1)
    yield address
    process.terminate()
    process.wait(10)


@pytest.fixture
def version(tmp_path: Path) -> Version:
    file = save(tmp_path / "model.onnx")
    with file.open("ab") as handle:
        handle.write(b"")
    return Version(
        f"digits-{uuid.uuid4().hex[:6]}", 3, hashlib.sha256(file.read_bytes()).hexdigest(), file
    )


def world_with(tmp_path: Path, version: Version, images: DockerImages) -> World:
    return make_world(
        tmp_path / "home",
        registry=lambda _: OneVersion(version),
        more={"images": lambda _: images},
    )


@pytest.fixture
def images(version: Version) -> Iterator[DockerImages]:
    engine = Engine("box")
    yield DockerImages("box", engine, base=real_engine.IMAGE)
    for image in DockerImages("box", engine).list():
        if image.model == version.model:
            for tag in image.tags:
                engine.api.remove_image(tag, force=True)
    engine.close()


def test_an_image_is_built_once_with_a_reproducible_tag(
    tmp_path: Path, version: Version, images: DockerImages
) -> None:
    world = world_with(tmp_path, version, images)
    plan, outcome, verdict = carry_out(world, BuildImage, "b1", model=version.model, version="3")
    assert plan.target.name == f"{version.model}:3-{version.digest[:12]}"
    assert verdict.ok, verdict
    built = images.find(plan.target.name)
    assert built is not None
    assert (built.digest, built.action_id) == (version.digest, "b1")
    assert BuildImage.change.happened(world, plan, "b1") is Happened.YES
    assert BuildImage.change.happened(world, plan, "b2") is Happened.NO
    with pytest.raises(BadArguments, match="already built"):
        BuildImage.change.plan(world, BuildImage.bind({"model": version.model, "version": "3"}))
    assert images.waste().images[0].model
    assert "image" in outcome.details


def test_the_same_version_packs_the_same_bytes(version: Version) -> None:
    spec = ImageSpec(
        version.model,
        3,
        version.digest,
        version.path,
        "onnx",
        tag_of(version.model, 3, version.digest),
    )
    dockerfile = real_engine.REPOSITORY / "deploy" / "Dockerfile"
    assert pack(spec, dockerfile) == pack(spec, dockerfile)


def test_a_built_image_serves(tmp_path: Path, version: Version, images: DockerImages) -> None:
    world = world_with(tmp_path, version, images)
    carry_out(world, BuildImage, "b1", model=version.model, version="3")
    made = setup(
        image="{model}:{version}-{digest12}",
        gateway_image=real_engine.IMAGE,
        env={"PATH": f"{Path(real_engine.PYTHON).parent}:/usr/bin:/bin", "PYTHONPATH": "/app"},
    )
    wanted = release(tmp_path, 3)
    wanted = type(wanted)(
        version.model, "3", version.digest, str(version.path), config={"format": "onnx"}
    )
    with docker_platform(made) as platform:
        platform.edit(made.name, RollOut(wanted, 1), RecordingAct("r"))
        end = time.monotonic() + 60
        while (seen := platform.status(made.name)).phase != "complete":
            assert seen.phase == "progressing", seen
            assert time.monotonic() < end, seen
            time.sleep(0.2)
        answer = httpx.get(f"http://127.0.0.1:{made.port}/v2/models/{version.model}", timeout=5)
        assert answer.json()["versions"] == ["3"]


def test_a_push_is_verified_at_the_registry(
    tmp_path: Path, version: Version, images: DockerImages, registry: str
) -> None:
    images = DockerImages("box", Engine("box"), registry=f"{registry}/team", base=real_engine.IMAGE)
    world = world_with(tmp_path, version, images)
    plan, _, _ = carry_out(world, BuildImage, "b1", model=version.model, version="3")
    tag = plan.target.name
    act = RecordingAct("p1")
    pushing = PushImage.change.plan(world, PushImage.bind({"image": tag}))
    outcome = PushImage.change.apply(world, pushing, act)
    verdict = PushImage.change.verify(world, pushing, outcome, act)
    assert verdict.ok, verdict
    listed: dict[str, Any] = httpx.get(
        f"http://{registry}/v2/team/{version.model}/tags/list", timeout=5
    ).json()
    assert listed["tags"] == [tag.partition(":")[2]]
    assert PushImage.change.happened(world, pushing, "p1") is Happened.YES
    with pytest.raises(BadArguments, match="already has this image"):
        PushImage.change.plan(world, PushImage.bind({"image": tag}))


def test_without_a_registry_a_push_says_what_to_set(
    tmp_path: Path, version: Version, images: DockerImages
) -> None:
    world = world_with(tmp_path, version, images)
    plan, _, _ = carry_out(world, BuildImage, "b1", model=version.model, version="3")
    with pytest.raises(Refused, match="registry"):
        PushImage.change.plan(world, PushImage.bind({"image": plan.target.name}))
    with pytest.raises(BadArguments, match=f"{version.model}:3"):
        PushImage.change.plan(world, PushImage.bind({"image": f"{version.model}:4"}))

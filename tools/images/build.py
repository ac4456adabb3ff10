"""Build the container image of a model version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tools.contract import (
    Act,
    Effect,
    Happened,
    Irreversible,
    Outcome,
    Phrases,
    Plan,
    PlanWords,
    Target,
    Verdict,
    changing,
)
from tools.errors import BadArguments
from tools.images.base import ImageSpec, images, tag_of
from tools.words import Model, Version

if TYPE_CHECKING:
    from tools.world import World


@dataclass(frozen=True, slots=True)
class BuildArguments:
    """Which version of which model."""

    model: Model
    version: Version


@changing(BuildArguments)
class BuildImage:
    """Build the container image of a model version, tagged model:version-digest."""

    effect: ClassVar[Effect] = Effect.CHANGE
    phrases: ClassVar[Phrases] = Phrases(
        en=(
            "build an image of {model} version {version}",
            "build image {model} {version}",
            "build a container image for {model} {version}",
            "make a docker image of {model} version {version}",
            "package {model} {version} as a container",
            "containerize {model} version {version}",
            "create the image for version {version} of {model}",
            "bake {model} {version} into an image",
            "docker build {model} {version}",
        ),
        zh=(
            "为 {model} 版本 {version} 构建镜像",
            "构建 {model} {version} 的镜像",
            "给 {model} 的版本 {version} 打一个容器镜像",
            "把 {model} {version} 打包成镜像",
            "制作 {model} 版本 {version} 的 docker 镜像",
            "将 {model} {version} 容器化",
        ),
    )

    def plan(self, world: World, args: BuildArguments) -> Plan:
        """The version, its digest and the tag it will have."""
        version = world.registry.resolve(args.model, args.version)
        builder = images(world)
        tag = tag_of(version.model, version.number, version.digest)
        there = builder.find(tag)
        if there is not None and there.digest == version.digest:
            raise BadArguments(
                f"The image {tag} is already built ({there.id[:19]}); push it or roll it out.",
                f"镜像 {tag} 已经存在（{there.id[:19]}），可以直接推送或上线。",
            )
        return Plan(
            target=Target("image", tag, version.digest, "absent" if there is None else there.id),
            title=f"Build the image {tag} of {version.model} version {version.number}",
            diff=f"- {there.id if there else 'no image ' + tag}\n+ {tag} with {version.digest[:19]}",
            blast_radius=f"disk of {builder.name} only; nothing that serves is touched",
            undo="none is needed: nothing uses the image until it is rolled out",
            verification="the engine has the tag, labelled with the digest of this version",
            zh=PlanWords(
                f"为 {version.model} 版本 {version.number} 构建镜像 {tag}",
                f"只占用 {builder.name} 的磁盘；不影响正在服务的内容",
                "无需撤销：上线之前没有任何东西使用该镜像",
                "引擎中有该标签，且带有此版本的摘要",
            ),
            deadline=timedelta(minutes=2),
            details={
                "model": version.model,
                "version": version.number,
                "digest": version.digest,
                "artifact": str(version.path),
                "format": version.format,
                "tag": tag,
            },
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Build, with progress by step."""
        built = images(world).build(_spec(plan), act)
        done = {"tag": plan.target.name, "image": built.id, "size": built.size}
        size = f"{built.size / 1e6:.0f} MB"
        zh = f"已构建 {plan.target.name}，{size}。"
        return Outcome(f"Built {plan.target.name}, {size}.", done, zh=zh)

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """Ask the engine for the tag and compare the digest it carries."""
        found, tag = images(world).find(plan.target.name), plan.target.name
        if found is None:
            en, zh = f"The engine has no image {tag}.", f"引擎中没有镜像 {tag}。"
            return Verdict(False, en, "image missing", zh=zh, cause_zh="缺少镜像")
        if found.digest != plan.details["digest"]:
            return Verdict(
                False,
                f"{tag} carries {found.digest[:19]}, not the version's digest.",
                "another artefact under this tag",
                zh=f"{tag} 带有 {found.digest[:19]}，不是该版本的摘要。",
                cause_zh="该标签下是另一个产物",
            )
        size = f"{found.size / 1e6:.0f} MB"
        zh = f"{tag} 为 {found.id[:19]}，{size}。"
        return Verdict(True, f"{tag} is {found.id[:19]}, {size}.", zh=zh)

    undo = Irreversible(
        "an image that nothing runs harms nothing; remove it with the clean-up",
        "没有运行的镜像没有影响；清理时删除即可",
    )

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Does an image of this tag carry the action's id?"""
        found = images(world).find(plan.target.name)
        return Happened.YES if found and found.action_id == action_id else Happened.NO


def _spec(plan: Plan) -> ImageSpec:
    said = plan.details
    return ImageSpec(
        model=str(said["model"]),
        version=int(str(said["version"])),
        digest=str(said["digest"]),
        artifact=Path(str(said["artifact"])),
        format=str(said["format"]),
        tag=str(said["tag"]),
    )

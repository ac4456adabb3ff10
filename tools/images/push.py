"""Push an image to the registry of the fleet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
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
from tools.errors import BadArguments, unknown
from tools.images.base import images
from tools.words import Image

if TYPE_CHECKING:
    from tools.world import World


@dataclass(frozen=True, slots=True)
class PushArguments:
    """Which image."""

    image: Image


@changing(PushArguments)
class PushImage:
    """Push an image to the configured registry, so that other machines can pull it."""

    effect: ClassVar[Effect] = Effect.CHANGE
    phrases: ClassVar[Phrases] = Phrases(
        en=(
            "push {image}",
            "push image {image}",
            "push the image {image} to the registry",
            "upload {image} to the registry",
            "publish the image {image}",
            "docker push {image}",
            "send {image} to the container registry",
            "make {image} available in the registry",
            "put image {image} in the registry",
        ),
        zh=(
            "推送镜像 {image}",
            "把镜像 {image} 推送到仓库",
            "上传镜像 {image}",
            "发布镜像 {image}",
            "将 {image} 推到镜像仓库",
            "docker push {image}",
        ),
    )

    def plan(self, world: World, args: PushArguments) -> Plan:
        """The image, where it goes, and what the registry has there now."""
        store = images(world)
        found = store.find(args.image)
        if found is None:
            known = [tag for image in store.list() for tag in image.tags]
            raise unknown("image", args.image, known, "镜像")
        target = store.target(args.image)
        there = store.pushed(args.image)
        if there is not None and any(d.endswith(there) for d in found.repo_digests):
            raise BadArguments(
                f"{target} already has this image ({there[:19]}); there is nothing to push.",
                f"{target} 已有该镜像（{there[:19]}），无需推送。",
            )
        return Plan(
            target=Target("image", args.image, found.id, there or "absent"),
            title=f"Push {args.image} to {target} ({found.size / 1e6:.0f} MB)",
            diff=f"- {target}: {there or 'nothing'}\n+ {target}: {found.id}",
            blast_radius="the registry only; whoever pulls this tag gets this image from then on",
            undo="cannot be undone here: others may have pulled it; push the former image instead",
            verification="the registry answers with the digest that was pushed",
            deadline=timedelta(minutes=2),
            warnings=(f"{target} exists and would be replaced",) if there else (),
            zh=PlanWords(
                f"推送 {args.image} 到 {target}（{found.size / 1e6:.0f} MB）",
                "只影响镜像仓库；此后拉取该标签得到的就是这个镜像",
                "这里无法撤销：可能已有人拉取；可改推之前的镜像",
                "仓库返回的摘要与推送的一致",
                (f"{target} 已存在，将被替换",) if there else (),
            ),
            details={"image": args.image, "target": target, "id": found.id},
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Push; layers the registry has are skipped by the registry's protocol."""
        digest = images(world).push(plan.target.name, act)
        target = plan.details["target"]
        zh = f"已推送 {target}，摘要 {digest[:19]}。"
        return Outcome(f"Pushed {target} as {digest[:19]}.", {"digest": digest}, zh=zh)

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """Ask the registry which digest the tag has."""
        there, target = images(world).pushed(plan.target.name), plan.details["target"]
        if there is None or there != outcome.details.get("digest"):
            return Verdict(
                False,
                f"The registry has {there or 'nothing'} under {target}.",
                "the registry does not have what was pushed",
                zh=f"仓库中 {target} 为{f' {there}' if there else '空'}。",
                cause_zh="仓库中没有所推送的内容",
            )
        zh = f"仓库中 {target} 为 {there[:19]}。"
        return Verdict(True, f"{target} is {there[:19]} in the registry.", zh=zh)

    undo = Irreversible(
        "a pushed image may have been pulled already; push another to replace it",
        "推送的镜像可能已被拉取；可推送另一个来替换",
    )

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Has the registry this image now? Pushing the same content again changes nothing."""
        store = images(world)
        there = store.pushed(plan.target.name)
        found = store.find(plan.target.name)
        if there is None or found is None:
            return Happened.NO
        return Happened.YES if any(d.endswith(there) for d in found.repo_digests) else Happened.NO

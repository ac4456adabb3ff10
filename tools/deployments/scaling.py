"""Changing how many replicas serve."""

from __future__ import annotations

from dataclasses import dataclass

from tools.contract import Call, Outcome, Phrases, Plan, PlanWords, changing
from tools.deployments.change import DeploymentChange, before, planned
from tools.deployments.finding import find
from tools.deployments.wording import replicas
from tools.errors import BadArguments
from tools.platforms import base
from tools.words import Deployment, Replicas
from tools.world import World


@dataclass(frozen=True, slots=True)
class ScaleArgs:
    """Which deployment, and how many replicas."""

    deployment: Deployment
    replicas: Replicas


@changing(ScaleArgs)
class Scale(DeploymentChange):
    """Set the number of replicas of a deployment."""

    phrases = Phrases(
        en=(
            "scale {deployment} to {replicas}",
            "scale {deployment} to {replicas} replicas",
            "run {replicas} replicas of {deployment}",
            "set {deployment} to {replicas} replicas",
            "give {deployment} {replicas} replicas",
            "scale up {deployment} to {replicas}",
            "scale {deployment} down to {replicas}",
            "change the replica count of {deployment} to {replicas}",
            "I want {replicas} copies of {deployment}",
            "resize {deployment} to {replicas}",
        ),
        zh=(
            "把 {deployment} 扩到 {replicas} 个副本",
            "{deployment} 扩容到 {replicas}",
            "{deployment} 缩容到 {replicas} 个",
            "将 {deployment} 的副本数设为 {replicas}",
            "{deployment} 改成 {replicas} 个副本",
            "让 {deployment} 跑 {replicas} 个副本",
            "把 {deployment} 伸缩到 {replicas}",
        ),
    )

    def plan(self, world: World, args: ScaleArgs) -> Plan:
        """From how many to how many, and whether the platform can carry it."""
        found = find(world, args.deployment)
        now = found.status.wanted
        if now == args.replicas and found.status.phase == "complete":
            raise BadArguments(
                f"{found.ref} runs {replicas(now)} already.",
                f"{found.ref} 已是 {now} 个副本。",
            )
        edit = base.Scale(args.replicas)
        preview = found.platform.preview(found.ref, edit)
        share = f"from {now} to {replicas(args.replicas)}"
        return planned(
            found,
            edit,
            preview,
            title=f"Scale {found.ref} to {replicas(args.replicas)}",
            blast_radius=f"{share}; replicas that leave finish their requests first",
            undo=f"scale back to {replicas(now)}",
            verification=f"{args.replicas} of {replicas(args.replicas)} ready"
            + (", real requests answered" if args.replicas else ", none left"),
            zh=PlanWords(
                f"将 {found.ref} 调整为 {args.replicas} 个副本",
                f"从 {now} 个副本变为 {args.replicas} 个；退出的副本会先处理完已有请求",
                f"恢复为 {now} 个副本",
                f"{args.replicas}/{args.replicas} 个副本就绪"
                + ("，真实请求得到应答" if args.replicas else "，没有残留副本"),
                () if args.replicas else (f"将没有副本应答对 {found.ref} 的请求",),
            ),
            undo_on_failure=now > 0,
            warnings=() if args.replicas else (f"nothing will answer requests to {found.ref}",),
        )

    def reached(self, status: base.Status, plan: Plan, outcome: Outcome) -> bool:
        """Complete with the number that was asked for."""
        edit = plan.details["edit"]
        return isinstance(edit, dict) and status.wanted == edit["replicas"]

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Back to the number before."""
        return Call("scale", {"deployment": plan.target.name, "replicas": before(plan, "replicas")})

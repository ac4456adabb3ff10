"""Rolling out a registered version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, cast

from pydantic import Field

from tools.contract import Call, Outcome, Phrases, Plan, changing
from tools.deployments.change import DeploymentChange, before, planned
from tools.deployments.checking import still_there
from tools.deployments.finding import (
    Found,
    find,
    known_version,
    model_of,
    refuse_loss,
    release_of,
)
from tools.deployments.judging import overtaken, unseen
from tools.deployments.rollout_words import HOW, held_back, in_chinese, radius, undoing
from tools.deployments.wording import replicas
from tools.errors import BadArguments, Refused
from tools.platforms import base
from tools.platforms.base import StrategyName
from tools.words import Deployment, Strategy, Version, Word
from tools.world import World


@dataclass(frozen=True, slots=True)
class RollOutArgs:
    """Where to, which version, and how."""

    deployment: Deployment
    version: Annotated[Version, Field(description="version to serve: 3, v3, latest, an alias")]
    strategy: Strategy | None = None
    accept_loss: Annotated[
        float | None,
        Word("points"),
        Field(ge=0, le=100, description="accuracy points knowingly given up"),
    ] = None


@changing(RollOutArgs)
class RollOut(DeploymentChange):
    """Roll out a registered model version to a deployment (rolling, canary or blue/green)."""

    phrases = Phrases(
        en=(
            "roll out {version} to {deployment}",
            "roll out version {version} of {deployment}",
            "deploy {version} to {deployment}",
            "deploy version {version} of {deployment}",
            "release {version} on {deployment}",
            "roll {deployment} out to version {version}",
            "update {deployment} to version {version}",
            "upgrade {deployment} to {version}",
            "ship {version} to {deployment}",
            "put version {version} of {deployment} into service",
            "serve {version} on {deployment}",
            "canary {version} on {deployment}",
            "roll out {version} to {deployment} with a {strategy} strategy",
            "do a {strategy} release of {version} on {deployment}",
            "switch {deployment} to version {version} {strategy}",
            "roll out {version} to {deployment} and accept a loss of {accept_loss} points",
        ),
        zh=(
            "把 {version} 发布到 {deployment}",
            "发布 {deployment} 的版本 {version}",
            "部署 {version} 到 {deployment}",
            "将 {deployment} 升级到 {version}",
            "把 {deployment} 更新到版本 {version}",
            "上线 {deployment} 的 {version}",
            "用 {strategy} 方式把 {version} 发布到 {deployment}",
            "在 {deployment} 上灰度发布 {version}",
            "{deployment} 切到版本 {version}",
            "让 {deployment} 跑 {version}",
            "发布 {version} 到 {deployment}，接受 {accept_loss} 个点的损失",
        ),
    )

    def plan(self, world: World, args: RollOutArgs) -> Plan:
        """Resolve the version, hold it against its gate, and ask the platform what would change."""
        found = find(world, args.deployment)
        model = model_of(found)
        version = world.registry.resolve(model, args.version)
        refuse_loss(version, found.ref, args.accept_loss)
        status, release = found.status, release_of(world, found, version)
        if status.phase == "complete" and status.wanted and status.release == release:
            raise BadArguments(
                f"{found.ref} already serves version {version.number} on "
                f"{replicas(status.wanted)}; there is nothing to roll out.",
                f"{found.ref} 已在 {status.wanted} 个副本上提供版本 {version.number}，无需发布。",
            )
        wanted = status.wanted or (found.spec.replicas if found.spec else 0) or 2
        edit = _edit(found, release, wanted, args.strategy)
        preview = found.platform.preview(found.ref, edit)
        now = known_version(world, model, status.release.version)
        reach, undo = radius(found, wanted, edit, preview.least, now, version), undoing(found)
        warnings = held_back(version, args.accept_loss)
        judging = 3 * len(edit.steps) * edit.pause if edit.strategy == "canary" else timedelta()
        return planned(
            found,
            edit,
            preview,
            title=f"Roll out {model} version {version.number} to {found.ref} "
            f"({replicas(wanted)}, {HOW[edit.strategy]})",
            blast_radius=reach.en,
            undo=undo.en,
            verification=f"all {replicas(wanted)} of version {version.number} ready, old ones "
            f"gone, real requests answered by it, errors within 2 % for "
            f"{found.number('soak', 2.0):g} s",
            zh=in_chinese(found, version, edit, reach, undo, warnings),
            margin=judging,
            undo_on_failure=True,
            warnings=tuple(w.en for w in warnings),
        )

    def reached(self, status: base.Status, plan: Plan, outcome: Outcome) -> bool:
        """Complete with the release that was asked for."""
        edit = cast("dict[str, dict[str, str]]", plan.details["edit"])
        return status.release.version == edit["release"]["version"]

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Back to the revision before; after a first roll-out, to no replicas."""
        ref = plan.target.name
        status = still_there(world.platforms.named(str(plan.details["platform"])), ref)
        if status.phase == "paused":
            raise Refused(
                f"The roll-out of {ref} is paused by a person; resume it or roll it back.",
                f"{ref} 的发布已被人暂停；请继续或回滚。",
            )
        mark = str(plan.details.get("template") or "")
        if who := overtaken(status, mark, outcome.details.get("action")):
            raise Refused(
                f"{ref} was edited by {who} since, and rolling back would take that away; look at "
                "it, and roll it back yourself if that is what you want.",
                f"{ref} 此后被 {who} 修改，回滚会撤掉该修改；请先查看，需要时再自行回滚。",
            )
        if lost := unseen(status):
            raise Refused(
                f"version {status.release.version} of {ref} is fully ready, and whether the old "
                f"replicas on a lost node are gone cannot be seen from here ({lost}); it is kept. "
                "Look again when the node is back or removed, or roll it back yourself.",
                f"{ref} 的版本 {status.release.version} 已全部就绪，但失联节点上的旧副本是否已退出无法"
                f"确认（{lost}）；新版本予以保留。请在节点恢复或移除后再查看，或自行回滚。",
            )
        if before(plan, "revision") and before(plan, "replicas"):
            return Call("roll_back", {"deployment": ref, "revision": before(plan, "revision")})
        return Call("scale", {"deployment": ref, "replicas": 0})


def _edit(
    found: Found, release: base.Release, wanted: int, strategy: StrategyName | None
) -> base.RollOut:
    chosen = strategy or found.options.get("strategy", "rolling")
    if chosen not in HOW:
        raise BadArguments(
            f"deployments.{found.ref}.options.strategy is {chosen!r}; "
            "write rolling, canary or blue_green.",
            f"deployments.{found.ref}.options.strategy 为 {chosen!r}；"
            "应为 rolling、canary 或 blue_green。",
        )
    steps = found.options.get("steps")
    shares = (
        tuple(float(s) for s in steps if isinstance(s, int | float))
        if isinstance(steps, list)
        else (0.25, 0.5, 1.0)
    )
    if not shares or any(not 0 < s <= 1 for s in shares) or list(shares) != sorted(shares):
        raise BadArguments(
            f"deployments.{found.ref}.options.steps must be growing shares up to 1, "
            "such as [0.25, 0.5, 1].",
            f"deployments.{found.ref}.options.steps 应为递增且不超过 1 的比例，例如 [0.25, 0.5, 1]。",
        )
    return base.RollOut(
        release,
        wanted,
        cast("StrategyName", chosen),
        steps=shares if shares[-1] == 1 else (*shares, 1.0),
        pause=timedelta(seconds=found.number("pause", 10.0)),
        min_requests=int(found.number("min_requests", 20)),
        max_error_rate=found.number("max_error_rate", 0.02),
        max_slowdown=found.number("max_slowdown", 1.5),
    )

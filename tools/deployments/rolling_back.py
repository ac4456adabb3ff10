"""Returning to an earlier revision: weights and configuration together."""

from __future__ import annotations

from dataclasses import dataclass

from tools.contract import Call, Outcome, Phrases, Plan, PlanWords, changing
from tools.deployments.change import DeploymentChange, before, planned
from tools.deployments.checking import HEALING
from tools.deployments.finding import Found, find
from tools.deployments.wording import replicas
from tools.errors import BadArguments, unknown
from tools.platforms import base
from tools.words import Deployment, Revision
from tools.world import World


@dataclass(frozen=True, slots=True)
class RollBackArgs:
    """Which deployment, and to which revision (default: the one before)."""

    deployment: Deployment
    revision: Revision | None = None


@changing(RollBackArgs)
class RollBack(DeploymentChange):
    """Roll a deployment back to its previous, or a given, revision (weights and configuration)."""

    phrases = Phrases(
        en=(
            "roll back {deployment}",
            "roll {deployment} back",
            "roll {deployment} back to revision {revision}",
            "roll back {deployment} to revision {revision}",
            "revert {deployment}",
            "revert {deployment} to the previous version",
            "go back to the previous version of {deployment}",
            "undo the last roll-out of {deployment}",
            "restore revision {revision} of {deployment}",
            "put the old version of {deployment} back",
            "{deployment} is broken, go back",
        ),
        zh=(
            "回滚 {deployment}",
            "把 {deployment} 回滚",
            "把 {deployment} 回滚到修订 {revision}",
            "{deployment} 回退到上一个版本",
            "撤回 {deployment} 的发布",
            "恢复 {deployment} 之前的版本",
            "{deployment} 退回上一版",
            "将 {deployment} 恢复到第 {revision} 个修订版",
        ),
    )

    def plan(self, world: World, args: RollBackArgs) -> Plan:
        """Find the revision and what returning to it changes."""
        found = find(world, args.deployment)
        revision = _revision(found, args.revision)
        status = found.status
        edit = base.RollBack(revision.number)
        preview = found.platform.preview(found.ref, edit)
        version = revision.release.version
        said, said_zh = f"version {version}", f"版本 {version}"
        return planned(
            found,
            edit,
            preview,
            title=f"Roll back {found.ref} to revision {revision.number} ({said})",
            blast_radius=f"all traffic of {found.ref}, {replicas(status.wanted)}",
            undo=f"roll back to revision {status.revision} (version {status.release.version})",
            verification=f"all {replicas(status.wanted)} of {said} ready, others gone, "
            "real requests answered by it",
            zh=PlanWords(
                f"将 {found.ref} 回滚到修订 {revision.number}（{said_zh}）",
                f"{found.ref} 的全部流量，{status.wanted} 个副本",
                f"回滚到修订 {status.revision}（版本 {status.release.version}）",
                f"{said_zh}的 {status.wanted} 个副本全部就绪，其他副本已退出，真实请求由其应答",
            ),
            healing=HEALING,
            details={"version": version, "heals": True},
        )

    def reached(self, status: base.Status, plan: Plan, outcome: Outcome) -> bool:
        """Complete with the release of that revision."""
        return status.release.version == plan.details["version"]

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Forward again to the revision it left."""
        return Call(
            "roll_back",
            {"deployment": plan.target.name, "revision": before(plan, "revision")},
        )


def _revision(found: Found, asked: int | None) -> base.Revision:
    """The revision to return to; raises ``BadArguments`` with what there is."""
    history = found.platform.history(found.ref)
    current = next((r for r in history if r.current), None)
    failed = found.status.phase in ("failed", "progressing", "paused")
    if asked is None:
        # A failed or halted roll-out is rolled back to what ran before it, which may be current.
        earlier = [r for r in history if current and (r.number < current.number)]
        if failed and current is not None:
            earlier = [r for r in history if r.number < history[0].number] or [current]
        if not earlier:
            raise BadArguments(
                f"{found.ref} has no earlier revision to roll back to.",
                f"{found.ref} 没有可以回滚的更早修订版。",
            )
        return earlier[0]
    for revision in history:
        if revision.number == asked:
            if revision.current and not failed:
                raise BadArguments(
                    f"{found.ref} runs revision {asked} already "
                    f"(version {revision.release.version}).",
                    f"{found.ref} 已在运行修订版 {asked}（版本 {revision.release.version}）。",
                )
            return revision
    raise unknown(
        f"revision of {found.ref}", str(asked), [str(r.number) for r in history], "修订版"
    )

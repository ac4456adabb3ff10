"""Replacing every replica with the same release."""

from __future__ import annotations

from dataclasses import dataclass

from tools.contract import Irreversible, Outcome, Phrases, Plan, PlanWords, changing
from tools.deployments.change import DeploymentChange, made, planned
from tools.deployments.finding import find
from tools.deployments.wording import replicas
from tools.platforms import base
from tools.words import Deployment
from tools.world import World


@dataclass(frozen=True, slots=True)
class RestartArgs:
    """Which deployment."""

    deployment: Deployment


@changing(RestartArgs)
class Restart(DeploymentChange):
    """Restart a deployment gracefully: replace every replica, same release."""

    phrases = Phrases(
        en=(
            "restart {deployment}",
            "restart the {deployment} deployment",
            "restart all replicas of {deployment}",
            "reboot {deployment}",
            "bounce {deployment}",
            "do a rolling restart of {deployment}",
            "replace the replicas of {deployment}",
            "please restart {deployment} gracefully",
            "{deployment} is stuck, restart it",
        ),
        zh=(
            "重启 {deployment}",
            "把 {deployment} 重启一下",
            "滚动重启 {deployment}",
            "重启 {deployment} 的所有副本",
            "{deployment} 卡住了，重启它",
            "请平滑重启 {deployment}",
            "重新启动 {deployment} 服务",
        ),
    )

    undo = Irreversible(
        "a restart leaves the same release running; there is nothing to undo",
        "重启后运行的仍是同一版本，无需撤销",
    )

    def plan(self, world: World, args: RestartArgs) -> Plan:
        """How many replicas are replaced, one after another."""
        found = find(world, args.deployment)
        edit = base.Restart()
        preview = found.platform.preview(found.ref, edit)
        wanted = found.status.wanted
        count = replicas(wanted)
        return planned(
            found,
            edit,
            preview,
            title=f"Restart {found.ref} ({count}, one after another)",
            blast_radius=f"{count} of {found.ref}; each new one is ready before an old one leaves",
            undo=self.undo.reason,
            verification=f"every replica replaced, {count} ready, real requests answered",
            zh=PlanWords(
                f"重启 {found.ref}（{wanted} 个副本，逐个替换）",
                f"{found.ref} 的 {wanted} 个副本；每个新副本就绪后旧副本才退出",
                self.undo.zh,
                f"所有副本均已替换，{wanted} 个就绪，真实请求得到应答",
            ),
        )

    def reached(self, status: base.Status, plan: Plan, outcome: Outcome) -> bool:
        """Complete with none of the replicas there were before."""
        old = outcome.details.get("replicas_before", [])
        known = {str(i) for i in old} if isinstance(old, list) else set[str]()
        return not known & {made(r) for r in status.replicas}

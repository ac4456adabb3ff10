"""Stopping a roll-out where it stands, and letting it go on."""

from __future__ import annotations

from dataclasses import dataclass

from tools.contract import Act, Call, Outcome, Phrases, Plan, PlanWords, Verdict, changing
from tools.deployments.change import DeploymentChange, planned
from tools.deployments.checking import POLL, Check
from tools.deployments.finding import find
from tools.deployments.wording import phase, ready
from tools.platforms import base
from tools.platforms.chinese import in_chinese
from tools.words import Deployment, Said
from tools.world import World


@dataclass(frozen=True, slots=True)
class PauseRolloutArgs:
    """Whose roll-out."""

    deployment: Deployment


@dataclass(frozen=True, slots=True)
class ResumeRolloutArgs:
    """Whose roll-out."""

    deployment: Deployment


@changing(PauseRolloutArgs)
class PauseRollout(DeploymentChange):
    """Pause the roll-out of a deployment where it stands."""

    phrases = Phrases(
        en=(
            "pause the roll-out of {deployment}",
            "pause {deployment}",
            "hold the rollout of {deployment}",
            "stop rolling out {deployment} for now",
            "freeze the roll-out of {deployment}",
            "pause the canary of {deployment}",
            "wait with the deployment of {deployment}",
            "put the {deployment} rollout on hold",
        ),
        zh=(
            "暂停 {deployment} 的发布",
            "先停一下 {deployment} 的发布",
            "暂停 {deployment}",
            "把 {deployment} 的滚动更新暂停",
            "挂起 {deployment} 的灰度",
            "{deployment} 发布先别继续",
        ),
    )

    def plan(self, world: World, args: PauseRolloutArgs) -> Plan:
        """Where the roll-out would stand still."""
        found = find(world, args.deployment)
        edit = base.Pause()
        preview = found.platform.preview(found.ref, edit)
        return planned(
            found,
            edit,
            preview,
            title=f"Pause the roll-out of {found.ref}",
            blast_radius=_mixture(found.status).en,
            undo="resume the roll-out",
            verification="the platform reports it as paused",
            zh=PlanWords(
                f"暂停 {found.ref} 的发布",
                _mixture(found.status).zh,
                "继续发布",
                "平台报告其已暂停",
            ),
        )

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """The platform says paused, or there was nothing left to pause."""
        check = Check.of(world, plan, act)
        while True:
            act.check()
            status = check.platform.status(check.ref)
            if status.phase == "paused":
                seen = _mixture(status)
                zh = f"{check.ref} 已暂停：{seen.zh}。"
                return Verdict(True, f"{check.ref} is paused: {seen.en}.", zh=zh)
            if status.phase in ("complete", "failed") or world.clock.now() > check.ends:
                said = status.message or ready(status).en
                zh = f"{check.ref} {phase(status.phase, 'zh')}：{in_chinese(said)}。"
                seen = f"{check.ref} is {status.phase}: {said}."
                return Verdict(False, seen, "not paused", zh=zh, cause_zh="未能暂停")
            world.clock.sleep(POLL)

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Let it go on."""
        return Call("resume_rollout", {"deployment": plan.target.name})


@changing(ResumeRolloutArgs)
class ResumeRollout(DeploymentChange):
    """Continue the paused roll-out of a deployment."""

    phrases = Phrases(
        en=(
            "resume the roll-out of {deployment}",
            "resume {deployment}",
            "continue the rollout of {deployment}",
            "unpause {deployment}",
            "carry on rolling out {deployment}",
            "go on with the deployment of {deployment}",
            "resume the canary of {deployment}",
            "let the {deployment} rollout continue",
        ),
        zh=(
            "继续 {deployment} 的发布",
            "恢复 {deployment} 的发布",
            "让 {deployment} 的滚动更新继续",
            "取消暂停 {deployment}",
            "继续 {deployment} 的灰度",
            "{deployment} 发布可以继续了",
        ),
    )

    def plan(self, world: World, args: ResumeRolloutArgs) -> Plan:
        """What is left to do."""
        found = find(world, args.deployment)
        edit = base.Resume()
        preview = found.platform.preview(found.ref, edit)
        return planned(
            found,
            edit,
            preview,
            title=f"Resume the roll-out of {found.ref}",
            blast_radius=_mixture(found.status).en,
            undo="pause it again, while it has not ended",
            verification="the roll-out completes and real requests are answered",
            zh=PlanWords(
                f"继续 {found.ref} 的发布",
                _mixture(found.status).zh,
                "在其结束之前可再次暂停",
                "发布完成，真实请求得到应答",
            ),
        )

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """Stop it again."""
        return Call("pause_rollout", {"deployment": plan.target.name})


def _mixture(status: base.Status) -> Said:
    """Which revisions serve side by side."""
    count = ready(status)
    if not status.traffic:
        return count
    shares = [(n, f"{share:.0%}") for n, share in status.traffic.items()]
    return Said(
        f"{count.en}, traffic: {', '.join(f'revision {n} {share}' for n, share in shares)}",
        f"{count.zh}，流量：{'、'.join(f'修订 {n} {share}' for n, share in shares)}",
    )

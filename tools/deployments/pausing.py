"""Stopping a roll-out where it stands, and letting it go on."""

from __future__ import annotations

from dataclasses import dataclass

from tools.contract import Phrases, changing
from tools.deployments.change import DeploymentChange
from tools.words import Deployment


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

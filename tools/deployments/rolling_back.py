"""Returning to an earlier revision: weights and configuration together."""

from __future__ import annotations

from dataclasses import dataclass

from tools.contract import Phrases, changing
from tools.deployments.change import DeploymentChange
from tools.words import Deployment, Revision


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

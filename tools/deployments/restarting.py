"""Replacing every replica with the same release."""

from __future__ import annotations

from dataclasses import dataclass

from tools.contract import Phrases, changing
from tools.deployments.change import DeploymentChange
from tools.words import Deployment


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

"""Rolling out a registered version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from tools.contract import Phrases, changing
from tools.deployments.change import DeploymentChange
from tools.words import Deployment, Strategy, Version


@dataclass(frozen=True, slots=True)
class RollOutArgs:
    """Where to, which version, and how."""

    deployment: Deployment
    version: Annotated[Version, Field(description="version to serve: 3, v3, latest, an alias")]
    strategy: Strategy | None = None
    accept_loss: (
        Annotated[Version, Field(description="the version again, to accept a failed quality gate")]
        | None
    ) = None


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
            "roll out {version} to {deployment} accepting the loss of {accept_loss}",
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
        ),
    )

"""How one deployment is doing: version, replicas, traffic, causes, last change."""

from __future__ import annotations

from tools.contract import Finding, Phrases, reading
from tools.errors import Unavailable
from tools.words import Deployment
from tools.world import World


@reading(
    Phrases(
        en=(
            "how is {deployment}",
            "status of {deployment}",
            "is {deployment} healthy",
            "how is {deployment} doing",
            "what version of {deployment} is running",
            "how many replicas does {deployment} have",
            "is {deployment} up",
            "what is the error rate of {deployment}",
            "show me the {deployment} deployment",
            "is the roll-out of {deployment} done",
            "what is wrong with {deployment}",
            "latency of {deployment}",
        ),
        zh=(
            "{deployment} 怎么样",
            "{deployment} 的状态",
            "{deployment} 健康吗",
            "{deployment} 现在跑的是哪个版本",
            "{deployment} 有几个副本",
            "{deployment} 的错误率是多少",
            "{deployment} 发布完成了吗",
            "看看 {deployment} 部署",
            "{deployment} 正常吗",
        ),
    )
)
def deployment_status(world: World, deployment: Deployment) -> Finding:
    """Show a deployment's version, ready replicas, error rate, p95, causes and last change."""
    raise Unavailable("deployment_status is not ready.")

"""Which deployments there are, and how each is doing."""

from __future__ import annotations

from tools.contract import Finding, Phrases, reading
from tools.errors import Unavailable
from tools.world import World


@reading(
    Phrases(
        en=(
            "list deployments",
            "what is deployed",
            "which deployments are there",
            "what are we serving",
            "show all deployments",
            "what is running in production",
            "are all deployments healthy",
            "which models are being served right now",
            "is everything up",
            "overview of the deployments",
        ),
        zh=(
            "列出所有部署",
            "现在部署了什么",
            "有哪些部署",
            "线上在跑哪些模型",
            "所有服务都正常吗",
            "看一下部署概况",
            "哪些服务在运行",
        ),
    )
)
def list_deployments(world: World) -> Finding:
    """List the deployments with version, ready replicas and health."""
    raise Unavailable("list_deployments is not ready.")

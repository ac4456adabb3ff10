"""What a deployment has run: its revisions, newest first."""

from __future__ import annotations

from tools.contract import Finding, Phrases, reading
from tools.errors import Unavailable
from tools.words import Deployment
from tools.world import World


@reading(
    Phrases(
        en=(
            "history of {deployment}",
            "deployment history of {deployment}",
            "show the revisions of {deployment}",
            "which versions has {deployment} run",
            "what was rolled out to {deployment}",
            "roll-out history of {deployment}",
            "when did {deployment} last change",
            "what did {deployment} run before",
            "who rolled out {deployment}",
            "list revisions of {deployment}",
        ),
        zh=(
            "{deployment} 的发布历史",
            "{deployment} 的历史版本",
            "查看 {deployment} 的修订记录",
            "{deployment} 之前跑过哪些版本",
            "{deployment} 上次变更是什么时候",
            "{deployment} 的部署记录",
            "谁发布了 {deployment}",
        ),
    )
)
def deployment_history(world: World, deployment: Deployment) -> Finding:
    """List a deployment's revisions: version, when, and by which action."""
    raise Unavailable("deployment_history is not ready.")

"""What a deployment has run: its revisions, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tools.contract import Finding, Phrases, reading
from tools.deployments.finding import find
from tools.deployments.wording import joined, stamp
from tools.platforms.base import Revision
from tools.words import Deployment, Lang
from tools.world import World

MOST = 20
"""Revisions shown."""


@dataclass(frozen=True, slots=True)
class DeploymentHistory:
    """What a deployment has run."""

    deployment: str
    revisions: tuple[Revision, ...]
    """Newest first."""
    by: Mapping[str, str]
    """Action id → ``action 12 by li``."""
    now: datetime

    def say(self, lang: Lang) -> str:
        """How many and which is current, then one line each."""
        zh = lang == "zh"
        if not self.revisions:
            none = f"{self.deployment} 还没有发布记录。"
            return none if zh else f"{self.deployment} has no history: nothing was rolled out yet."
        current = next((r for r in self.revisions if r.current), self.revisions[0])
        count = len(self.revisions)
        if zh:
            first = (
                f"{self.deployment} 共有 {count} 个修订版，当前是修订 {current.number}"
                f"（版本 {current.release.version}）。"
            )
        else:
            noun = "revision" if count == 1 else "revisions"
            first = (
                f"{self.deployment} has {count} {noun}; revision {current.number} "
                f"(version {current.release.version}) is current."
            )
        return joined([first, *(self._line(r, lang) for r in self.revisions[:MOST])])

    def _line(self, r: Revision, lang: Lang) -> str:
        zh = lang == "zh"
        mark = "*" if r.current else "-"
        who = self.by.get(r.action_id or "", "")
        tail = f", {who}" if who else ""
        at = stamp(r.created_at, self.now, lang)
        if zh:
            return f"{mark} 修订 {r.number}：版本 {r.release.version}，{at}{tail}"
        return f"{mark} revision {r.number}: version {r.release.version}, {at}{tail}"


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
    found = find(world, deployment)
    revisions = tuple(found.platform.history(found.ref))
    rows = world.actions.rows(target=f"deployment/{found.ref}")
    by = {row.id: f"action {row.number} by {row.requested_by}" for row in rows}
    return DeploymentHistory(found.ref, revisions, by, world.clock.now())

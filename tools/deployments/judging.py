"""What a status says about a change under way: further, complete, fallen, overtaken, out of sight."""

from __future__ import annotations

from tools.contract import Json, Verdict
from tools.deployments.remedies import remedy
from tools.deployments.wording import ready
from tools.platforms.base import Status
from tools.platforms.chinese import in_chinese
from tools.words import Said

NODE_LOST = "node lost"
"""How a platform names the cause of what is on a node that says nothing any more."""


class Advance:
    """Notices progress: more new replicas ready, or fewer old ones left, than ever before.

    Counted per revision: a platform that has not looked at the change yet still shows the old one,
    all of it ready, and nothing could ever be further than that.
    """

    def __init__(self) -> None:
        self._revision = -1
        self._ready = -1
        self._others = 1_000_000

    def made(self, status: Status) -> bool:
        """Whether ``status`` is further than every one before it."""
        if status.revision != self._revision:
            self._revision, self._ready, self._others = status.revision, -1, 1_000_000
        ready = sum(r.ready and r.revision == status.revision for r in status.replicas)
        others = sum(r.revision != status.revision for r in status.replicas)
        further = ready > self._ready or others < self._others
        self._ready, self._others = max(ready, self._ready), min(others, self._others)
        return further


def complete(status: Status, apart: frozenset[str] = frozenset()) -> bool:
    """As wanted, everything ready, nothing of another revision left.

    ``apart`` are replicas that were stuck before the change began; they are no part of it.
    """
    left = [r for r in status.replicas if r.id not in apart]
    others = [r for r in left if r.revision != status.revision and r.state != "crashed"]
    held = status.phase == "degraded" and len(left) < len(status.replicas)
    return (
        (status.phase == "complete" or (held and all(r.ready for r in left)))
        and status.ready == status.wanted
        and status.updated >= status.wanted
        and not others
    )


def overtaken(status: Status, template: str, action_id: Json) -> str:
    """Who changed what runs since an action that led to ``template``; empty where nobody did.

    Without a sign of another's hand a difference is left alone: a webhook may have written it.
    """
    if not template or not status.template or status.template == template:
        return ""
    if status.action_id not in (None, action_id):
        return f"another action ({status.action_id})"
    return status.edited_by


def draining(status: Status) -> bool:
    """Whether nothing is missing but that old replicas end what they do, within their time."""
    others = [r.state for r in status.replicas if r.revision != status.revision]
    there = min(status.ready, status.updated) >= status.wanted
    return there and status.phase == "progressing" and set(others) == {"draining"}


def fallen(status: Status) -> bool:
    """Whether replicas of the newest revision, which were all there, are down again."""
    newest = [r for r in status.replicas if r.revision == status.revision]
    return status.phase == "degraded" and any(not r.ready for r in newest)


def unseen(status: Status) -> str:
    """The lost node, where nothing but it keeps a roll-out from being complete; else empty.

    The newest revision is all there, and what is left of others was told to go on a node that says
    nothing any more: that is no fault of the new revision, and no proof that it failed.
    """
    newest = [r for r in status.replicas if r.revision == status.revision and r.ready]
    others = {r.state for r in status.replicas if r.revision != status.revision}
    whole = len(newest) >= status.wanted > 0 and status.updated >= status.wanted
    lost = status.phase == "degraded" and status.message.startswith(NODE_LOST)
    return status.message if lost and whole and others == {"draining"} else ""


def failed(status: Status, what: Said, cause: str | Said) -> Verdict:
    """The verdict of a change that did not come true: the cause, what serves now, the remedy."""
    if isinstance(cause, str):
        cause = Said(cause, in_chinese(cause))
    versions = sorted({r.version for r in status.replicas if r.ready and r.version})
    serving, serving_zh = ready(status).en, ready(status).zh
    if versions:
        serving += f", version {' and '.join(versions)}"
        serving_zh += f"，版本 {'、'.join(versions)}"
    mend, mend_zh = remedy(cause.en), remedy(cause.en, "zh")
    tail = f" Remedy: {mend}." if mend else ""
    tail_zh = f"处理办法：{mend_zh}。" if mend else ""
    return Verdict(
        False,
        f"{what.en}: {cause.en}. Now: {serving}.{tail}",
        cause.en,
        zh=f"{what.zh}：{cause.zh}。目前：{serving_zh}。{tail_zh}",
        cause_zh=cause.zh,
    )

"""The named causes, and what a scheduler or an admission controller refuses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

IMAGE = "image cannot be pulled"


CRASH = "crash loop"


PROBE = "probe failing"


CAPACITY = "no capacity"


QUOTA = "quota"


CONFIG = "bad config or secret reference"
"""Not just "secret": what follows "secret:" is masked wherever it is shown or kept."""


OOM = "out of memory (OOM)"


NODE = "node lost"


STUCK = "stuck terminating"


POLICY = "refused by policy"


VOLUME = "volume cannot be mounted"


SANDBOX = "pod sandbox failing"


EVICTED = "evicted"


@dataclass(frozen=True, slots=True)
class Cause:
    """A named cause with its evidence."""

    name: str
    detail: str
    patience: timedelta
    """How long it must have lasted to be final; zero is final at once."""
    since: datetime

    @property
    def text(self) -> str:
        """``image cannot be pulled: registry/x:9: not found``."""
        return f"{self.name}: {self.detail}" if self.detail else self.name

    def final(self, now: datetime) -> bool:
        """Whether waiting longer makes no sense."""
        return now - self.since >= self.patience


INIT = "init container does not end"


STARTING = "not ready yet"


@dataclass(frozen=True, slots=True)
class Lost:
    """A node that is not ready."""

    says: str
    since: datetime | None = None


NEVER = timedelta(days=3650)


AT_ONCE = timedelta(0)


def short(text: str, limit: int = 180) -> str:
    """One line of at most ``limit`` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


_NEEDS = re.compile(r"Insufficient ([\w./-]+)")
_TAINT_KEY = re.compile(r"taint(?:\(s\))? \{([\w./-]+)")


_PLACES = (
    ("Too many pods", "pods"),
    ("node affinity/selector", "node selector"),
    ("node(s) didn't match node selector", "node selector"),
    ("anti-affinity", "anti-affinity"),
    ("match pod affinity rules", "pod affinity"),
    ("topology spread", "topology spread"),
    ("free ports", "host port"),
    ("were unschedulable", "cordoned nodes"),
    ("no nodes available", "nodes"),
    ("requested node name", "node name"),
    ("scheduling gates", "scheduling gate"),
)
_VOLUMES = re.compile(
    r"persistentvolume|persistent volume|volume node affinity|volume zone|volume count|free storage"
    r"|pvc\(s\)|available disk",
    re.IGNORECASE,
)
_GONE_TAINTS = ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")


def unschedulable(said: str, since: datetime, taints: tuple[str, ...] = ()) -> Cause:
    """The cause in a scheduler's message: which resource, or which rule, finds no node.

    Args:
        said: the message of the pod's condition.
        since: how long it has been like that.
        taints: keys of the nodes' taints; the message of Kubernetes 1.36 names none.
    """
    facts = said.split("preemption:")[0].split("no new claims to deallocate")[0].strip(" .,")
    if _VOLUMES.search(facts):
        return Cause(VOLUME, short(facts), timedelta(seconds=45), since)
    lacking = list(dict.fromkeys(n.rstrip(".") for n in _NEEDS.findall(facts)))
    lacking += [word for sign, word in _PLACES if sign in facts]
    if "untolerated taint" in facts or "taints that the pod" in facts:
        keys = list(dict.fromkeys(_TAINT_KEY.findall(facts) or taints))
        if keys and not lacking and all(key in _GONE_TAINTS for key in keys):
            return Cause(NODE, short(f"{facts}: {keys[0]}"), timedelta(seconds=30), since)
        lacking += [f"taint {key}" for key in keys if key not in _GONE_TAINTS][:3] or ["taint"]
    name = f"{CAPACITY} ({', '.join(dict.fromkeys(lacking)) or 'no node fits'})"
    return Cause(name, short(facts), timedelta(seconds=60), since)


_REFUSALS = (
    (QUOTA, ("exceeded quota", "failed quota")),
    (
        f"{QUOTA} (limit range)",
        ("usage per Container", "usage per Pod", "per Container is", "LimitRange"),
    ),
    (POLICY, ("PodSecurity", "admission webhook", "webhook", "ValidatingAdmissionPolicy")),
    (CONFIG, ("serviceaccount", "service account", "PriorityClass", "RuntimeClass", "secret")),
    (CONFIG, (" is invalid: ",)),
)


def creation_refused(said: str, since: datetime) -> Cause:
    """Why a controller may not create pods: quota, policy, or a name that does not exist."""
    detail = said.split(" is forbidden: ")[-1]
    for name, signs in _REFUSALS:
        if any(sign in said for sign in signs):
            # room in a quota may come from replicas that leave, and is tried for ever more rarely
            patience = timedelta(seconds=60 if name == QUOTA else 15)
            return Cause(name, short(detail), patience, since)
    return Cause(POLICY, short(detail), timedelta(seconds=30), since)

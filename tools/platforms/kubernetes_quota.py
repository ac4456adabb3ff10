"""How many more replicas the quotas of a namespace let in, told before a roll-out asks for them.

A roll-out that brings one replica more than there are (``maxSurge``) stands still where the quota
is used up by those that serve. Source: the resource names of ResourceQuotas in the Kubernetes
documentation ("Resource Quotas", 1.36); a pod's request is the larger of its containers together
and its largest init container.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from tools.platforms.kubernetes_objects import Obj, many, name_of, table

ROOM_ENOUGH = 1_000
"""Pods that may be added where no quota counts them."""
_SCALE = {
    **{s: Decimal(1000) ** n for n, s in enumerate(("n", "u", "m"), -3)},
    **{s: Decimal(1000) ** n for n, s in enumerate("kMGTPE", 1)},
    **{f"{s}i": Decimal(1024) ** n for n, s in enumerate("KMGTPE", 1)},
}
_PODS = ("pods", "count/pods")
_PLAIN = ("cpu", "memory", "ephemeral-storage")


@dataclass(frozen=True, slots=True)
class Room:
    """How many more pods of a template fit, and what stands in the way of the next."""

    pods: int
    why: str = ""
    """``quota team allows 3 pods, and 3 are there``; empty where no quota counts."""


def room(quotas: Sequence[Obj], template: Obj) -> Room:
    """What the tightest quota of a namespace leaves for pods of ``template``."""
    found = [Room(ROOM_ENOUGH)]
    for quota in quotas:
        if table(quota, "spec").get("scopes") or table(quota, "spec").get("scopeSelector"):
            continue  # it counts some pods only; whether these, the server knows
        found += _rooms(quota, template)
    return min(found, key=lambda r: r.pods)


def _rooms(quota: Obj, template: Obj) -> Iterator[Room]:
    hard, used = table(quota, "status", "hard"), table(quota, "status", "used")
    for resource, limit in hard.items():
        need, most = _need(template, resource), quantity(limit)
        if not need:
            continue
        there = quantity(used.get(resource, 0))
        left = max(Decimal(0), most - there)
        said = f"{resource}: {limit} allowed, {used.get(resource, 0)} used"
        yield Room(int(left / need), f"quota {name_of(quota)} ({said})")


def _need(template: Obj, resource: str) -> Decimal:
    """How much of a quota's resource one pod takes; 0 for what pods do not count against."""
    if resource in _PODS:
        return Decimal(1)
    kind, _, inner = resource.partition(".")
    if resource in _PLAIN:
        kind, inner = "requests", resource
    if kind not in ("requests", "limits"):
        return Decimal(0)
    pod = table(template, "spec")
    first = many(pod, "initContainers")
    stay = [b for b in first if b.get("restartPolicy") == "Always"]
    together = sum(_of_box(b, kind, inner) for b in (*many(pod, "containers"), *stay))
    return max(Decimal(together), *(_of_box(b, kind, inner) for b in first), Decimal(0))


def _of_box(box: Obj, kind: str, resource: str) -> Decimal:
    limits: Mapping[str, Any] = table(box, "resources", "limits")
    given: Mapping[str, Any] = table(box, "resources", kind)
    return quantity(given.get(resource, limits.get(resource, 0)))


def quantity(value: Any) -> Decimal:
    """``500m``, ``1Gi``, ``2e3`` as a number; 0 for what is none."""
    text = str(value)
    suffix = next((s for s in (text[-2:], text[-1:]) if s in _SCALE), "")
    try:
        number = Decimal(text[: len(text) - len(suffix)])
    except InvalidOperation:
        return Decimal(0)
    return number * _SCALE.get(suffix, Decimal(1))

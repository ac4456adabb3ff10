"""What an alert is about, from its labels: rack, node, GPU, pod, job, service, and their order.

A cause runs down this order (a node takes its pods with it), never up and never through a
namespace or a cluster: those are too coarse to link anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

LEVELS = ("facility", "rack", "switch", "node", "gpu", "pod", "job", "deployment", "service")
_RANK = {kind: rank for rank, kind in enumerate(LEVELS)}

_LABELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("facility", ("datacenter", "facility", "site", "building")),
    ("rack", ("rack", "rack_id")),
    ("switch", ("switch", "switch_name", "nvswitch", "leaf")),
    ("node", ("node", "kubernetes_node", "nodename", "Hostname", "hostname", "host", "instance")),
    ("gpu", ("UUID", "gpu_uuid")),
    ("pod", ("exported_pod", "pod", "pod_name")),
    ("job", ("job_id", "hpc_job", "training_job", "job_name", "exported_job")),
    ("deployment", ("deployment", "statefulset", "inferenceservice", "workload")),
    ("service", ("model_name", "model", "service_name", "app")),
)
_PORT = re.compile(r":\d{1,5}$")


@dataclass(frozen=True, slots=True)
class Entities:
    """The entities of one alert; ``own`` is the one it is about."""

    own: str
    level: int
    upstream: tuple[str, ...]
    """What could be its cause, most fundamental first (levels above ``own``)."""
    downstream: tuple[str, ...]
    """What it would take down."""


def level_of(entity: str) -> int:
    """Position in :data:`LEVELS`; unknown kinds come last."""
    return _RANK.get(entity.partition(":")[0], len(LEVELS))


def entities(name: str, labels: Mapping[str, str]) -> Entities:
    """The entities of an alert with this name and these labels."""
    return _entities(name, tuple(sorted(labels.items())))


@lru_cache(maxsize=4096)
def _entities(name: str, items: tuple[tuple[str, str], ...]) -> Entities:
    labels = dict(items)
    found = _found(labels)
    own = _own(name, found, labels)
    level = level_of(own)
    up = tuple(e for e in found.values() if level_of(e) < level)
    down = tuple(e for e in found.values() if level_of(e) > level)
    return Entities(own, level, up, down)


def _found(labels: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind, names in _LABELS:
        for label in names:
            if value := labels.get(label):
                found[kind] = f"{kind}:{_value(kind, value, labels)}"
                break
    if "gpu" not in found and labels.get("gpu", "").isdigit() and "node" in found:
        found["gpu"] = f"gpu:{found['node'].partition(':')[2]}/{labels['gpu']}"
    return {kind: found[kind] for kind in LEVELS if kind in found}


def _value(kind: str, value: str, labels: Mapping[str, str]) -> str:
    if kind == "node":
        return _PORT.sub("", value).lower()
    if kind in ("pod", "job", "deployment"):
        space = labels.get("exported_namespace") or labels.get("namespace")
        return f"{space}/{value}" if space and kind != "job" else value
    return value


_ABOUT = (
    ("gpu", re.compile(r"^(?:GPU|Gpu|DCGM|NVLink|Xid)", re.IGNORECASE)),
    ("node", re.compile(r"^(?:Node|Kubelet|KubeNode|Host|Infiniband|NVSwitch|Nfs|Machine)")),
    ("job", re.compile(r"^(?:Training|Checkpoint|KubeJob)")),
    ("service", re.compile(r"^(?:LLM|Triton|Inference|Model|Serving)")),
    ("pod", re.compile(r"^(?:KubePod|KubeContainer|KubeProbe|CPUThrottling)")),
    ("rack", re.compile(r"^Rack")),
)
_SPECIFIC = ("gpu", "pod", "job", "deployment", "service", "node", "switch", "rack", "facility")


def _own(name: str, found: Mapping[str, str], labels: Mapping[str, str]) -> str:
    for kind, pattern in _ABOUT:
        if pattern.match(name) and kind in found:
            return found[kind]
    for kind in _SPECIFIC:
        if kind in found:
            return found[kind]
    return f"alert:{name}@{labels.get('cluster', '')}"

"""Choose the root among signatures: chronology, roles, and what explains what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tools.alerts.signatures.base import Role, Signature

NEAR = 300.0
"""Seconds within which one line can explain another one."""

_HARDWARE_KINDS = ("memory", "bus", "link", "firmware", "power")
_GPU_SYMPTOMS = frozenset(
    {"ecc_cuda", "illegal_memory", "hw_stack", "cublas_failed", "gpu_lost", "reset_required"}
    | {"nccl_net", "python_error", "nccl_sys", "device_assert"}
)
_EXPLAINS: Mapping[str, frozenset[str]] = {
    "xid hardware": _GPU_SYMPTOMS | {"segfault", "device_plugin", "nan", "aer"},
    "sxid": frozenset({"xid"}) | _GPU_SYMPTOMS,
    "host_oom": frozenset(
        {"host_oom_python", "segfault", "dl_timeout", "python_error", "assertion"}
    ),
    "ib_link": frozenset({"nccl_net", "nccl_sys", "rendezvous", "python_error"}),
    "nic_down": frozenset({"nccl_net", "nccl_sys", "rendezvous", "dns", "nfs", "python_error"}),
    "disk_error": frozenset(
        {"fs_readonly", "ckpt_corrupt", "hung_task", "ckpt_hang", "dl_timeout"}
    ),
    "nfs": frozenset({"hung_task", "dl_timeout", "file_missing", "ckpt_hang", "python_error"}),
    "ckpt_disk": frozenset({"ckpt_corrupt", "ckpt_hang", "python_error", "shm_bus"}),
    "shm_bus": frozenset({"nccl_sys", "python_error"}),
    "nccl_shm": frozenset({"nccl_sys", "python_error"}),
    "nccl_socket_config": frozenset({"nccl_sys", "rendezvous", "python_error"}),
    "node_fail": frozenset({"rendezvous", "nccl_net", "python_error"}),
    "kernel_panic": frozenset({"lockup", "node_not_ready", "nccl_net"}),
    "mce": frozenset({"kernel_panic", "segfault"}),
    "pcie_link_down": frozenset({"xid", "aer", "gpu_lost"}),
    "driver_mismatch": frozenset({"hw_stack", "runtime_hook", "device_plugin", "python_error"}),
    "image_pull": frozenset({"unschedulable"}),
    "gpu_unschedulable": frozenset({"unschedulable"}),
    "cuda_oom": frozenset({"cublas_failed", "python_error", "model_load"}),
}


@dataclass(frozen=True, slots=True)
class Placed:
    """A signature with its place in time."""

    signature: Signature
    at: datetime | None
    position: int
    survived: bool = False
    """The same source made progress afterwards."""

    @property
    def weak(self) -> bool:
        """General, survived, or not even reported as an error."""
        quiet = self.signature.line.level == "info" and self.signature.family != "gpu"
        lasting = self.signature.category in ("nan", "xid", "sxid")
        return self.signature.weak or quiet or (self.survived and not lasting)


def choose_root(
    placed: Sequence[Placed],
) -> tuple[Signature | None, bool, list[Placed]]:
    """The root, whether it is certain, and everything in the order it happened."""
    ordered = _ordered(placed)
    roots = [p for p in ordered if p.signature.role is Role.ROOT]
    strong = [p for p in roots if not p.weak]
    stop = next((p for p in ordered if p.signature.category == "preempted"), None)
    if stop and not any(_before(p, stop) for p in strong):
        return stop.signature, True, ordered
    for candidates, certain in ((strong, True), (roots, True)):
        if candidates:
            return _explained(candidates[0], ordered).signature, certain, ordered
    for role in (Role.CASCADE, Role.CONFIRMATION):
        left = [p for p in ordered if p.signature.role is role]
        if left:
            return left[0].signature, False, ordered
    return None, False, ordered


def _ordered(placed: Sequence[Placed]) -> list[Placed]:
    if all(p.at is not None for p in placed):
        return sorted(placed, key=lambda p: (p.at, p.position))
    return sorted(placed, key=lambda p: p.position)


def _before(one: Placed, other: Placed) -> bool:
    if one.at is not None and other.at is not None:
        return (one.at, one.position) < (other.at, other.position)
    return one.position < other.position


def _near(one: Placed, other: Placed) -> bool:
    if one.at is None or other.at is None:
        return True
    return (one.at - other.at).total_seconds() <= NEAR


def _reason(signature: Signature) -> str:
    if signature.category == "xid" and signature.facts.get("kind") in _HARDWARE_KINDS:
        return "xid hardware"
    return signature.category


def _explained(first: Placed, ordered: Sequence[Placed]) -> Placed:
    current = first
    for _ in range(4):
        better = next(
            (
                p
                for p in ordered
                if p is not current
                and p.signature.role is Role.ROOT
                and not p.survived
                and (not p.signature.weak or current.weak)
                and current.signature.category in _EXPLAINS.get(_reason(p.signature), ())
                and _reason(p.signature) != _reason(current.signature)
                and _near(p, current)
            ),
            None,
        )
        if better is None:
            return current
        current = better
    return current

"""From readings to numbers worth remembering: this machine, its GPUs, deployments and jobs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from tools.errors import ToolError
from tools.observe.base import Sample
from tools.observe.readings import DiskUse, GpuReport, GpuSample, HostSample

if TYPE_CHECKING:
    from tools.models.base import JobStatus
    from tools.platforms.base import Status, Traffic
    from tools.world import World

FAULTY_THROTTLE = frozenset(("hw_slowdown", "sw_thermal", "hw_thermal", "hw_power_brake"))
"""Clock events that mean heat or a power fault, not a configured limit."""


def host_samples(host: HostSample) -> Iterator[Sample]:
    """The numbers of a host sample; what was not measured is left out."""
    plain: Mapping[str, float | None] = {
        "cpu_percent": host.cpu_percent,
        "load1": host.load[0],
        "iowait_percent": host.iowait_percent,
        "memory_percent": host.memory_percent,
        "memory_available_bytes": host.memory_available,
        "swap_percent": 100 * host.swap_used / host.swap_total if host.swap_total else None,
        "disk_read_bytes": host.disk_read,
        "disk_write_bytes": host.disk_write,
        "shm_percent": host.shm.percent if host.shm else None,
        "cgroup_oom_kills": host.limits.oom_kills,
    }
    yield from _present(plain, {})
    limits = host.limits
    if limits.memory and limits.memory_used is not None:
        yield Sample("cgroup_memory_percent", 100 * limits.memory_used / limits.memory)
    for resource, share in host.pressure.items():
        yield Sample(f"{resource}_pressure", share)
    for disk in host.disks:
        yield from _disk(disk)
    for net in host.network:
        rates = {"network_receive_bytes": net.receive, "network_transmit_bytes": net.transmit}
        if net.up:
            yield from _present(rates, {"interface": net.name})


def _disk(disk: DiskUse) -> Iterator[Sample]:
    plain = {
        "disk_percent": disk.percent,
        "disk_free_bytes": disk.free,
        "inodes_percent": disk.inodes_percent,
    }
    yield from _present(plain, {"mount": disk.mount})


def gpu_samples(report: GpuReport) -> Iterator[Sample]:
    """The numbers of a GPU report; nothing but the fault itself while the driver hangs."""
    if report.problem is not None:
        if report.problem.code == "hung":
            yield Sample("gpu_driver_hung", 1)
        return
    if report.gpus:
        yield Sample("gpu_driver_hung", 0)
    for gpu in report.gpus:
        labels = {"gpu": str(gpu.index)}
        yield Sample("gpu_lost", float(gpu.state != "ok"), labels)
        if gpu.state == "ok":
            yield from _gpu(gpu, labels)
    for xid in report.xids[-1:]:
        where = {} if xid.gpu is None else {"gpu": str(xid.gpu)}
        yield Sample("gpu_xid_last", xid.code, where, xid.at)


def _gpu(gpu: GpuSample, labels: Mapping[str, str]) -> Iterator[Sample]:
    used, total = gpu.memory_used, gpu.memory_total
    links = [link.errors for link in gpu.nvlinks if link.errors is not None]
    plain: Mapping[str, float | None] = {
        "gpu_utilization": gpu.utilization,
        "gpu_memory_used_bytes": used,
        "gpu_memory_percent": 100 * used / total if used is not None and total else None,
        "gpu_power_watts": gpu.power_watts,
        "gpu_temperature": gpu.temperature,
        "gpu_memory_temperature": gpu.memory_temperature,
        "gpu_sm_clock_mhz": gpu.sm_clock_mhz,
        "gpu_ecc_uncorrected": gpu.ecc_uncorrected,
        "gpu_ecc_corrected": gpu.ecc_corrected,
        "gpu_remap_pending": gpu.remap_pending,
        "gpu_remap_failed": gpu.remap_failed,
        "gpu_pcie_replays": gpu.pcie_replays,
        "gpu_nvlink_errors": sum(links) if links else None,
        "gpu_throttled": None if "throttle" in gpu.missing else bool(faults(gpu)),
    }
    yield from _present(plain, labels)


def faults(gpu: GpuSample) -> tuple[str, ...]:
    """Clock events of this GPU that mean heat or a power fault."""
    return tuple(name for name in gpu.throttle if name in FAULTY_THROTTLE)


def _present(values: Mapping[str, float | None], labels: Mapping[str, str]) -> Iterator[Sample]:
    for name, value in values.items():
        if value is not None:
            yield Sample(name, float(value), labels)


class Workloads:
    """Deployments and jobs as numbers; rates need two looks, so this remembers the last one."""

    def __init__(self) -> None:
        self._before: dict[tuple[str, int], tuple[datetime, int, int]] = {}

    def samples(self, world: World, now: datetime) -> tuple[list[Sample], list[str]]:
        """Numbers of everything that answers, and a sentence for each part that does not."""
        found: list[Sample] = []
        silent: list[str] = []
        try:
            platforms = world.platforms.all()
        except ToolError as error:
            platforms, silent = (), [error.en]
        for platform in platforms:
            try:
                for status in platform.deployments():
                    found += _deployment(status)
                    found += self._traffic(status.ref, platform.traffic(status.ref), now)
            except ToolError as error:
                silent.append(error.en)
        try:
            jobs = world.jobs.list()[:20]
        except ToolError as error:
            jobs, silent = (), [*silent, error.en]
        for job in jobs:
            found += _job(job, now)
        return found, silent

    def _traffic(self, ref: str, revisions: Mapping[int, Traffic], now: datetime) -> list[Sample]:
        found: list[Sample] = []
        for revision, traffic in revisions.items():
            labels = {"deployment": ref, "revision": str(revision)}
            before = self._before.get((ref, revision))
            self._before[ref, revision] = (now, traffic.requests, traffic.errors)
            if traffic.p95_seconds is not None:
                found.append(Sample("latency_p95_seconds", traffic.p95_seconds, labels))
            if traffic.quality is not None:
                found.append(Sample("answer_accuracy", traffic.quality, labels))
            if before is None or traffic.requests < before[1] or now <= before[0]:
                continue  # the servers started anew: their counters begin at zero
            requests, errors = traffic.requests - before[1], max(traffic.errors - before[2], 0)
            seconds = (now - before[0]).total_seconds()
            found.append(Sample("requests_per_second", requests / seconds, labels))
            if requests:
                found.append(Sample("error_ratio", min(errors / requests, 1.0), labels))
        return found


def _deployment(status: Status) -> list[Sample]:
    labels = {"deployment": status.ref}
    return [
        Sample("replicas_ready", status.ready, labels),
        Sample("replicas_missing", max(status.wanted - status.ready, 0), labels),
    ]


def _job(job: JobStatus, now: datetime) -> list[Sample]:
    labels = {"job": job.name}
    recent = job.ended_at is None or (now - job.ended_at).total_seconds() < 3600
    if not recent:
        return []
    bad = job.loss is not None and not math.isfinite(job.loss)
    found = [
        Sample("train_failed", float(job.state in ("failed", "lost")), labels),
        Sample("train_loss_not_finite", float(bad or "nan" in job.cause.lower()), labels),
    ]
    if job.state != "running":
        return found
    found += [
        Sample("train_step", job.step, labels),
        Sample("train_restarts", job.restarts, labels),
    ]
    if job.loss is not None:
        found.append(Sample("train_loss", job.loss, labels))
    moved = job.last_step_at or job.started_at
    if moved is not None:
        found.append(Sample("train_seconds_since_step", (now - moved).total_seconds(), labels))
    return found

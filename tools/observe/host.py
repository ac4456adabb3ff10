"""This machine through psutil: the only file that knows it. A sample costs tens of milliseconds."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Lock, Thread
from typing import Any

from tools.observe.counters import busy, rate, share
from tools.observe.limits import read_limits, read_pressure
from tools.observe.readings import DiskUse, HostSample, NetworkUse, ProcessUse
from tools.observe.wording import clean

_FIRST_LOOK = 0.25
"""Seconds between the two looks that a sample needs when the last one is long ago."""
_LONG_AGO = 30.0
_TOP = 5
_PSEUDO = frozenset(
    [
        "autofs",
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "debugfs",
        "devpts",
        "devtmpfs",
        "efivarfs",
        "fusectl",
        "hugetlbfs",
        "mqueue",
        "nsfs",
        "overlay",
        "proc",
        "pstore",
        "ramfs",
        "rootfs",
        "rpc_pipefs",
        "securityfs",
        "squashfs",
        "sysfs",
        "tmpfs",
        "tracefs",
    ]
)
_REMOTE = ("nfs", "cifs", "smb", "lustre", "ceph", "gluster", "beegfs", "gpfs", "fuse", "9p")
_MOUNT_DEADLINE = 0.5


class Host:
    """Samples this machine; rates are between consecutive samples. Thread-safe."""

    def __init__(self, *, fresh: float = 2.0) -> None:
        self._fresh = fresh
        self._lock = Lock()
        self._sample: HostSample | None = None
        self._at = float("-inf")
        self._before: dict[str, Any] = {}
        self._waiting: dict[str, Thread] = {}

    def sample(self) -> HostSample:
        """This machine, at most ``fresh`` seconds old."""
        with self._lock:
            if self._sample is None or time.monotonic() - self._at >= self._fresh:
                if not self._before or time.monotonic() - self._before["at"] > _LONG_AGO:
                    self._before = _counters()
                    time.sleep(_FIRST_LOOK)
                self._sample = self._measure()
                self._at = time.monotonic()
            return self._sample

    def _measure(self) -> HostSample:
        import psutil

        before, now = self._before, _counters()
        self._before = now
        seconds = max(now["at"] - before["at"], 1e-3)
        cores = tuple(busy(a, b) for a, b in zip(before["cores"], now["cores"], strict=False))
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        missing: dict[str, str] = {}
        pressure = read_pressure()
        if not pressure:
            missing["pressure"] = "this kernel has no pressure stall information"
        disks = self._disks(missing)
        return HostSample(
            at=datetime.now(UTC),
            hostname=socket.gethostname(),
            cpu_percent=busy(before["cpu"], now["cpu"]),
            cores=cores,
            load=psutil.getloadavg(),
            iowait_percent=share(before["cpu"], now["cpu"], "iowait"),
            pressure=pressure,
            memory_total=memory.total,
            memory_available=memory.available,
            memory_percent=100.0 * (1 - memory.available / memory.total),
            swap_total=swap.total,
            swap_used=swap.used,
            disks=disks,
            shm=_disk("/dev/shm", "tmpfs", "tmpfs"),
            disk_read=rate(before["io"], now["io"], "read_bytes", seconds),
            disk_write=rate(before["io"], now["io"], "write_bytes", seconds),
            network=_network(before["net"], now["net"], seconds),
            processes=_top(before["processes"], now["processes"], seconds),
            limits=read_limits(),
            booted_at=datetime.fromtimestamp(psutil.boot_time(), UTC),
            missing=missing,
        )

    def _disks(self, missing: dict[str, str]) -> tuple[DiskUse, ...]:
        import psutil

        found: dict[str, DiskUse] = {}
        for part in psutil.disk_partitions(all=True):
            if part.fstype in _PSEUDO and part.mountpoint != "/":
                continue
            if not os.path.isdir(part.mountpoint):  # noqa: PTH112 - files are bind-mounted too
                continue
            remote = part.fstype.startswith(_REMOTE)
            use = (
                self._remote_disk(part, missing)
                if remote
                else _disk(part.mountpoint, part.device, part.fstype)
            )
            if use is not None and use.total:
                known = found.get(part.device)
                if known is None or len(use.mount) < len(known.mount):
                    found[part.device] = use
        return tuple(sorted(found.values(), key=lambda d: d.mount))

    def _remote_disk(self, part: Any, missing: dict[str, str]) -> DiskUse | None:
        # A file server that went away blocks statvfs for ever: ask in a thread that may be left.
        stuck = self._waiting.get(part.mountpoint)
        answer: list[DiskUse | None] = []
        if stuck is None or not stuck.is_alive():

            def ask() -> None:
                answer.append(_disk(part.mountpoint, part.device, part.fstype))

            stuck = Thread(target=ask, daemon=True)
            stuck.start()
            self._waiting[part.mountpoint] = stuck
            stuck.join(_MOUNT_DEADLINE)
        if not answer:
            missing[f"disk:{part.mountpoint}"] = "the file server does not answer"
            return None
        return answer[0]


def _counters() -> dict[str, Any]:
    import psutil

    return {
        "at": time.monotonic(),
        "cpu": psutil.cpu_times(),
        "cores": psutil.cpu_times(percpu=True),
        "io": psutil.disk_io_counters(),
        "net": psutil.net_io_counters(pernic=True),
        "processes": _processes(),
    }


def _processes() -> dict[tuple[int, float], tuple[str, str, float, int]]:
    import psutil

    table: dict[tuple[int, float], tuple[str, str, float, int]] = {}
    wanted = ["pid", "create_time", "name", "username", "cpu_times", "memory_info"]
    for process in psutil.process_iter(wanted, ad_value=None):
        info: Mapping[str, Any] = process.info
        if info["cpu_times"] is None or info["memory_info"] is None:
            continue
        spent = info["cpu_times"].user + info["cpu_times"].system
        key = (info["pid"], info["create_time"] or 0.0)
        name, user = clean(info["name"] or "?", 60), info["username"] or "?"
        table[key] = (name, user, spent, info["memory_info"].rss)
    return table


def _top(before: Mapping[Any, Any], now: Mapping[Any, Any], seconds: float) -> Any:
    rows: list[ProcessUse] = []
    for key, (name, user, spent, resident) in now.items():
        if key[0] == os.getpid() and seconds < 1:
            continue  # between two quick looks mostly the looking itself would be seen
        earlier = before[key][2] if key in before else spent
        percent = max(100.0 * (spent - earlier) / seconds, 0.0)
        rows.append(ProcessUse(key[0], name, user, percent, resident))
    busiest = sorted(rows, key=lambda p: -p.cpu_percent)[:_TOP]
    largest = sorted(rows, key=lambda p: -p.memory)[:_TOP]
    return (*busiest, *(p for p in largest if p not in busiest))


def _network(
    before: Mapping[str, Any], now: Mapping[str, Any], seconds: float
) -> tuple[NetworkUse, ...]:
    import psutil

    stats = psutil.net_if_stats()
    return tuple(
        NetworkUse(
            name=name,
            up=name in stats and stats[name].isup,
            receive=rate(before.get(name), counters, "bytes_recv", seconds),
            transmit=rate(before.get(name), counters, "bytes_sent", seconds),
            errors=counters.errin + counters.errout,
        )
        for name, counters in sorted(now.items())
        if name != "lo"
        and not name.startswith(("veth", "cali", "docker", "br-", "ifb", "tunl", "sit", "dummy"))
    )


def _disk(mount: str, device: str, fstype: str) -> DiskUse | None:
    import psutil

    try:
        use = psutil.disk_usage(mount)
        stat = os.statvfs(mount)
    except OSError:
        return None
    inodes = 100.0 * (1 - stat.f_favail / stat.f_files) if stat.f_files else None
    return DiskUse(mount, device, fstype, use.total, use.used, use.free, use.percent, inodes)


def describe_process(pid: int) -> dict[str, Any]:
    """Name, user, load and command of a process for a GPU's list; says so if it is not visible."""
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            return {
                "name": clean(process.name(), 60),
                "user": process.username(),
                "host_memory": process.memory_info().rss,
                "command": clean(" ".join(process.cmdline()), 200),
            }
    except psutil.NoSuchProcess:
        return {"name": "(not visible from here)", "user": ""}
    except (psutil.Error, KeyError, OSError):
        return {"name": "(may not be read)", "user": ""}

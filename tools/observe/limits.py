"""Control-group limits of this process (version 2 and 1) and kernel pressure figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.observe.readings import Limits

_NO_LIMIT = 1 << 60
"""Version 1 writes 'no limit' as a huge number."""


def read_limits(proc: Path = Path("/proc"), root: Path = Path("/sys/fs/cgroup")) -> Limits:
    """The tightest limits on the way from this process's group to the root."""
    if (root / "cgroup.controllers").exists():
        return _version_2(proc, root)
    if (root / "memory").is_dir() or (root / "cpu").is_dir():
        return _version_1(root)
    return Limits()


def _version_2(proc: Path, root: Path) -> Limits:
    groups = list(_ancestors(proc, root))
    cores = [c for c in (_cores(_text(g / "cpu.max")) for g in groups) if c is not None]
    memory = [m for m in (_number(_text(g / "memory.max")) for g in groups) if m is not None]
    own = groups[0]
    cpu, events = _table(own / "cpu.stat"), _table(own / "memory.events")
    return Limits(
        cpu_cores=min(cores, default=None),
        memory=min(memory, default=None),
        memory_used=_working_set(own / "memory.current", own / "memory.stat", "inactive_file"),
        throttled_percent=_share(cpu.get("nr_throttled"), cpu.get("nr_periods")),
        oom_kills=events.get("oom_kill"),
    )


def _version_1(root: Path) -> Limits:
    memory, cpu = root / "memory", root / "cpu"
    quota = _number(_text(cpu / "cpu.cfs_quota_us"))
    period = _number(_text(cpu / "cpu.cfs_period_us"))
    limit = _number(_text(memory / "memory.limit_in_bytes"))
    stat = _table(cpu / "cpu.stat")
    return Limits(
        cpu_cores=quota / period if quota and quota > 0 and period else None,
        memory=limit if limit is not None and limit < _NO_LIMIT else None,
        memory_used=_working_set(
            memory / "memory.usage_in_bytes", memory / "memory.stat", "total_inactive_file"
        ),
        throttled_percent=_share(stat.get("nr_throttled"), stat.get("nr_periods")),
        oom_kills=_table(memory / "memory.oom_control").get("oom_kill"),
    )


def _ancestors(proc: Path, root: Path) -> Iterator[Path]:
    line = next((x for x in _text(proc / "self/cgroup").splitlines() if x.startswith("0::")), "")
    parts = [p for p in line.removeprefix("0::").split("/") if p and p != ".."]
    group = root.joinpath(*parts)
    if not group.is_dir():
        group = root  # inside a container the path may name the host's hierarchy
    yield group
    while group != root:
        group = group.parent
        yield group


def _working_set(usage: Path, stat: Path, cache: str) -> int | None:
    used = _number(_text(usage))
    return None if used is None else max(used - _table(stat).get(cache, 0), 0)


def _cores(text: str) -> float | None:
    quota, _, period = text.partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def _share(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else 100.0 * part / whole


def _number(text: str) -> int | None:
    return int(text) if text.lstrip("-").isdigit() else None


def _table(path: Path) -> Mapping[str, int]:
    rows = (line.split() for line in _text(path).splitlines())
    return {r[0]: int(r[1]) for r in rows if len(r) == 2 and r[1].isdigit()}


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def read_pressure(proc: Path = Path("/proc")) -> Mapping[str, float]:
    """Share of the last 10 s in which some task waited for ``cpu``, ``memory``, ``io`` (PSI).

    Empty on kernels without pressure stall information.
    """
    shares: dict[str, float] = {}
    for resource in ("cpu", "memory", "io"):
        for word in _text(proc / "pressure" / resource).split():
            name, _, value = word.partition("=")
            if name == "avg10":
                shares[resource] = float(value)
                break
    return shares

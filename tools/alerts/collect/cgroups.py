"""Whose process the kernel killed for memory, told by its control group.

``task_memcg`` of the kernel's ``oom-kill:`` line is the path on the host. A path that names another
container is somebody else's; where nothing can be told (no such line, the root group, another
service of the same host) the name of the process decides elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_MEMCG = re.compile(r"\btask_memcg=([^,\s]+)")
_PID = re.compile(r"\bpid=(\d+)|\bKill(?:ed)? process (\d+)")
_ID = re.compile(r"[0-9a-f]{12,64}")
_CONTAINER = re.compile(
    r"/docker/|docker-|kubepods|/lxc[./]|libpod-|/machine\.slice|cri-containerd|/buildkit/"
)


@dataclass(frozen=True, slots=True)
class Groups:
    """The memory group of what runs here."""

    path: str = ""
    container: str = ""
    """The container's id, as the host's paths spell it; empty outside of one."""

    @classmethod
    def here(cls, process: Path = Path("/proc/self")) -> Groups:
        """From ``cgroup`` (both versions) and, in a group namespace, ``mountinfo``."""
        path = ""
        for line in _text(process / "cgroup").splitlines():
            _, controllers, own = line.split(":", 2)
            if "memory" in controllers.split(",") or (not controllers and not path):
                path = own
        last = path.rpartition("/")[2].removeprefix("docker-").removesuffix(".scope")
        mounted = re.search(r"/containers/([0-9a-f]{64})/", _text(process / "mountinfo"))
        container = last if _ID.fullmatch(last) else mounted[1] if mounted else ""
        return cls(path, container)

    def holds(self, memcg: str) -> bool | None:
        """Whether a group is this one or below it; ``None`` when the path does not tell."""
        if self.path not in ("", "/") and (memcg == self.path or memcg.startswith(f"{self.path}/")):
            return True
        if self.container:
            return self.container[:12] in memcg
        return False if _CONTAINER.search(memcg) else None


def of_others(lines: Iterable[str], own: Groups) -> frozenset[str]:
    """Process ids that the kernel killed in other groups."""
    found = ((pid_of(line), _MEMCG.search(line)) for line in lines)
    return frozenset(pid for pid, group in found if group and pid and own.holds(group[1]) is False)


def pid_of(line: str) -> str:
    """The process a line of the kernel says it killed; empty where it says none."""
    found = _PID.search(line)
    return next((g for g in found.groups() if g), "") if found else ""


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""

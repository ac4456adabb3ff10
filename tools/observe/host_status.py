"""host_status: this machine now, and against what is usual for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.contract import Finding, Phrases, reading
from tools.errors import Unavailable
from tools.words import Window

if TYPE_CHECKING:
    from tools.world import World

_PHRASES = Phrases(
    en=(
        "how is this machine doing",
        "how is the host",
        "host status",
        "show cpu, memory and disk usage",
        "is the machine overloaded",
        "why is this machine slow",
        "how full are the disks",
        "how much memory is free",
        "how much disk space is left",
        "which processes use the most cpu",
        "what is eating memory",
        "what is the cpu load",
        "how was the host over the last {window}",
        "cpu and memory usage during the last {window}",
    ),
    zh=(
        "这台机器怎么样",
        "主机状态",
        "查看 CPU、内存和磁盘使用情况",
        "机器负载高吗",
        "磁盘还剩多少空间",
        "还有多少可用内存",
        "哪个进程占用 CPU 最多",
        "什么东西在吃内存",
        "最近 {window} 主机的情况",
    ),
)


@reading(_PHRASES)
def host_status(world: World, window: Window | None = None) -> Finding:
    """CPU, memory, disks, network and top processes of this machine, against what is usual."""
    raise Unavailable("host_status is not built yet.")

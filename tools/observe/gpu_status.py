"""gpu_status and gpu_processes: the GPUs of this machine, fault by fault, never N/A as zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.contract import Finding, Phrases, reading
from tools.errors import Unavailable
from tools.words import Gpu, Window

if TYPE_CHECKING:
    from tools.world import World

_STATUS = Phrases(
    en=(
        "how are the gpus",
        "gpu status",
        "show gpu utilisation",
        "what is the gpu doing",
        "is gpu {gpu} healthy",
        "show gpu {gpu}",
        "how hot are the gpus",
        "gpu temperature and power",
        "how much gpu memory is free",
        "are the gpus throttled",
        "any ecc errors on the gpus",
        "are any gpus idle",
        "nvidia-smi",
        "how busy was gpu {gpu} in the last {window}",
        "gpu usage over the last {window}",
    ),
    zh=(
        "GPU 怎么样",
        "GPU 状态",
        "查看 GPU 利用率",
        "{gpu} 号 GPU 正常吗",
        "显卡温度和功耗",
        "显存还剩多少",
        "GPU 有没有降频",
        "GPU 有 ECC 错误吗",
        "有没有空闲的 GPU",
        "最近 {window} GPU 的使用情况",
    ),
)

_PROCESSES = Phrases(
    en=(
        "what is running on the gpus",
        "which processes use the gpu",
        "gpu processes",
        "who is using gpu {gpu}",
        "who is using the gpu memory",
        "list the processes on gpu {gpu}",
        "what holds the gpu memory",
        "show gpu memory per process",
        "is anybody using gpu {gpu}",
    ),
    zh=(
        "GPU 上在跑什么",
        "哪些进程在用 GPU",
        "GPU 进程",
        "谁在用 {gpu} 号 GPU",
        "谁占用了显存",
        "列出 {gpu} 号 GPU 上的进程",
        "每个进程占多少显存",
    ),
)


@reading(_STATUS)
def gpu_status(world: World, gpu: Gpu | None = None, window: Window | None = None) -> Finding:
    """Health, load, memory, power, heat, clocks and errors of the GPUs of this machine."""
    raise Unavailable("gpu_status is not built yet.")


@reading(_PROCESSES)
def gpu_processes(world: World, gpu: Gpu | None = None) -> Finding:
    """Processes on the GPUs with their owner, memory and load."""
    raise Unavailable("gpu_processes is not built yet.")

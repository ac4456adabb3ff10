"""Recorded incidents: logs in the published formats, read through the real collectors.

The machine below is calm (its load is not part of the recording); kernel log and job logs are the
recording's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from tests.alerts.stage import Case, Question, Stage, fire
from tests.support import make_world
from tools.alerts.book import build as build_alerts
from tools.errors import unknown
from tools.fleet import Fleet
from tools.models.base import JobState, JobStatus
from tools.observe.readings import HostSample, Limits
from tools.observe.telemetry import LocalTelemetry
from tools.platforms.base import LogLine
from tools.platforms.router import Router
from tools.world import World


class Calm(LocalTelemetry):
    """This machine as it is at night, with a recorded kernel log."""

    lines: Sequence[str] = ()

    def host(self) -> HostSample:
        real = super().host()
        quiet = tuple(replace(p, cpu_percent=1.0, memory=1 << 20) for p in real.processes)
        return replace(
            real,
            cpu_percent=4.0,
            load=(0.2, 0.2, 0.2),
            pressure={},
            iowait_percent=0.0,
            memory_percent=20.0,
            disks=tuple(replace(d, percent=40.0) for d in real.disks),
            processes=quiet,
            limits=Limits(),
        )

    def kernel_log(self, since: timedelta) -> Sequence[LogLine]:
        now = datetime.now(UTC) - timedelta(minutes=10)
        return [
            LogLine(now + timedelta(seconds=i), "kernel", line) for i, line in enumerate(self.lines)
        ]


class RecordedJobs:
    """One job with recorded logs."""

    def __init__(self, state: JobState, cause: str, lines: Sequence[str]) -> None:
        self._lines = lines
        now = datetime.now(UTC)
        self._status = JobStatus(
            name="pretrain",
            kind="train",
            model="llm",
            state=state,
            created_at=now - timedelta(hours=5),
            started_at=now - timedelta(hours=5),
            ended_at=None if state == "running" else now - timedelta(minutes=5),
            step=12000,
            total_steps=90000,
            last_step_at=now - timedelta(seconds=1),
            cause=cause,
            workers=8,
        )

    def status(self, name: str) -> JobStatus:
        if name != "pretrain":
            raise unknown("job", name, ["pretrain"])
        return self._status

    def list(self) -> list[JobStatus]:
        return [self._status]

    def logs(self, name: str, *, limit: int = 500) -> list[LogLine]:
        return [LogLine(None, "log", line) for line in self._lines][-limit:]

    def cancel(self, name: str, action_id: str) -> JobStatus:
        return self._status


def _world(stage: Stage, kernel: Sequence[str] = (), jobs: Any = None) -> World:
    def telemetry(world: World) -> Calm:
        port = Calm(world)
        port.lines = kernel
        return port

    return make_world(
        stage.home,
        fleet=Fleet(path=None),
        platforms=lambda w: Router(w, {}),
        jobs=lambda _w: jobs or RecordedJobs("running", "", ()),
        more={"alerts": build_alerts, "telemetry": telemetry},
    )


@contextmanager
def from_kernel(stage: Stage, *, text: str) -> Iterator[Question]:
    yield Question(_world(stage, text.strip().splitlines()), target="host")


@contextmanager
def from_job(
    stage: Stage, *, text: str, state: JobState = "failed", cause: str = "exit code 1"
) -> Iterator[Question]:
    jobs = RecordedJobs(state, cause, text.strip().splitlines())
    yield Question(_world(stage, jobs=jobs), target="pretrain")


@contextmanager
def from_alert(stage: Stage, *, name: str, labels: dict[str, str]) -> Iterator[Question]:
    world = _world(stage)
    fire(world, name, source="alertmanager", **labels)
    yield Question(world, alert=name)


def recorded_case(title: str, make: Any, *expect: str, **given: Any) -> Case:
    inject: Any = partial(make, **given)

    def start(stage: Stage) -> AbstractContextManager[Question]:
        made: AbstractContextManager[Question] = inject(stage)
        return made

    return Case(f"recorded: {title}", start, expect)


_NCCL = "[rank{r}]:[E1123 03:10:00.{r}00 ProcessGroupNCCL.cpp:616] [Rank {r}] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=808, OpType=ALLREDUCE, NumelIn=9, NumelOut=9, Timeout(ms)=600000) ran for 600020 milliseconds before timing out."
_TIMEOUTS = "\n".join(_NCCL.format(r=r) for r in range(8) if r != 5)
_STEPS = "\n".join(
    f"2026-11-23 02:{m:02d}:00 [rank0] INFO step {1000 + m}/90000 loss 2.31 lr 3e-4"
    for m in range(30)
)

RECORDED: tuple[Case, ...] = (
    recorded_case("off the bus", from_kernel, "pcie_or_power", text="""
pcieport 0000:16:00.0: AER: Uncorrected (Fatal) error received: 0000:17:00.0
NVRM: GPU at PCI:0000:17:00: GPU-6d1a2b3c
NVRM: Xid (PCI:0000:17:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.
NVRM: Xid (PCI:0000:17:00): 154, GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)
NVRM: Xid (PCI:0000:17:00): 45, pid=99, name=python, Ch 00000008
"""),
    recorded_case("double-bit error", from_kernel, "gpu_memory_fault", text="""
NVRM: Xid (PCI:0000:9b:00): 48, pid=1311, name=python3, DBE (double bit error) ECC Error: DRAM
NVRM: Xid (PCI:0000:9b:00): 63, pid=1311, name=python3, Row Remapper: New row marked for remapping, reset gpu to activate.
NVRM: Xid (PCI:0000:9b:00): 45, pid=1311, name=python3, Ch 00000010
"""),
    recorded_case("GSP does not answer", from_kernel, "gsp_hang", text="""
NVRM: Xid (PCI:0000:3b:00): 119, pid=2101, name=python, Timeout after 6s of waiting for RPC response from GPU0 GSP! Expected function 76 (GSP_RM_CONTROL)
"""),
    recorded_case("NVLink down", from_kernel, "nvlink_fault", text="""
NVRM: Xid (PCI:0000:18:00): 149, NETIR_LINK_EVT Fatal XC0 i0 Link 03 (0x025001c6 0x00000000 0x00000000 0x00000000 0x00000000 0x00000000)
NVRM: Xid (PCI:0000:18:00): 45, pid=5, name=python3, Ch 00000001 caused by previous Xid 149
"""),
    recorded_case("NVSwitch fault", from_kernel, "nvswitch_fault", text="""
nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 20034, Fatal, Link 30 LTSSM Fault Up
nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 20034, Data {0x50610002, 0x50610002}
NVRM: Xid (PCI:0000:18:00): 45, pid=5, name=python3, Ch 00000001
"""),
    recorded_case("page fault of a program", from_kernel, "application_fault", text="""
NVRM: Xid (PCI:0000:18:00): 31, pid=412, name=train.py, Ch 00000008, intr 00000000. MMU Fault: ENGINE GRAPHICS GPCCLIENT_T1_3 faulted @ 0x7f2c_5a000000. Fault is of type FAULT_PDE ACCESS_TYPE_VIRT_READ
"""),
    recorded_case("driver mismatch", from_kernel, "driver_mismatch", text="""
NVRM: API mismatch: the client has the version 575.51.03, but
NVRM: this kernel module has the version 570.148.08.  Please
"""),
    recorded_case("failing disk", from_kernel, "disk_failure", text="""
nvme nvme0: I/O 12 QID 3 timeout, aborting
blk_update_request: I/O error, dev nvme0n1, sector 1953519935
EXT4-fs error (device nvme0n1p1): ext4_find_entry:1455: inode #2: comm python: reading directory lblock 0
EXT4-fs (nvme0n1p1): Remounting filesystem read-only
"""),
    recorded_case("memory limit", from_kernel, "memory_limit", "memory_leak", text="""
python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=968
Memory cgroup out of memory: Killed process 23344 (python3) total-vm:132908kB, anon-rss:65012kB
"""),
    recorded_case("stuck file server", from_kernel, "shared_storage_slow", text="""
nfs: server 10.1.2.3 not responding, still trying
INFO: task python:1234 blocked for more than 120 seconds.
"""),
    recorded_case("ordinary boot", from_kernel, text="""
Linux version 6.8.0-45-generic (buildd@lcy02) #45-Ubuntu SMP PREEMPT_DYNAMIC
ACPI: PM: (supports S0 S5)
nvidia: loading out-of-tree module taints kernel.
nvidia-nvlink: Nvlink Core is being initialized, major device number 510
NVRM: loading NVIDIA UNIX x86_64 Kernel Module  570.148.08
pcieport 0000:00:03.1: AER: enabled with IRQ 34
EXT4-fs (nvme0n1p1): mounted filesystem with ordered data mode. Quota mode: none.
EDAC MC0: Giving out device to module skx_edac controller
mlx5_core 0000:05:00.0: firmware version: 28.39.1002
mlx5_core 0000:05:00.0 ib0: Link up
systemd[1]: Started Journal Service.
audit: type=1400 apparmor="STATUS" operation="profile_load" error=0
"""),
    recorded_case("collective time-out after OOM", from_job, "gpu_memory_full", text=_STEPS + """
[rank5]: Traceback (most recent call last):
[rank5]:   File "/work/train.py", line 212, in <module>
[rank5]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 5 has a total capacity of 79.11 GiB
""" + _TIMEOUTS + """
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
  exitcode  : 1 (pid: 2211)
"""),
    recorded_case("loss is NaN", from_job, "overflow", text=_STEPS + """
2026-11-23 02:31:00 [rank0] INFO step 1031/90000 loss nan lr 3e-4
2026-11-23 02:31:02 [rank0] ERROR training aborted
""", cause=""),
    recorded_case("loader without shared memory", from_job, "shm_small", text=_STEPS + """
ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm).
RuntimeError: DataLoader worker (pid 4212) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory.
"""),
    recorded_case("fabric broke", from_job, "collective_network", text=_STEPS + """
node7:231:400 [2] transport/net_ib.cc:1295 NCCL WARN NET/IB : Got completion from peer 10.0.0.9<41234> with status=12 opcode=0 len=0 vendor err 129
""" + _TIMEOUTS),
    recorded_case("checkpoint disk full", from_job, "disk_full_data", text=_STEPS + """
  File "/opt/conda/lib/python3.11/site-packages/torch/serialization.py", line 850, in save
OSError: [Errno 28] No space left on device
"""),
    recorded_case("memory error of the GPU", from_job, "gpu_memory_fault", "gpu_or_driver", text=_STEPS + """
[rank3]: RuntimeError: CUDA error: uncorrectable ECC error encountered
[rank3]: CUDA kernel errors might be asynchronously reported at some other API call
""" + _TIMEOUTS),
    recorded_case("index out of range", from_job, "training_code", "application_fault", text=_STEPS + """
../aten/src/ATen/native/cuda/Indexing.cu:1146: indexSelectLargeIndex: block: [103,0,0], thread: [64,0,0] Assertion `srcIndex < srcSelectDimSize` failed.
RuntimeError: CUDA error: device-side assert triggered
"""),
    recorded_case("time limit", from_job, "stopped_from_outside", text=_STEPS + """
slurmstepd: error: *** JOB 4711 ON node1 CANCELLED AT 2026-11-23T02:40:00 DUE TO TIME LIMIT ***
[rank0]: Received SIGTERM, shutting down
""", cause=""),
    recorded_case("training on", from_job, state="running", cause="", text=_STEPS + """
2026-11-23 02:31:00 WARNING connection reset by peer, retrying in 1 s
2026-11-23 02:32:00 [rank0] INFO step 1032/90000 loss 2.30 lr 3e-4
2026-11-23 02:33:00 [rank0] INFO step 1033/90000 loss 2.30 lr 3e-4
2026-11-23 02:34:00 [rank0] INFO step 1034/90000 loss 2.30 lr 3e-4
"""),
    recorded_case("power brake", from_alert, "power_supply", name="GPUPowerBrake",
          labels={"instance": "gpu-9:9400", "gpu": "2", "UUID": "GPU-9-2", "clock_event": "hw_power_brake"}),
    recorded_case("image without tag", from_alert, "image_tag", "image_problem", name="KubeContainerWaitingImage",
          labels={"namespace": "ml", "pod": "llm-0", "container": "server", "reason": "InvalidImageName"}),
    recorded_case("finished", from_job, state="succeeded", cause="", text=_STEPS),
)  # fmt: skip

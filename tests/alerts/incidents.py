"""A second set of incidents, written from how such nights look, not from the playbooks.

Each case names every cause that an experienced person would accept as the first answer; a control
names none. The set was fixed before it was first run: see docs/diagnosis.md for that score.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.alerts.recorded import (
    _world,
    from_alert,
    from_job,
    from_kernel,
    recorded_case,
)
from tests.alerts.stage import Case, Question, Stage, fire


@contextmanager
def from_alerts(
    stage: Stage, *, ask: str, alerts: tuple[tuple[str, dict[str, str]], ...]
) -> Iterator[Question]:
    world = _world(stage)
    for name, labels in alerts:
        fire(world, name, source="alertmanager", **labels)
    yield Question(world, alert=ask)


def _ranks(text: str, *, but: int, of: int = 8) -> str:
    return "\n".join(text.format(r=r) for r in range(of) if r != but)


_OLD = "[E ProcessGroupNCCL.cpp:475] [Rank {r}] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=5120, OpType=ALLREDUCE, NumelIn=1, NumelOut=1, Timeout(ms)=1800000) ran for 1800213 milliseconds before timing out."
_NEW = "[rank{r}]:[E512 10:20:02.1{r}0 ProcessGroupNCCL.cpp:632] [Rank {r}] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=5120, OpType=_ALLGATHER_BASE, NumelIn=9, NumelOut=72, Timeout(ms)=600000) ran for 600020 milliseconds before timing out."
_MEGATRON = "\n".join(
    f" [2026-05-12 09:{m:02d}:11] iteration {4000 + m}/500000 | consumed samples: {m}00 | elapsed time per iteration (ms): 811.2 | lm loss: 2.31{m:02d}00E+00 | loss scale: 1.0 | grad norm: 0.3{m:02d} | number of skipped iterations: 0 | number of nan iterations: 0 |"
    for m in range(25)
)
_TRAINER = "\n".join(
    f"{{'loss': 1.2{i:02d}, 'grad_norm': 0.41, 'learning_rate': 4.9e-05, 'epoch': 0.{i:02d}}}"
    for i in range(20)
)

INCIDENTS: tuple[Case, ...] = (
    recorded_case("the switch's link and its GPUs", from_kernel, "nvswitch_fault", "nvlink_fault", text="""
nvidia-nvswitch2: SXid (PCI:0000:85:00.0): 12028, Data {0x000001c0, 0x00bd5c8a, 0x00000500, 0x00000064}
nvidia-nvswitch2: SXid (PCI:0000:85:00.0): 19084, Fatal, Link 33 AN1 Heartbeat Timeout Error (First)
NVRM: Xid (PCI:0000:4e:00): 74, pid='<unknown>', name=<unknown>, NVLink: fatal error detected on link 3(0x0, 0x0, 0x10000, 0x0, 0x0, 0x0, 0x0)
NVRM: Xid (PCI:0000:4e:00): 45, pid=33121, name=python3, Ch 0000000a
"""),
    recorded_case("off the bus in many lines", from_kernel, "pcie_or_power", text="""
NVRM: The NVIDIA GPU 0000:b3:00.0
               NVRM: (PCI ID: 10de:26b5) installed in this system has
               NVRM: fallen off the bus and is not responding to commands.
NVRM: The NVIDIA probe routine failed for 1 device(s).
"""),
    recorded_case("a memory module", from_kernel, "host_memory_fault", text="""
mce: [Hardware Error]: Machine check events logged
EDAC MC2: 1 UE memory read error on CPU_SrcID#1_MC#0_Chan#1_DIMM#0 (channel:1 slot:0 page:0x5f3c2 offset:0x0 grain:32)
Memory failure: 0x5f3c2: Sending SIGBUS to python3:88123 due to hardware memory corruption
"""),
    recorded_case("file server gone, workers stuck", from_kernel, "shared_storage_slow", text="""
nfs: server filer-7.example.org not responding, still trying
nfs: server filer-7.example.org not responding, timed out
INFO: task kworker/u256:3:8812 blocked for more than 122 seconds.
INFO: task python3:20112 blocked for more than 245 seconds.
"""),
    recorded_case("a port that flaps", from_kernel, "ib_cable", "cable_or_optic", text="""
mlx5_core 0000:9a:00.0: Port module event[error]: module 4, Cable error, Bus stuck (I2C or data shorted)
mlx5_core 0000:9a:00.0 mlx5_4: Port: 1 Link DOWN
mlx5_core 0000:9a:00.0 mlx5_4: Port: 1 Link ACTIVE
mlx5_core 0000:9a:00.0 mlx5_4: Port: 1 Link DOWN
"""),
    recorded_case("controller of a disk", from_kernel, "disk_failure", text="""
nvme nvme3: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0xffff
nvme nvme3: Disabling device after reset failure: -19
XFS (nvme3n1): log I/O error -5
XFS (nvme3n1): Filesystem has been shut down due to log error (0x2).
"""),
    recorded_case("GSP and a reset asked for", from_kernel, "gsp_hang", text="""
NVRM: Xid (PCI:0000:c7:00): 119, pid=1822, name=nv-hostengine, Timeout after 45s of waiting for RPC response from GPU6 GSP! Expected function 76 (GSP_RM_CONTROL) (0x20801348 0x410).
NVRM: GPU6 sanity check failed 0xffff
NVRM: Xid (PCI:0000:c7:00): 154, GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)
INFO: task nv-hostengine:1822 blocked for more than 122 seconds.
"""),
    recorded_case("contained memory error", from_kernel, "gpu_memory_fault", "remap_waiting", text="""
NVRM: Xid (PCI:0000:1b:00): 94, pid=70212, name=pt_main_thread, Contained: SM (0x1). RST: No, D-RST: No
NVRM: Xid (PCI:0000:1b:00): 63, pid='<unknown>', name=<unknown>, Row Remapper: New row (0x0000001f2a4c0000) marked for remapping, reset gpu to activate.
"""),
    recorded_case("a kernel of a program", from_kernel, "application_fault", text="""
NVRM: Xid (PCI:0000:1b:00): 13, pid=4121, name=python3, Graphics SM Warp Exception on (GPC 1, TPC 4, SM 0): Illegal Instruction Parameter
NVRM: Xid (PCI:0000:1b:00): 13, pid=4121, name=python3, Graphics Exception: ESR 0x51ca30=0x13000e 0x51ca34=0x20 0x51ca28=0xf812b60 0x51ca2c=0x1174
NVRM: Xid (PCI:0000:1b:00): 43, pid=4121, name=python3, Ch 00000008
"""),
    recorded_case("lustre evicts", from_kernel, "shared_storage_slow", text="""
Lustre: 2210:0:(client.c:2289:ptlrpc_expire_one_request()) @@@ Request sent has timed out for slow reply
LustreError: 11-0: scratch-OST0012-osc-ff11: operation ost_write to node 10.3.0.7@o2ib failed: rc = -107
Lustre: scratch-OST0012-osc-ff11: Connection to scratch-OST0012 (at 10.3.0.7@o2ib) was lost; in progress operations using this service will wait for recovery to complete
"""),
    recorded_case("the machine ran out of memory", from_kernel, "node_memory_exhausted", "memory_hog", "memory_leak", text="""
kswapd0 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0-1,global_oom,task_memcg=/user.slice/user-1000.slice,task=python3,pid=4412,uid=1000
Out of memory: Killed process 4412 (python3) total-vm:412312344kB, anon-rss:251203456kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:502312kB oom_score_adj:0
"""),
    recorded_case("an old container's limit", from_kernel, "memory_limit", "memory_leak", text="""
Task in /kubepods/burstable/pod81/9f2 killed as a result of limit of /kubepods/burstable/pod81
memory: usage 33554432kB, limit 33554432kB, failcnt 4121
Memory cgroup out of memory: Kill process 11499 (trainer) score 1000 or sacrifice child
"""),
    recorded_case("nvidia-smi never returns", from_kernel, "driver_hang", "gsp_hang", text="""
INFO: task nvidia-smi:2213 blocked for more than 122 seconds.
task:nvidia-smi      state:D stack:    0 pid: 2213 ppid:     1 flags:0x00004004
 ? os_acquire_rwlock_write+0x35/0x40 [nvidia]
INFO: task dcgm-exporter:3312 blocked for more than 122 seconds.
"""),
    recorded_case("cores stuck", from_kernel, "node_hang", text="""
watchdog: BUG: soft lockup - CPU#44 stuck for 26s! [python3:77121]
rcu: INFO: rcu_preempt self-detected stall on CPU
watchdog: BUG: soft lockup - CPU#44 stuck for 52s! [python3:77121]
"""),
    recorded_case("a boot with every subsystem", from_kernel, text="""
pcieport 0000:64:00.0: AER: enabled with IRQ 34
EDAC MC0: Giving out device to module skx_edac controller Skylake Socket#0 IMC#0: DEV 0000:3a:0a.0 (INTERRUPT)
MCE: In-kernel MCE decoding enabled.
DMAR: IOMMU enabled
nvidia-nvlink: Nvlink Core is being initialized, major device number 237
NVRM: GPU at PCI:0000:3b:00: GPU-7c1d2e3f-aaaa-bbbb-cccc-0123456789ab
mlx5_core 0000:ab:00.0 mlx5_5: Port: 1 Link INIT
mlx5_core 0000:ab:00.0 mlx5_5: Port: 1 Link ACTIVE
watchdog: hpwdt: initialized
nfs: server 10.3.9.2 OK
"""),
    recorded_case("containers come and go", from_kernel, text="""
docker0: port 1(veth12ab) entered blocking state
docker0: port 1(veth12ab) entered disabled state
eth0: renamed from veth91ff
EXT4-fs (md127p3): re-mounted 0f3cd65a-338b-4574-bba3-ecef214e1917 r/w. Quota mode: none.
audit: type=1400 audit(1700000000.1:12): apparmor="DENIED" operation="ptrace" class="ptrace" profile="docker-default"
systemd-journald[811]: Data hash table of /run/log/journal has a fill level at 75.0, suggesting rotation.
"""),
    recorded_case("one corrected error", from_kernel, text="""
EDAC MC1: 1 CE memory read error on CPU_SrcID#1_MC#0_Chan#0_DIMM#0 (channel:0 slot:0 page:0x22f offset:0x640 grain:32 syndrome:0x0)
workqueue: ib_cache_event_task [ib_core] hogged CPU for >10000us 4 times, consider switching to WQ_UNBOUND
perf: interrupt took too long (2503 > 2500), lowering kernel.perf_event_max_sample_rate to 79750
"""),
    recorded_case("one rank out of memory, DeepSpeed", from_job, "gpu_memory_full", text=_TRAINER + """
Traceback (most recent call last):
  File "train.py", line 88, in <module>
torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB (GPU 3; 79.15 GiB total capacity; 76.01 GiB already allocated; 1.12 GiB free; 76.90 GiB reserved in total by PyTorch) If reserved memory is >> allocated memory try setting max_split_size_mb to avoid fragmentation.
""" + _ranks(_OLD, but=3) + """
[2026-05-12 10:50:13,144] [ERROR] [launch.py:321:sigkill_handler] ['/usr/bin/python3', '-u', 'train.py', '--local_rank=7'] exits with return code = 1
"""),
    recorded_case("trainer's gradients are gone", from_job, "overflow", text=_TRAINER + """
{'loss': 0.0, 'grad_norm': nan, 'learning_rate': 4.8e-05, 'epoch': 0.21}
{'loss': 0.0, 'grad_norm': nan, 'learning_rate': 4.8e-05, 'epoch': 0.22}
"""),
    recorded_case("megatron refuses a gradient", from_job, "overflow", "gpu_silent_corruption", text=_MEGATRON + """
[rank12]: Exception: rank 12: found NaN in local grad norm in backward pass before data-parallel communication collective. Device: 4, node: gpu-12
""" + _ranks(_NEW, but=4)),
    recorded_case("a loader worker was shot", from_job, "host_memory", "memory_limit", text=_TRAINER + """
RuntimeError: DataLoader worker (pid 12011) is killed by signal: Killed.
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
"""),
    recorded_case("a checkpoint cut short", from_job, "data_error", "configuration", text="""
INFO resuming from /ckpt/step_8000/model.pt
RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
"""),
    recorded_case("the store says slow down", from_job, "storage_errors", "storage_overload", text=_MEGATRON + """
botocore.exceptions.ClientError: An error occurred (SlowDown) when calling the UploadPart operation (reached max retries: 4): Please reduce your request rate.
"""),
    recorded_case("killed without a word", from_job, "host_memory", "lost_worker", "stopped_from_outside", text=_TRAINER + """
E0512 10:20:02.144 1 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: -9) local_rank: 5 (pid: 40213) of binary: /usr/bin/python3
W0512 10:20:02.080 1 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 40214 closing signal SIGTERM
Signal 9 (SIGKILL) received by PID 40213
"""),
    recorded_case("one rank never came", from_job, "lost_worker", "deadlock", "collective_network", text=_MEGATRON + "\n" + _ranks(_NEW, but=5) + """
[rank0]:[E512 10:20:03.1 ProcessGroupNCCL.cpp:684] [Rank 0] Some NCCL operations have failed or timed out. Due to the asynchronous nature of CUDA kernels, subsequent GPU operations might run on corrupted/incomplete data.
"""),
    recorded_case("a port error under NCCL", from_job, "collective_network", text=_MEGATRON + """
gpu-12:1880:2044 [5] transport/net_ib.cc:94 NCCL WARN NET/IB : mlx5_4:1 Got async event : port error
gpu-12:1880:2044 [5] transport/net_ib.cc:1295 NCCL WARN NET/IB: Got completion from peer 10.3.0.17<45922> with status=12 opcode=0 len=0 vendor err 129 (Recv)
""" + _ranks(_OLD, but=9)),
    recorded_case("three of four nodes came", from_job, "slow_start", text="""
Starting elastic agent with max_restarts=3 rdzv_backend=c10d
torch.distributed.DistStoreError: Timed out after 901 seconds waiting for clients. 3/4 clients joined.
"""),
    recorded_case("a package is missing", from_job, "training_code", "configuration", "application_error", text="""
Traceback (most recent call last):
  File "/work/train.py", line 3, in <module>
ModuleNotFoundError: No module named 'flash_attn'
"""),
    recorded_case("label out of range", from_job, "training_code", "application_fault", text=_TRAINER + """
/pytorch/aten/src/ATen/native/cuda/Loss.cu:250: nll_loss_forward_reduce_cuda_kernel_2d: block: [0,0,0], thread: [4,0,0] Assertion `t >= 0 && t < n_classes` failed.
RuntimeError: CUDA error: device-side assert triggered
CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
"""),
    recorded_case("Slurm lost a node", from_job, "lost_worker", "infrastructure", "node_gone", "gpu_or_driver", text=_MEGATRON + """
slurmstepd: error: *** JOB 4412 ON gpu-12 CANCELLED AT 2026-05-12T10:20:12 DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS ***
srun: error: Node failure on gpu-14
"""),
    recorded_case("a spot machine was taken", from_job, "stopped_from_outside", text=_TRAINER + """
WARNING spot instance termination notice received, 120 s left
INFO received SIGTERM, saving checkpoint and shutting down
"""),
    recorded_case("a shard is not there", from_job, "data_error", "configuration", "training_code", text=_TRAINER + """
FileNotFoundError: [Errno 2] No such file or directory: '/data/train/shard-00412.tar'
"""),
    recorded_case("quota on the checkpoint volume", from_job, "disk_full_data", text=_MEGATRON + """
OSError: [Errno 122] Disk quota exceeded: '/ckpt/step_12000/rank3.pt'
"""),
    recorded_case("no room in /dev/shm", from_job, "shm_small", text=_TRAINER + """
OSError: [Errno 28] No space left on device: '/dev/shm/torch_4122_19_12'
"""),
    recorded_case("memory error of one GPU among chatter", from_job, "gpu_memory_fault", "gpu_or_driver", text=_MEGATRON + """
gpu-12:1:77 [0] NCCL INFO Channel 00/02 : 0[0] -> 1[1] via P2P/CUMEM/read
[rank3]: torch.AcceleratorError: CUDA error: uncorrectable ECC error encountered
""" + _ranks(_NEW, but=3)),
    recorded_case("ranks disagree", from_job, "training_code", "deadlock", text=_TRAINER + """
RuntimeError: Detected mismatch between collectives on ranks. Rank 0 is running collective: CollectiveFingerPrint(SequenceNumber=12, OpType=ALLREDUCE, TensorShape=[10]), but Rank 1 is running collective: CollectiveFingerPrint(SequenceNumber=12, OpType=BARRIER)
"""),
    recorded_case("the container has no GPU", from_job, "gpu_or_driver", "driver_mismatch", "runtime_hook", text="""
RuntimeError: No CUDA GPUs are available
"""),
    recorded_case("libraries of another driver", from_job, "driver_mismatch", text="""
Failed to initialize NVML: Driver/library version mismatch
RuntimeError: Unexpected error from cudaGetDeviceCount(). Error 803: system has unsupported display driver / cuda driver combination
"""),
    recorded_case("Slurm saw an OOM kill", from_job, "host_memory", "memory_limit", text=_TRAINER + """
slurmstepd: error: Detected 1 oom_kill event in StepId=4412.0. Some of the step tasks have been OOM Killed.
srun: error: gpu-12: task 3: Out Of Memory
"""),
    recorded_case("a spike that healed", from_job, state="running", cause="", text=_MEGATRON + """
WARNING: loss spiked from 2.31 to 3.70 at step 4021
 [2026-05-12 09:26:11] iteration 4026/500000 | lm loss: 2.330000E+00 | loss scale: 1.0 | grad norm: 0.322 | number of skipped iterations: 0 | number of nan iterations: 0 |
 [2026-05-12 09:27:11] iteration 4027/500000 | lm loss: 2.310000E+00 | loss scale: 1.0 | grad norm: 0.322 | number of skipped iterations: 0 | number of nan iterations: 0 |
 [2026-05-12 09:28:11] iteration 4028/500000 | lm loss: 2.300000E+00 | loss scale: 1.0 | grad norm: 0.321 | number of skipped iterations: 0 | number of nan iterations: 0 |
 [2026-05-12 09:29:11] iteration 4029/500000 | lm loss: 2.300000E+00 | loss scale: 1.0 | grad norm: 0.321 | number of skipped iterations: 0 | number of nan iterations: 0 |
"""),
    recorded_case("a scaler at work", from_job, state="running", cause="", text=_TRAINER + """
[deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 65536, reducing to 32768
Gradient overflow.  Skipping step, loss scaler 0 reducing loss scale to 16384.0
retrying download of shard-0012.tar (attempt 2 of 5)
{'loss': 1.19, 'grad_norm': 0.40, 'learning_rate': 4.7e-05, 'epoch': 0.31}
{'loss': 1.18, 'grad_norm': 0.40, 'learning_rate': 4.7e-05, 'epoch': 0.32}
{'loss': 1.18, 'grad_norm': 0.40, 'learning_rate': 4.7e-05, 'epoch': 0.33}
"""),
    recorded_case("a clean end with warnings", from_job, state="succeeded", cause="", text=_TRAINER + """
[rank0]:[W501 10:02:11 ProcessGroupNCCL.cpp:1250] Warning: WARNING: process group has NOT been destroyed before we destruct ProcessGroupNCCL. On normal program exit, the application should call destroy_process_group to ensure that any pending NCCL operations have finished in this process.
[INFO] torch.distributed.elastic.agent.server.api: [default] worker group successfully finished. Waiting 300 seconds for other agents to finish.
"""),
    recorded_case("Xid 79 by an exporter", from_alert, "pcie_or_power", name="GPUXidFatal",
                  labels={"instance": "gpu-9:9400", "gpu": "2", "UUID": "GPU-9-2", "xid": "79"}),
    recorded_case("Xid 48 by an exporter", from_alert, "gpu_memory_fault", name="GPUXidFatal",
                  labels={"instance": "gpu-9:9400", "gpu": "2", "UUID": "GPU-9-2", "xid": "48"}),
    recorded_case("Xid 31 by an exporter", from_alert, "application_fault", name="GPUXidApp",
                  labels={"instance": "gpu-9:9400", "gpu": "2", "UUID": "GPU-9-2", "xid": "31"}),
    recorded_case("a row waits for a reset", from_alert, "remap_waiting", name="GPURowRemapPending",
                  labels={"instance": "gpu-9:9400", "gpu": "2", "UUID": "GPU-9-2"}),
    recorded_case("four nodes of one rack throttle", from_alerts, "hot_room", "cooling", ask="GPUThermalThrottling", alerts=tuple(
        ("GPUThermalThrottling", {"instance": f"gpu-{n}:9400", "Hostname": f"gpu-{n}", "gpu": "0", "UUID": f"GPU-{n}-0", "rack": "r7", "clock_event": "hw_thermal"}) for n in range(4))),
    recorded_case("a node goes and takes its pods", from_alerts, "follows NodeDown on n3", ask="KubePodNotReady", alerts=(
        ("NodeDown", {"node": "n3"}), ("KubePodNotReady", {"node": "n3", "namespace": "ml", "pod": "llm-0"}))),
)  # fmt: skip

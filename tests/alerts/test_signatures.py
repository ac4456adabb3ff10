"""Kernel and training log lines: every form, every role, and lines written to do harm."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.alerts.signatures.base import Role
from tools.alerts.signatures.line import parse_line
from tools.alerts.signatures.reading import read, read_sources
from tools.alerts.signatures.rules import recognise, rules
from tools.alerts.signatures.xid import find_xid
from tools.alerts.xids import action, nvlink5_rule, read_data, sxid, xid

PREFIXES = (
    "",
    "[12345.678901] ",
    "<3>[12345.678901] ",
    "[Mon Nov 23 03:00:01 2026] ",
    "Nov 23 03:00:01 node-1 kernel: ",
    "Nov 23 03:00:01 node-1 kernel: [12345.678901] ",
    "2026-11-23T03:00:01.123456+00:00 node-1 kernel: ",
    "kern  :err   : 2026-11-23T03:00:01,859532+00:00 ",
    "3,1234,5678901234,-;",
    "2026-11-23T03:00:01.1Z stderr F ",
)


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("code", [8, 13, 31, 45, 48, 63, 74, 79, 94, 95, 109, 119, 145, 154, 172])
def test_an_xid_is_found_behind_every_prefix(prefix: str, code: int):
    found = find_xid(parse_line(f"{prefix}NVRM: Xid (PCI:0000:3b:00): {code}, pid=1, name=x, y"))
    assert found is not None
    assert (found.code, found.device) == (code, "0000:3b:00")


@pytest.mark.parametrize(
    "body",
    [
        "NVRM: Xid (PCI:0000:05:00): , pid=1",
        "NVRM: Xid (PCI:0000:05:00): invalid",
        "NVRM: Xid (PCI:0000:05:00) 79",
        "NVRM: Xid (): 79",
        "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  570.148.08",
        "the Xid table was printed",
    ],
)
def test_broken_xid_lines_are_none(body: str):
    assert find_xid(parse_line(body)) is None


@pytest.mark.parametrize(
    ("body", "code", "role", "facts"),
    [
        ("NVRM: GPU 0000:01:00.0: GPU has fallen off the bus.", 79, Role.ROOT, {}),
        (
            "NVRM: Xid (PCI:0000:3b:00): 154, GPU recovery action changed from 0x0 (None) to "
            "0x2 (Node Reboot Required)",
            154,
            Role.CONFIRMATION,
            {"recovery": "Node Reboot Required"},
        ),
        (
            "NVRM: Xid (PCI:0000:dc:00): 45, pid=1, name=p, Ch 01 caused by previous Xid 149",
            45,
            Role.CASCADE,
            {"caused_by": "149"},
        ),
        ("NVRM: Xid (PCI:0000:3b:00 GPU-I:05): 43, pid=1, name=p", 43, Role.CASCADE, {}),
        ("NVRM: Xid (0000:03:00): 31, Ch 00000010", 31, Role.ROOT, {"kind": "application"}),
        (
            "NVRM: Xid (PCI:0000:18:00): 149, NETIR_LINK_EVT Fatal XC0 i0 Link 03 "
            "(0x025001c6 0x00000000 0x0 0x0 0x0 0x0)",
            149,
            Role.ROOT,
            {"subcode": "37", "link": "03", "resolution": "RESET_GPU"},
        ),
        (
            "NVRM: Xid (PCI:0000:18:00): 74, pid=1, name=p, NVLink: fatal error detected on "
            "link 14(0x30, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0)",
            74,
            Role.ROOT,
            {"link": "14", "verdict": "ecc_or_parity"},
        ),
        ("Xid=48 on Device=GPU-1; marking device as unhealthy.", 48, Role.ROOT, {}),
    ],
)
def test_xid_forms(body: str, code: int, role: Role, facts: dict[str, str]):
    found = find_xid(parse_line(body))
    assert found is not None
    assert (found.code, found.role) == (code, role)
    assert facts.items() <= dict(found.facts).items()


def test_every_code_is_explained_in_two_languages_with_an_action():
    for row in read_data("xid.json"):
        entry = xid(row["code"])
        assert entry.known
        assert entry.en.endswith(".")
        assert entry.zh.endswith("。")
        assert entry.check.en
        if entry.immediate:
            assert action(entry.immediate).en != entry.immediate.lower()
    assert not xid(999).known


def test_every_nvlink_rule_is_reached_by_its_own_pattern():
    for row in read_data("nvlink5.json"):
        info = int(row["intr_v1"].replace("-", "0"), 2)
        unit = row["unit"].split("/")[0]
        rule = nvlink5_rule(row["xid"], unit, info, int(row["errstatus"], 16))
        assert rule is not None
        assert rule.xid == row["xid"]
        assert unit in rule.units


def test_sxid_classes():
    for row in read_data("sxid.json"):
        text = f"nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): {row['sxid']}, Fatal, Link 30 x"
        found = find_xid(parse_line(text))
        assert found is not None
        assert (found.category, found.code) == ("sxid", row["sxid"])
    assert sxid(22003).scope == "fabric"
    assert sxid(20034).scope == "port"
    assert sxid(11012).scope == "none"


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", "cuda_oom"),
        ("RuntimeError: CUDA error: an illegal memory access was encountered", "illegal_memory"),
        ("RuntimeError: CUDA error: device-side assert triggered", "device_assert"),
        ("RuntimeError: CUDA error: uncorrectable ECC error encountered", "ecc_cuda"),
        ("RuntimeError: DataLoader worker (pid 4) is killed by signal: Bus error.", "shm_bus"),
        ("RuntimeError: DataLoader worker (pid(s) 4) exited unexpectedly", "dl_killed"),
        ("Memory cgroup out of memory: Killed process 2334 (python)", "host_oom"),
        ("OSError: [Errno 28] No space left on device", "ckpt_disk"),
        ("n:1:2 [2] NCCL WARN Call to ibv_modify_qp failed with error x", "nccl_net"),
        ("n:1:2 [2] NCCL WARN Bootstrap : no socket interface found", "nccl_socket_config"),
        ("step 400 loss=nan grad_norm=inf", "nan"),
        ('{"loss": NaN, "step": 3}', "nan"),
        ("Gradient overflow.  Skipping step, loss scaler 0 reducing loss scale", "handled"),
        ("nfs: server 10.1.2.3 not responding, still trying", "nfs"),
        ("watchdog: BUG: soft lockup - CPU#12 stuck for 23s! [python:1234]", "lockup"),
        ("EXT4-fs error (device nvme0n1p1): ext4_find_entry:1455", "disk_error"),
        ("mlx5_core 0000:05:00.0: Port module event[error]: module 0, Cable error", "ib_link"),
        ("*** JOB 12 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***", "preempted"),
        ("ModuleNotFoundError: No module named 'flash_attn'", "import_error"),
        ("An error occurred (SlowDown) when calling the PutObject operation", "ckpt_store"),
        ("RuntimeError: PytorchStreamReader failed reading zip archive", "ckpt_corrupt"),
        ("Failed to initialize NVML: Driver/library version mismatch", "driver_mismatch"),
        ("0/8 nodes are available: 8 Insufficient nvidia.com/gpu.", "gpu_unschedulable"),
        ("ValueError: No available memory for the cache blocks.", "kv_cache_small"),
        ("CUDA kernel errors might be asynchronously reported at some other", "advice"),
        ("KeyError: 'input_ids'", "python_error"),
    ],
)
def test_signatures(text: str, category: str):
    found = recognise(parse_line(text))
    assert found is not None
    assert found.category == category


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23 03:00:00 INFO step 429/1000 loss 0.33 lr 1e-3",
        'INFO: 127.0.0.1:1 - "POST /v2/models/digits/infer HTTP/1.1" 200 OK',
        "mlx5_core 0000:05:00.0 ib0: Link up",
        "EDAC MC0: Giving out device to module skx_edac",
    ],
)
def test_ordinary_lines_mean_nothing(text: str):
    assert recognise(parse_line(text)) is None


def test_every_rule_has_words_and_lower_case_literals():
    seen = [rule.id for rule in rules()]
    assert len(seen) == len(set(seen))
    for rule in rules():
        assert rule.en
        assert rule.zh
        assert all(literal == literal.lower() for literal in rule.literals)


TIMEOUT = (
    "[rank{r}]:[E1123 03:10:0{r}.100 ProcessGroupNCCL.cpp:616] [Rank {r}] Watchdog caught "
    "collective operation timeout: WorkNCCL(SeqNum=808, OpType=ALLREDUCE, NumelIn=9, "
    "NumelOut=9, Timeout(ms)=600000) ran for 600020 milliseconds before timing out."
)


def test_a_collective_timeout_is_a_cascade_of_what_came_before():
    lines = [
        "[rank5]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
        *(TIMEOUT.format(r=r) for r in range(8) if r != 5),
        "torch.distributed.elastic.multiprocessing.errors.ChildFailedError:",
    ]
    found = read(lines, year=2026)
    assert found.root is not None
    assert (found.root.category, found.certain) == ("cuda_oom", True)
    assert found.ranks.suspects == (5,)
    assert found.ranks.operation == "ALLREDUCE #808"
    assert found.spread["nccl_timeout"] == (0, 1, 2, 3, 4, 6, 7)


def test_a_timeout_that_nothing_precedes_is_all_there_is():
    found = read([TIMEOUT.format(r=r) for r in range(4)], year=2026)
    assert found.root is not None
    assert found.root.category == "nccl_timeout"
    assert not found.certain


def test_the_first_error_in_time_wins_whatever_the_order_of_files():
    found = read_sources(
        {
            "rank 0": ["2026-11-23 03:10:00 RuntimeError: shape mismatch: sizes of tensors must match"],
            "rank 1": ["2026-11-23 03:09:00 RuntimeError: CUDA error: an illegal memory access was encountered"],
        }
    )  # fmt: skip
    assert found.root is not None
    assert found.root.category == "illegal_memory"


def test_a_kernel_line_explains_the_program_without_a_common_clock():
    found = read_sources(
        {
            "rank 0": ["RuntimeError: CUDA error: unknown error"],
            "kernel": ["[99.5] NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus."],
        }
    )
    assert found.root is not None
    assert found.root.code == 79


def test_an_error_that_was_survived_is_not_the_cause():
    lines = [
        "[rank0]: ConnectionError: slow start",
        *(f"[rank0]: step {n}/100 loss 2.3" for n in range(5)),
        "[rank0]: torch.OutOfMemoryError: CUDA out of memory.",
    ]
    found = read(lines)
    assert found.root is not None
    assert found.root.category == "cuda_oom"


def test_a_flood_is_counted_and_not_stored():
    found = read(["OSError: [Errno 28] No space left on device"] * 5000)
    assert found.counts["ckpt_disk"] == 5000
    assert len(found.signatures) < 100


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(max_size=200), max_size=20))
def test_any_text_can_be_read(lines: list[str]):
    assert read(lines).lines <= len(lines)


@pytest.mark.parametrize(
    "line",
    [
        "Xid (" * 5000,
        "{" * 20000,
        '{"a":' * 3000,
        "\x1b[31m" * 3000 + "CUDA out of memory",
        "loss " + "=" * 50_000 + " nan",
        "9999-99-99T99:99:99Z NVRM: Xid (PCI:0000:3b:00): 79, x",
        "E9999 99:99:99.9 Rank 99999999999999999999] SeqNum=" + "9" * 500,
        "\ud800 broken surrogate",
    ],
)
def test_hostile_lines_do_no_harm(line: str):
    assert read([line] * 3).lines <= 3

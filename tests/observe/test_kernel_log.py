"""Kernel lines in every form this machine may keep them, with hostile text made harmless."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.observe.worlds import NOW
from tools.errors import Unavailable
from tools.observe.kernel_log import KernelLog, parse_kmsg, parse_line
from tools.observe.wording import clean


def test_records_of_the_device_have_the_time_of_boot_added() -> None:
    line = parse_kmsg("4,1234,5000000,-;NVRM: Xid (PCI:0000:41:00): 79, GPU lost", 1_000_000)
    assert line is not None
    assert line.at == datetime.fromtimestamp(1_000_005, UTC)
    assert line.text == "NVRM: Xid (PCI:0000:41:00): 79, GPU lost"


@pytest.mark.parametrize(
    "record", ["12,1,5,-;written by systemd", " SUBSYSTEM=pci", "no separator", "4,1,x,-;text", ""]
)
def test_what_the_kernel_did_not_say_is_left_out(record: str) -> None:
    assert parse_kmsg(record, 0) is None


@pytest.mark.parametrize(
    "raw",
    [
        "2026-11-23T11:59:00.123456+00:00 node1 kernel: [ 12.345] oom-kill: x",
        "2026-11-23T11:59:00.123456+0000 node1 kernel: oom-kill: x",
        "Nov 23 11:59:00 node1 kernel: [12.3] oom-kill: x",
    ],
)
def test_file_forms_give_time_and_text(raw: str) -> None:
    line = parse_line(raw, NOW)
    assert line is not None
    assert line.text == "oom-kill: x"
    assert line.at is not None
    assert line.at.replace(microsecond=0) == datetime(2026, 11, 23, 11, 59, tzinfo=UTC)


def test_a_day_without_a_year_is_never_in_the_future() -> None:
    line = parse_line("Dec 31 23:59:59 node1 kernel: x", NOW)
    assert line is not None
    assert line.at is not None
    assert line.at.year == 2025


def test_other_programs_in_the_same_file_are_left_out() -> None:
    assert parse_line("Nov 23 11:59:00 node1 sshd[1]: kernel: faked", NOW) is None


def test_a_file_is_read_by_window(tmp_path: Path) -> None:
    path = tmp_path / "kern.log"
    path.write_text(
        "Nov 23 08:00:00 n kernel: old\nNov 23 11:50:00 n kernel: new\nNov 23 11:51:00 n cron: no\n"
    )
    lines = KernelLog(path).read(timedelta(hours=1), NOW)
    assert [line.text for line in lines] == ["new"]


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"cannot be read: No such file"):
        KernelLog(tmp_path / "missing").read(timedelta(hours=1), NOW)


def test_the_device_is_read_without_waiting(tmp_path: Path) -> None:
    device = tmp_path / "kmsg"
    device.write_text("4,1,1000000,-;first\n KEY=value\n6,2,2000000,-;second\n")
    lines = KernelLog(device=device).read(timedelta(days=4000), datetime.now(UTC))
    assert [line.text for line in lines] == ["first", "second"]


@pytest.mark.parametrize(
    ("hostile", "left"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("a\x08b\rc\x00d", "abcd"),
        ("approve\u202e99\u202c\u200b", "approve99"),
        ("tab\there", "tab    here"),
        ("中文 ok é", "中文 ok é"),
    ],
)
def test_text_from_the_world_is_made_harmless(hostile: str, left: str) -> None:
    assert clean(hostile) == left


@given(st.text())
def test_nothing_that_moves_the_cursor_survives(text: str) -> None:
    kept = clean(text)
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in kept)
    assert clean(kept) == kept

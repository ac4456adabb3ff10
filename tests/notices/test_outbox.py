"""The outbox: kills, races, waits, and what is tried for how long."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.notices.servers import Webhook
from tests.notices.world import notifying_world
from tests.postgres import database, postgres_url  # noqa: F401
from tests.support import FakeClock
from tools.errors import BadArguments
from tools.notices.base import notices
from tools.notices.rows import LONGEST_WAIT, Outbox, wait_after
from tools.store import Store

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
LOG = {"targets": {"log": {"file": "notices.log"}}}


@given(st.integers(1, 200), st.text(max_size=20))
def test_waits_grow_to_a_limit_and_spread(attempts: int, key: str) -> None:
    wait = wait_after(attempts, key)
    plain = min(timedelta(seconds=5) * 2 ** min(attempts - 1, 20), LONGEST_WAIT)
    assert plain * 0.79 <= wait <= plain * 1.21
    assert wait == wait_after(attempts, key)


def test_it_is_given_up_when_its_time_is_over(tmp_path: Path) -> None:
    clock = FakeClock(START)
    with Webhook(answers=[503] * 500) as hook:
        section = {"targets": {"hook": {"url": hook.url()}}, "retry_for": "1h"}
        port = notices(notifying_world(tmp_path, section, clock))
        port.send("k", "hook", "text")
        while (notice := port.notice("k")) and notice.state == "queued":
            clock.time = max(clock.time, notice.next_try)
            port.drain()
        assert notice is not None
        assert notice.state == "failed"
        assert notice.error.startswith("given up after")
        assert clock.time - START <= timedelta(hours=1)
        assert 8 <= len(hook.seen) <= 16


def test_a_target_taken_out_of_the_file_waits_with_a_reason(tmp_path: Path) -> None:
    clock = FakeClock(START)
    notices(notifying_world(tmp_path, LOG, clock)).send("k", "log", "text")
    other = notices(notifying_world(tmp_path, {"targets": {"x": {"file": "x"}}}, clock))
    assert other.drain() == 0
    notice = other.notice("k")
    assert notice is not None
    assert notice.error == "Target log is no longer in steward.yaml."


def test_an_unwritable_file_is_tried_again(tmp_path: Path) -> None:
    clock = FakeClock(START)
    (tmp_path / "notices.log").mkdir()
    port = notices(notifying_world(tmp_path, LOG, clock))
    port.send("k", "log", "text")
    assert port.deliver("k").state == "queued"
    (tmp_path / "notices.log").rmdir()
    clock.time += timedelta(minutes=1)
    assert port.drain() == 1


def test_a_bug_in_a_sender_stops_nothing_and_tells_no_details(tmp_path: Path) -> None:
    clock = FakeClock(START)
    port = notices(notifying_world(tmp_path, LOG, clock, slack=True))

    def broken(_notice: object) -> None:
        raise RuntimeError("https://hooks.example.com/s3cret")

    port.deliver_with("slack", broken)
    port.send("a", "#ops", "text")
    port.send("b", "log", "text")
    assert port.drain() == 1
    notice = port.notice("a")
    assert notice is not None
    assert notice.error == "#ops: the sender broke (RuntimeError)."


def _deliver(home: str, section: Any, start: datetime) -> None:
    clock = FakeClock(start)
    notices(notifying_world(Path(home), section, clock)).drain(limit=1000)


def test_killed_between_sending_and_noting_it_goes_again_with_the_same_id(tmp_path: Path) -> None:
    with Webhook(answers=[0], silence=30) as hook:
        section = {"targets": {"hook": {"url": hook.url() + "?rto=30"}}}
        port = notices(notifying_world(tmp_path, section, FakeClock(START)))
        port.send("k", "hook", "text")
        child = multiprocessing.get_context("spawn").Process(
            target=_deliver, args=(str(tmp_path), section, START)
        )
        child.start()
        while not hook.seen:
            time.sleep(0.05)
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
        early = notices(
            notifying_world(tmp_path, section, FakeClock(START + timedelta(seconds=30)))
        )
        assert early.drain() == 0
        late = notices(notifying_world(tmp_path, section, FakeClock(START + timedelta(seconds=61))))
        assert late.drain() == 1
        assert len({seen.headers["X-Steward-Notice"] for seen in hook.seen}) == 1
        assert len(hook.seen) == 2


def _die_before_noting(home: str, section: Any, start: datetime) -> None:
    def die(*_: object) -> bool:
        os.kill(os.getpid(), signal.SIGKILL)
        return False

    Outbox.delivered = die  # type: ignore[method-assign]
    _deliver(home, section, start)


def test_killed_between_writing_a_file_and_noting_it_holds_it_once(tmp_path: Path) -> None:
    port = notices(notifying_world(tmp_path, LOG, FakeClock(START)))
    port.send("k", "log", "only once.")
    args = (str(tmp_path), LOG, START)
    child = multiprocessing.get_context("fork").Process(target=_die_before_noting, args=args)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert (tmp_path / "notices.log").read_text().count("only once.") == 1
    notice = port.notice("k")
    assert notice is not None
    assert notice.state == "sending"
    late = notices(notifying_world(tmp_path, LOG, FakeClock(START + timedelta(seconds=61))))
    assert late.drain() == 1
    assert (tmp_path / "notices.log").read_text().count("only once.") == 1


def test_a_file_holds_each_notice_once_after_random_kills(tmp_path: Path) -> None:
    count, chance = 60, random.Random(7)
    port = notices(notifying_world(tmp_path, LOG, FakeClock(START)))
    for number in range(count):
        port.send(f"k{number}", "log", f"text number {number}.")
    context = multiprocessing.get_context("fork")
    for life in range(30):
        start = START + timedelta(seconds=61 * (life + 1))
        child = context.Process(target=_deliver, args=(str(tmp_path), LOG, start))
        child.start()
        if life < 12:
            time.sleep(chance.uniform(0.0, 0.25))
            os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
        if all(n.state == "delivered" for n in port.recent(count)):
            break
    said = (tmp_path / "notices.log").read_text()
    assert [said.count(f"text number {n}.\n") for n in range(count)] == [1] * count
    assert all(n.state == "delivered" for n in port.recent(count))


def _drain(home: str, url: str, ready: Barrier) -> None:
    port = notices(notifying_world(Path(home), _hooks(home), FakeClock(START), url=url))
    ready.wait(60)
    while port.drain(limit=50):
        pass


def _hooks(home: str) -> Any:
    return {"targets": {"hook": {"url": (Path(home) / "url").read_text()}}}


def race(home: Path, url: str, count: int) -> Counter[str]:
    with Webhook() as hook:
        (home / "url").write_text(hook.url())
        port = notices(notifying_world(home, _hooks(str(home)), FakeClock(START), url=url))
        for number in range(count):
            port.send(f"k{number}", "hook", "text")
        context = multiprocessing.get_context("spawn")
        ready = context.Barrier(3)
        racers = [context.Process(target=_drain, args=(str(home), url, ready)) for _ in range(3)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join(100)
            assert racer.exitcode == 0
        return Counter(seen.headers["X-Steward-Notice"] for seen in hook.seen)


def test_three_processes_send_each_notice_once_on_sqlite(tmp_path: Path) -> None:
    counted = race(tmp_path, Store.at_home(tmp_path).url, 150)
    assert len(counted) == 150
    assert set(counted.values()) == {1}


def test_three_processes_send_each_notice_once_on_postgres(
    tmp_path: Path,
    database: str,  # noqa: F811
) -> None:
    counted = race(tmp_path, database, 300)
    assert len(counted) == 300
    assert set(counted.values()) == {1}


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ({"targets": {"t": {}}}, "targets.t should be exactly one of url"),
        ({"targets": {"t": {"url": "a", "file": "b"}}}, "targets.t"),
        ({"routes": {"loud": ["file"]}}, "routes.loud"),
        ({"routes": {"info": ["nobody"]}}, "routes.info"),
        ({"quiet": {"start": 1320, "end": "07:00"}}, "quiet.start"),
        ({"quiet": {"start": "22:00", "end": "07:00", "except": ["x"]}}, "quiet.except"),
        ({"escalation": {"critical": {"after": "soon", "to": ["file"]}}}, "critical.after"),
        ({"retry_for": "ever"}, "retry_for"),
        ({"target": {}}, "notices.target"),
        (["x"], "a mapping"),
    ],
)
def test_a_wrong_section_is_named(tmp_path: Path, section: Any, fault: str) -> None:
    port = notices(notifying_world(tmp_path, section, FakeClock(START)))
    with pytest.raises(BadArguments, match=fault):
        port.targets()

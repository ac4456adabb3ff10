"""Two receivers on one Postgres: an incident's number is given once, and nothing is counted twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from tests.alerts.test_inbox import START, alert, post
from tests.postgres import database, postgres_url
from tests.support import FakeClock
from tools.alerts.book import AlertBook
from tools.store import Store

__all__ = ["database", "postgres_url"]
ROUNDS = 12


@pytest.fixture
def books(database: str) -> Iterator[Sequence[AlertBook]]:
    stores = [Store(database), Store(database)]
    yield [AlertBook(store, FakeClock(START + timedelta(minutes=1))) for store in stores]
    for store in stores:
        store.close()


def at_once(books: Sequence[AlertBook], deliveries: Sequence[Sequence[dict[str, object]]]) -> None:
    """Deliver round by round, both receivers at the same moment."""
    together = Barrier(len(books))

    def deliver(book: AlertBook, mine: Sequence[dict[str, object]]) -> None:
        for payload in mine:
            together.wait(30)
            book.receive(payload)

    with ThreadPoolExecutor(len(books)) as pool:
        for done in [pool.submit(deliver, b, d) for b, d in zip(books, deliveries, strict=True)]:
            done.result(60)


def test_two_receivers_never_give_one_number_twice(books: Sequence[AlertBook]):
    books[0].receive(post())
    mine = [
        [post(alert(f"Odd{side}x{i}", node=f"n{side}-{i}")) for i in range(ROUNDS)]
        for side in range(2)
    ]
    at_once(books, mine)
    incidents = books[0].incidents()
    assert [i.number for i in incidents] == list(range(2 * ROUNDS, 0, -1))
    for incident in incidents:
        (member,) = books[1].members(incident.number)
        assert member.fingerprint == incident.root
        assert incident.title.startswith(member.name)


def test_the_same_delivery_at_both_is_one_alert_in_one_incident(books: Sequence[AlertBook]):
    books[0].receive(post())
    same = [
        post(alert("KubeNodeNotReady", node=f"n{i}"), alert("PodCrash", node=f"n{i}", pod=f"p{i}"))
        for i in range(3)
    ]
    at_once(books, [same, same])
    assert len(books[0].alerts()) == 6
    assert len(books[0].incidents()) == 3
    for i in books[1].incidents():
        assert (i.firing, i.resolved) == (2, 0)

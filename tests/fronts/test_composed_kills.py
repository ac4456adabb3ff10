"""``steward serve`` killed with everything under way, also inside a send, on SQLite and Postgres."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.fronts.composed import Composed
from tests.fronts.serving import eventually
from tests.fronts.slack_standin import SlackStandin, words
from tests.notices.servers import Webhook
from tests.postgres import database, postgres_url  # noqa: F401

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


def shows(card: dict[str, Any], part: str, seconds: float = 150) -> None:
    eventually(lambda: part in words(card), seconds)


def summaries(slack: SlackStandin) -> list[str]:
    found = [m for (c, _), m in list(slack.state.messages.items()) if c in ("#CSUM", "CSUM")]
    return [m["text"] for m in found if "vision" in m["text"]]


def drilled(home: Path, slack: SlackStandin, url: str | None, *hooks: Webhook) -> Composed:
    taken, deaf = (hook.url() for hook in hooks)
    targets = {"log": {"file": "notices.log"}, "taken": {"url": taken}, "unread": {"url": deaf}}
    service = Composed(
        home,
        slack,
        url,
        deployments={"digits": {"platform": "local", "model": "digits", "options": {"soak": 6}}},
        notices={"targets": targets},
        schedules={
            "timezone": "UTC",
            "summaries": {"each": {"when": "* * * * *", "channel": "#CSUM", "window": "1h"}},
        },
    )
    service.shelve()
    service.start()
    return service


def asked(slack: SlackStandin, text: str) -> dict[str, Any]:
    return slack.cards("C1", slack.mention(text))[0]


@pytest.mark.parametrize("where", ["sqlite", "postgres"])
def test_killed_inside_every_send_it_continues_and_repeats_nothing(
    tmp_path: Path, slack: SlackStandin, where: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("database") if where == "postgres" else None
    with (
        Webhook(answers=[0], silence=90) as taken,
        Webhook(deaf=True, silence=90) as unread,
    ):
        service = drilled(tmp_path, slack, url, taken, unread)
        try:
            _drill(service, slack, taken, unread)
        finally:
            service.sweep()


def _drill(service: Composed, slack: SlackStandin, taken: Webhook, unread: Webhook) -> None:
    waiting = asked(slack, "tell log that the drill waits")
    under_way = [
        asked(slack, f"tell {target} that the drill is at {target}")
        for target in ("log", "taken", "unread")
    ]
    ts = slack.mention("roll out version 1 to digits")
    rolling = slack.cards("C1", ts)[0]
    slack.state.silent.add("#CSUM")  # the next summary is accepted, and nobody is told
    eventually(lambda: summaries(slack), 90)
    for card in (*under_way, rolling):
        slack.click("steward_approve", card, "UBOB")
    for reached in (lambda: taken.seen, lambda: unread.unread, service.replicas):
        eventually(reached, 120)
    late = slack.mention("which deployments are unhealthy?")
    slack.ack(slack.last)
    service.kill()
    assert len(summaries(slack)) == 1
    slack.state.silent.clear()
    unread.deaf = False
    connections = slack.connections
    service.start()
    slack.connected(connections + 1)
    for card in (rolling, *under_way):
        shows(card, "done and verified")
    slack.answers("C1", late)
    slack.click("steward_approve", waiting, "UBOB")
    shows(waiting, "done and verified")
    eventually(lambda: len(summaries(slack)) > 1, 150)
    time.sleep(2)
    _nothing_twice(service, slack, ts, late)
    assert len(unread.seen) == 1, "what nobody had accepted is sent, once"
    ids = [seen.headers["X-Steward-Notice"] for seen in taken.seen]
    assert len(ids) >= 2, "what nobody saw accepted is sent again"
    assert len(set(ids)) == 1, "with the id by which a receiver tells the repeat"


def _nothing_twice(service: Composed, slack: SlackStandin, ts: str, late: str) -> None:
    assert len(slack.cards("C1", ts)) == 1
    assert len(slack.answers("C1", late)) == 1
    assert [m["text"].split()[0] for m in slack.answers("C1", ts)] == ["Proposed", "Action"]
    log = (service.home / "notices.log").read_text()
    assert (log.count("the drill is at log"), log.count("the drill waits")) == (1, 1)
    assert len(service.replicas()) == 2
    ends = [re.search(r"to \w+ (\S+ \S+) UTC", text) for text in summaries(slack)]
    minutes = [end[1] for end in ends if end]
    assert len(minutes) == len(set(minutes)), "a summary was posted twice"

"""A Slack front over the toy door, connected to the stand-in; fixtures for its tests."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from agent.assistant import Assistant
from agent.fronts.inbox import Inbox
from agent.fronts.metrics import Metrics
from agent.fronts.slack import SlackFront
from agent.fronts.slack_api import SlackApi
from agent.fronts.slack_options import SlackOptions
from agent.settings import SlackSettings
from agent.work import is_gone
from tests.fronts.rooms import make_assistant
from tests.fronts.serving import Loop, running_loop
from tests.fronts.slack_standin import APP, BOT, SECRET, SlackStandin


class Running:
    """A Slack front with an assistant, connected to the stand-in."""

    def __init__(
        self, loop: Loop, slack: SlackStandin, assistant: Assistant, options: SlackOptions
    ) -> None:
        self.loop, self.slack, self.assistant = loop, slack, assistant
        self.metrics = Metrics()
        world = assistant.door.world
        self.inbox = Inbox(world.store, world.clock, assistant.door.owner, is_gone)
        secrets = SlackSettings(BOT, APP, SECRET, slack.url)
        self.front = loop.do(self._make(secrets, options))
        loop.do(self.front.start())
        if options.mode == "socket":
            slack.connected()

    async def _make(self, secrets: SlackSettings, options: SlackOptions) -> SlackFront:
        front = SlackFront(
            self.assistant, SlackApi(secrets, self.metrics), self.inbox, self.metrics, options
        )
        front.watch.every = 0.1
        front.dispatch.retries = (0.1,)
        return front

    def stop(self) -> None:
        self.loop.do(self.front.stop(5))
        self.inbox.close()


@pytest.fixture
def slack() -> Generator[SlackStandin]:
    standin = SlackStandin()
    yield standin
    standin.close()


@pytest.fixture
def loop() -> Generator[Loop]:
    with running_loop() as running:
        yield running


@pytest.fixture
def start(tmp_path: Path, loop: Loop, slack: SlackStandin) -> Generator[Any]:
    running: list[Running] = []

    def begin(options: SlackOptions | None = None, **more: Any) -> Running:
        assistant = make_assistant(tmp_path, **more)
        one = Running(loop, slack, assistant, options or SlackOptions(workspaces=("T1",)))
        running.append(one)
        return one

    yield begin
    for one in running:
        one.stop()

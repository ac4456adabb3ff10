"""Decides from settings and steward.yaml whether and how Slack is used."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from agent.assistant import Assistant
from agent.errors import Unreadable
from agent.fronts.inbox import Inbox
from agent.fronts.metrics import Metrics
from agent.settings import SlackSettings
from tools.contract import Json

if TYPE_CHECKING:
    from agent.fronts.slack import SlackFront

log = logging.getLogger(__name__)


def make_slack(
    assistant: Assistant,
    secrets: SlackSettings | None,
    inbox: Inbox,
    metrics: Metrics,
    approved: Callable[[], None],
) -> SlackFront | None:
    """The Slack front, not yet connected; ``None`` when no bot token is set.

    Raises:
        Unreadable: the section is wrong, or the mode lacks its secret.
    """
    section = assistant.door.fleet.sections.get("slack")
    if secrets is None:
        if section:
            log.warning("slack is configured, but SLACK_BOT_TOKEN is not set")
        return None
    from agent.fronts.slack import SlackFront
    from agent.fronts.slack_api import SlackApi
    from agent.fronts.slack_options import read_options

    options = read_options(cast("dict[str, Json]", section or {}))
    if options.mode == "socket" and not secrets.app_token:
        raise Unreadable("Slack's Socket Mode needs SLACK_APP_TOKEN (or slack.mode: http).")
    if options.mode == "http" and not secrets.signing_secret:
        raise Unreadable("Slack's HTTP mode needs SLACK_SIGNING_SECRET.")
    return SlackFront(assistant, SlackApi(secrets, metrics), inbox, metrics, options, approved)

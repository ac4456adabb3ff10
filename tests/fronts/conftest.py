"""Fixtures that the tests of several fronts share."""

from tests.fronts.slack_room import loop, slack, start

__all__ = ["loop", "slack", "start"]

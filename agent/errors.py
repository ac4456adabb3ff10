"""Errors of the agent's own rooms. Each is one sentence that names the thing and the remedy.

tools.errors.ToolError        what tools raise; the base of everything a person may read
├── NotAllowed                policy says no; the sentence says which rule
├── TooLate                   the decision or action no longer waits (decided, expired, stale)
├── Unreadable                steward.yaml or a setting: file, line, what was expected
└── BrainFailed               the language model endpoint failed; the offline planner goes on
"""

from __future__ import annotations

from tools.errors import ToolError


class NotAllowed(ToolError):
    """Policy says no."""


class TooLate(ToolError):
    """What was asked no longer waits: decided, expired, stale or already running."""


class Unreadable(ToolError):
    """A file or setting cannot be understood; says where and what was expected."""


class BrainFailed(ToolError):
    """The configured language model did not give a usable answer."""

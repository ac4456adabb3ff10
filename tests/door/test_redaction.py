"""What is masked on its way out, and what only looks like a secret."""

from __future__ import annotations

import pytest

from agent.redaction import mask


@pytest.mark.parametrize(
    "said",
    [
        'bad config or secret: configmap "cfg" not found',
        "bad config or secret: couldn't find key token in Secret ml/keys",
        'bad config or secret: secret "keys" not found',
    ],
)
def test_a_named_cause_keeps_what_is_missing(said: str) -> None:
    assert mask(said) == said


@pytest.mark.parametrize(
    "said",
    ["secret: hunter2", "a config or secret: hunter2", "bad config or secret: password=hunter2"],
)
def test_a_value_behind_a_telling_name_is_masked(said: str) -> None:
    assert "hunter2" not in mask(said)

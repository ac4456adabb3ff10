"""What the plan does with replicas that a killed driver had made and not started."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tools.platforms.docker_plan import Begin, Leave, Peer, moves
from tools.platforms.docker_state import State, Way

STATE = State(generation=3, since=3, replicas=2, target=2, epoch=0, stable=1)


def peer(name: str, revision: int, *, begun: bool = True) -> Peer:
    return Peer(name, revision, 0, 3, ready=begun, crashed=False, leaving=False, begun=begun)


@pytest.mark.parametrize("kind", ["rolling", "canary", "blue_green"])
@pytest.mark.parametrize("paused", [False, True])
def test_a_new_one_is_begun_and_an_old_one_let_go(kind: str, paused: bool) -> None:
    state = replace(STATE, way=Way(kind, (0.5, 1.0)), paused=paused)
    peers = [peer("serves", 1), peer("new", 2, begun=False), peer("old", 1, begun=False)]
    assert moves(state, peers) == [Begin("new"), Leave("old")]


def test_after_a_failure_the_stable_one_is_begun() -> None:
    state = replace(STATE, failed=3, cause="slow")
    peers = [peer("stable", 1, begun=False), peer("failed", 2, begun=False)]
    assert moves(state, peers) == [Begin("stable"), Leave("failed")]

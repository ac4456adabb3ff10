"""Edits of the desired state on a Docker host. Pure: a state in, the next one out."""

from __future__ import annotations

import json
import time
from dataclasses import replace

from tools.errors import BadArguments, Refused
from tools.platforms.base import (
    Edit,
    Pause,
    Restart,
    Resume,
    RollBack,
    RollOut,
    Scale,
)
from tools.platforms.docker_setup import Setup
from tools.platforms.docker_state import State


def edited(state: State, edit: Edit, setup: Setup, action: str) -> State:
    """The state after an edit; raises ``ToolError`` where it is impossible."""
    match edit:
        case RollOut():
            _room(setup, edit.replicas)
            _settled(state, setup.name, "roll-out")
            if edit.release == state.release(state.target) and state.done == state.generation:
                return state.acted(action, replicas=edit.replicas)
            return state.revised(edit.release, action, time.time(), edit)
        case Scale():
            _room(setup, edit.replicas)
            return replace(state.acted(action, replicas=edit.replicas), paused=False)
        case Restart():
            _settled(state, setup.name, "restart")
            way = replace(state.way, kind="rolling")
            return state.acted(action, epoch=state.epoch + 1, way=way)
        case RollBack():
            return _returned(state, edit.revision, setup.name, action)
        case Pause() | Resume():
            return _held(state, isinstance(edit, Pause), setup.name, action)


def _room(setup: Setup, replicas: int) -> None:
    if replicas > setup.max_replicas:
        raise Refused(
            f"{setup.name} may have at most {setup.max_replicas} replicas on this host, not"
            f" {replicas}; raise options.max_replicas.",
            f"{setup.name} 在此主机上最多 {setup.max_replicas} 个副本，不能是 {replicas}；"
            "可调大 options.max_replicas。",
        )


def _settled(state: State, name: str, what: str) -> None:
    if state.target and not state.at_rest:
        raise Refused(
            f"A roll-out of {name} is in progress; wait for it, or abort it, before the next {what}.",
            f"{name} 的发布正在进行；请等待其完成或先中止。",
        )


def _returned(state: State, revision: int, name: str, action: str) -> State:
    if not any(e.number == revision for e in state.revisions):
        known = ", ".join(str(e.number) for e in state.revisions) or "none"
        raise BadArguments(
            f"{name} has no revision {revision}; there is {known}.",
            f"{name} 没有修订 {revision}；现有：{known}。",
        )
    epoch = state.stable_epoch if revision == state.stable else state.epoch
    way = replace(state.way, kind="rolling")
    return state.acted(action, target=revision, epoch=epoch, way=way, paused=False)


def _held(state: State, wanted: bool, name: str, action: str) -> State:
    if wanted and (state.at_rest or state.paused):
        raise Refused(f"{name} has no roll-out in progress to pause.", f"{name} 没有进行中的发布。")
    if not wanted and state.at_rest:
        raise Refused(f"{name} has no roll-out to resume.", f"{name} 没有可以继续的发布。")
    return state.acted(action, paused=wanted)


def aborted(state: State, name: str, action: str) -> State:
    """The state that returns to the stable revision."""
    if state.at_rest or not state.stable:
        raise Refused(
            f"{name} has no roll-out in progress to abort.", f"{name} 没有进行中的发布可以中止。"
        )
    return _returned(state, state.stable, name, action)


def words(state: State) -> str:
    """What a state wants, in a few words."""
    release = state.release(state.target)
    what = f"version {release.version}" if release.version else f"revision {state.target}"
    held = ", paused" if state.paused else ""
    return f"{what} with {state.replicas} replicas{held}"


def diff(before: State, after: State) -> str:
    """Two states as lines that a person can compare."""

    def lines(s: State, sign: str) -> list[str]:
        r = s.release(s.target)
        shown = [f"{sign} {words(s)}"]
        if r.digest:
            shown.append(f"{sign} weights {r.digest.removeprefix('sha256:')[:12]}")
        if r.config:
            shown.append(f"{sign} configuration {json.dumps(dict(r.config), sort_keys=True)}")
        if s.epoch != before.epoch:
            shown.append(f"{sign} every replica started anew")
        return shown

    old, new = lines(before, "-"), lines(after, "+")
    return "\n".join([*old, *new])

"""The network that a gateway and its replicas share, made once however many Stewards ask for it."""

from __future__ import annotations

from contextlib import suppress
from time import sleep
from typing import TYPE_CHECKING, Any

from tools.errors import Refused, ToolError

if TYPE_CHECKING:
    from tools.platforms.docker_engine import Engine


_LOOKS, _PAUSE = 4, 0.25
"""How often, and every how many seconds, one looks again after making a network: an engine dates a
network before it lists it, so that an older one may turn up after ours."""


def ensure_network(engine: Engine, name: str) -> None:
    """Make sure that there is exactly one network of that name.

    Two Stewards may both find none and both make one. Engines since API 1.44 refuse the second,
    unless it comes in the same moment; earlier ones make it, and then no container could join by
    name. All keep the oldest: whoever made another removes it, and so does whoever finds one later.
    """
    there = _named(engine, name)
    if there:
        _only(engine, there)
        return
    try:
        with engine.translated():
            engine.api.create_network(
                name, labels={"steward.network": "true"}, check_duplicate=True
            )
    except Refused:
        if not _named(engine, name):
            raise
        return
    for _ in range(_LOOKS):
        there = _named(engine, name)
        _only(engine, there)
        sleep(_PAUSE)


def _only(engine: Engine, there: list[str]) -> None:
    """Remove all but the oldest; one that is in use, or gone already, is left as it is."""
    for identity in there[1:]:
        with suppress(ToolError), engine.translated():
            engine.api.remove_network(identity)


def _named(engine: Engine, name: str) -> list[str]:
    """Ids of the networks of exactly that name, oldest first; the engine's filter takes any part."""
    with engine.translated():
        rows: list[dict[str, Any]] = engine.api.networks(names=[name])
    found = sorted((str(r["Created"]), str(r["Id"])) for r in rows if r["Name"] == name)
    return [identity for _, identity in found]

"""The network that a gateway and its replicas share, made once however many Stewards ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.errors import Refused

if TYPE_CHECKING:
    from tools.platforms.docker_engine import Engine


def ensure_network(engine: Engine, name: str) -> None:
    """Make sure that there is exactly one network of that name.

    Two Stewards may both find none and both make one. Engines since API 1.44 refuse the second;
    earlier ones make it, and then no container could join by name. Both then keep the oldest and
    remove their own, so that one is left whatever the order was.
    """
    if _named(engine, name):
        return
    try:
        with engine.translated():
            made = str(
                engine.api.create_network(
                    name, labels={"steward.network": "true"}, check_duplicate=True
                )["Id"]
            )
    except Refused:
        if not _named(engine, name):
            raise
        return
    there = _named(engine, name)
    if there and there[0] != made:
        with engine.translated():
            engine.api.remove_network(made)


def _named(engine: Engine, name: str) -> list[str]:
    """Ids of the networks of exactly that name, oldest first; the engine's filter takes any part."""
    with engine.translated():
        rows: list[dict[str, Any]] = engine.api.networks(names=[name])
    found = sorted((str(r["Created"]), str(r["Id"])) for r in rows if r["Name"] == name)
    return [identity for _, identity in found]

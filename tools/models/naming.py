"""A model's proper name, from what a person called it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.errors import unknown

if TYPE_CHECKING:
    from tools.world import World


def known(world: World, model: str) -> str:
    """The name of a model of the fleet or the registry; raises ``BadArguments`` with neighbours."""
    for spec in world.fleet.models.values():
        if model == spec.name or model in spec.aliases:
            return spec.name
    registered = world.registry.models()
    if model in registered:
        return model
    raise unknown("model", model, [*world.fleet.models, *registered], "模型")

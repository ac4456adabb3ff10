"""Which registry a fleet uses: the embedded one, or the MLflow server a team already has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tools.errors import BadArguments
from tools.models.mlflow_registry import MlflowRegistry, open_mlflow
from tools.models.registry import EmbeddedRegistry

if TYPE_CHECKING:
    from tools.contract import Json
    from tools.fleet import Fleet
    from tools.store import Store
    from tools.world import Clock, World

VARIABLE = "STEWARD_REGISTRY"
"""Environment variable that tells a job's supervisor where to register: the section, as JSON."""


def section(fleet: Fleet) -> Mapping[str, Json]:
    """The ``registry`` part of steward.yaml; empty for the embedded one."""
    said = fleet.sections.get("registry")
    return cast("Mapping[str, Json]", said) if isinstance(said, dict) else {}


def registry_of(
    said: Mapping[str, Json], store: Store, home: Path, clock: Clock
) -> EmbeddedRegistry | MlflowRegistry:
    """The registry a section names.

    Raises:
        BadArguments: a kind that does not exist, or no address.
    """
    kind = said.get("kind", "embedded")
    if kind == "mlflow":
        return open_mlflow(said, store, home, clock)
    if kind != "embedded":
        raise BadArguments(
            f"registry.kind in steward.yaml is {kind!r}; write embedded or mlflow.",
            f"steward.yaml 的 registry.kind 为 {kind!r}；应为 embedded 或 mlflow。",
        )
    return EmbeddedRegistry(store, home, clock)


def open_registry(world: World) -> EmbeddedRegistry | MlflowRegistry:
    """The registry port of a world."""
    return registry_of(section(world.fleet), world.store, world.home, world.clock)

"""What a job starts from: the model's code, its parameters, and the version it works on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tools.errors import Refused
from tools.models.base import with_weights
from tools.models.kinds import TRAINING, Outline, outline, parameters, spec_of
from tools.models.naming import known

if TYPE_CHECKING:
    from tools.contract import Json
    from tools.fleet import ModelSpec
    from tools.models.base import ModelVersion
    from tools.world import World


def production(world: World, model: str) -> ModelVersion | None:
    """The version in production, which a new one is compared with; ``None`` without one."""
    carrying = [v for v in world.registry.versions(model) if "production" in v.aliases]
    return carrying[0] if carrying else None


def origin(world: World, version: ModelVersion) -> ModelVersion:
    """What everything made of ``version`` is judged against: the first of its line.

    Judged against its parent alone, a line of versions could lose a point at each step, and a
    version that the gate held back would let through whatever is made of it. Where the first one
    itself was held back, the version it was compared with stands in for it.
    """
    first = version
    while first.parent is not None:
        first = world.registry.resolve(first.model, str(first.parent))
    if first.gate.get("passed") is False:
        # A student under a name of its own was compared with its teacher, of another model.
        teacher = str(first.lineage.get("teacher", "")).partition("/")[0]
        return world.registry.resolve(teacher or first.model, str(first.gate["against"]))
    return first


def version_facts(world: World, version: ModelVersion | None) -> dict[str, Json]:
    """What a job is told about a version: its files, checked against their digests."""
    if version is None:
        return {}
    listed = version.lineage.get("files")
    names = list(listed) if isinstance(listed, dict) else []
    params = version.lineage.get("params")
    return {
        "number": version.number,
        "digest": version.digest,
        "technique": version.technique,
        "format": version.format,
        "path": str(world.registry.verified(version)),
        "files": {name: str(world.registry.verified(version, name)) for name in names},
        "params": dict(params) if isinstance(params, dict) else {},
    }


def prepare(
    world: World, name: str, chosen: Mapping[str, Json] | None = None
) -> tuple[ModelSpec, Outline, dict[str, Json]]:
    """The model's entry, its code's outline, and every training parameter."""
    model = spec_of(world.fleet, name)
    said = outline(model)
    return model, said, parameters(model, said, chosen)


def prepare_from(
    world: World, name: str, ref: str | None, *, trained: bool = False
) -> tuple[ModelSpec, Outline, dict[str, Json], ModelVersion]:
    """The same for work on a version: its own parameters shape the network that is rebuilt.

    With ``trained`` the work needs weights: where no version was named, it starts from the one
    that the version in use was made of.

    Raises:
        Refused: the version named has no weights; says which one has.
    """
    parent = world.registry.resolve(known(world, name), ref)
    if trained and not parent.trainable:
        parent = _source(world, parent, ref)
    base = parent.lineage.get("model")
    model = spec_of(world.fleet, base if isinstance(base, str) else parent.model)
    said = outline(model)
    built, defaults = parent.lineage.get("params"), parameters(model, said)
    # What shapes the network is the version's own; how it is trained further is said now.
    shaping = defaults.keys() - TRAINING.keys()
    own = {k: v for k, v in built.items() if k in shaping} if isinstance(built, dict) else {}
    return model, said, parameters(model, said, own), parent


def _source(world: World, version: ModelVersion, ref: str | None) -> ModelVersion:
    found = with_weights(world.registry, version)
    if found is not None and ref is None:
        return found
    what, zh = f"{version.model} version {version.number}", f"{version.model} 版本 {version.number}"
    use = (
        "there is no version of it with weights" if found is None else f"use version {found.number}"
    )
    use_zh = "它的来源也没有权重" if found is None else f"请用版本 {found.number}"
    raise Refused(
        f"{what} ({version.technique}) has no weights to train; {use}.",
        f"{zh}（{version.technique}）没有可训练的权重；{use_zh}。",
    )

"""What an ended job amounts to: the version it registered, or the named cause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from tools.amounts import span
from tools.contract import Json, Verdict
from tools.models.base import JobStatus
from tools.models.numbers import percent

if TYPE_CHECKING:
    from tools.models.base import ModelVersion
    from tools.world import World


def verdict(world: World, status: JobStatus) -> Verdict:
    """What an ended job amounts to."""
    if status.state != "succeeded" or status.version is None:
        cause = status.cause or status.state
        return Verdict(False, f"Job {status.name} {status.state}: {cause}.", cause)
    found = [v for m in _models(world, status) for v in world.registry.versions(m)]
    made = [v for v in found if v.job == status.name]
    if not made:
        return Verdict(False, f"Job {status.name} registered nothing.", "not registered")
    version = made[0]
    text = f"{version.model} version {version.number} is registered ({version.technique})"
    if (score := version.metrics.get("accuracy")) is not None:
        samples = version.metrics.get("test_samples", 0)
        text += f": accuracy {percent(score)} on {samples:.0f} test samples"
    if status.ended_at:
        text += f", after {span(status.ended_at - status.created_at)}"
    if status.kind == "export":
        text += f"; its file is {version.path}"
    if version.gate.get("passed") is False:
        text += f". {gate_sentence(version)}"
    made_of: dict[str, Json] = {"model": version.model, "version": str(version.number)}
    return Verdict(True, text.rstrip(".") + ".", details=made_of)


def _models(world: World, status: JobStatus) -> list[str]:
    return [status.model, *(m for m in world.registry.models() if m != status.model)]


def gate_sentence(version: ModelVersion) -> str:
    """Why the gate holds a version back, with the numbers."""
    said = cast("Mapping[str, float]", version.gate)
    sure = f"could lose {-100 * said['low']:.1f} points against version {said['against']:.0f}"
    budget = f"{100 * said['budget']:g} allowed, measured {100 * said['change']:+.1f}"
    more = ""
    if said.get("needed"):
        more = f"; about {said['needed']:.0f} test samples would settle it"
    return f"The gate did not pass: it {sure} ({budget}{more})"

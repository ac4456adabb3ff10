"""The fleet's live names, for the embedded planner."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from tools.errors import ToolError

if TYPE_CHECKING:
    from agent.offline.names import Names
    from tools.contract import Json
    from tools.fleet import Fleet
    from tools.world import World


def fleet_names(fleet: Fleet) -> Names:
    """What steward.yaml alone says: enough for ``steward plan``, which touches nothing."""
    from agent.offline.names import Names

    return Names(
        deployments=tuple((d.ref, *d.aliases) for d in fleet.deployments.values()),
        models=tuple((m.name, *m.aliases) for m in fleet.models.values()),
        nodes=_each(_listed(fleet, "nodes")),
        jobs=_each(_listed(fleet, "jobs")),
        alerts=_each(_listed(fleet, "alerts")),
        channels=_each(_targets(fleet)),
        people=_each(fleet.people),
    )


def live_names(world: World) -> Names:
    """steward.yaml's names and those of local state: registered models, jobs, firing alerts."""
    from dataclasses import replace

    from tools.notices.base import notices
    from tools.schedules.base import schedules

    names = fleet_names(world.fleet)
    models = _asked(lambda: world.registry.models())
    jobs = _asked(lambda: [job.name for job in world.jobs.list()[:50]])
    targets = _asked(lambda: [t.name for t in notices(world).targets()])
    plans = _asked(lambda: [s.name for s in schedules(world).all()])
    known = {m[0] for m in names.models}
    return replace(
        names,
        models=(*names.models, *_each(m for m in models if m not in known)),
        jobs=_each(dict.fromkeys([*(j[0] for j in names.jobs), *jobs])),
        channels=_each(dict.fromkeys([*(c[0] for c in names.channels), *targets])),
        others={**names.others, "schedule": _each(plans)},
    )


def _asked(question: Callable[[], Sequence[str]]) -> Sequence[str]:
    """An answer, or nothing: a missing source only makes names less complete."""
    try:
        return question()
    except ToolError:
        return ()


def _each(names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    return tuple((name,) for name in names)


def _listed(fleet: Fleet, key: str) -> list[str]:
    """Names a platform's options list, where the platform itself cannot be asked."""
    found: list[str] = []
    for options in fleet.platforms.values():
        names = options.get(key)
        if isinstance(names, list):
            found += [str(n) for n in names]
    return found


def _targets(fleet: Fleet) -> list[str]:
    notices = fleet.sections.get("notices")
    named = (
        cast("Mapping[str, Json]", notices).get("targets") if isinstance(notices, dict) else None
    )
    return list(cast("Mapping[str, Json]", named)) if isinstance(named, dict) else []

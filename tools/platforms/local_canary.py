"""The numbers a canary's judge needs, gathered from the replicas' own metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tools.platforms import local_probe
from tools.platforms.base import RollOut, Traffic
from tools.platforms.canary import Ruling, judge
from tools.platforms.local_plan import Picture
from tools.platforms.local_records import Desired, ReplicaRow
from tools.serving.metrics import Counters


def traffic_of(counters: Counters) -> Traffic:
    """Counters as the platform contract words them."""
    return Traffic(
        counters.requests,
        counters.error,
        counters.quantile(0.95),
        counters.quality,
        counters.labelled,
        counters.quantile(0.5),
    )


def gather(
    rows: Iterable[ReplicaRow], desired: Desired, since: dict[str, dict[str, Counters]]
) -> dict[int, Counters]:
    """Revision → counters, less what each replica had counted at ``since``.

    A replica counts its own requests; labels that arrive late may be counted by any replica, for
    the version that answered, and are credited to that version's newest revision.
    """
    total: dict[int, Counters] = {}
    newest = {r.release.version: r.number for r in desired.revisions}
    for row in rows:
        if not row.admin_port or row.state == "crashed":
            continue
        own = desired.release(row.revision).version
        for version, counters in local_probe.counters(row.admin_port).items():
            revision = row.revision if version == own else newest.get(version)
            if revision is None:
                continue
            before = since.get(row.id, {}).get(version)
            sums = total.setdefault(revision, Counters())
            sums.add(counters if before is None else counters.less(before))
    return total


class Bench:
    """Where the judge sits: remembers what the stable replicas had counted at the start."""

    def __init__(self) -> None:
        self._before: dict[str, dict[str, Counters]] = {}

    def start(self, rows: Sequence[ReplicaRow]) -> None:
        """A roll-out begins: count from here."""
        self._before = {r.id: local_probe.counters(r.admin_port) for r in rows if r.admin_port}

    def judge(self, plan: RollOut, seen: Picture, desired: Desired, lasted: float) -> Ruling:
        """Judge the step that stands, after ``lasted`` seconds."""
        counted = gather((*seen.new, *seen.old), desired, self._before)
        new = counted.pop(desired.target, None)
        stable: Counters | None = None
        for counters in counted.values():
            stable = stable or Counters()
            stable.add(counters)
        ill = [r for r in (*seen.crashed, *seen.new) if r.state != "ready"]
        return judge(
            plan,
            new=traffic_of(new) if new else None,
            stable=traffic_of(stable) if stable else None,
            healthy=not ill,
            unhealthy_cause=ill[0].message if ill else "",
            pauses=lasted / max(plan.pause.total_seconds(), 0.01),
        )

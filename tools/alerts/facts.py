"""Facts: what collectors found, under names that playbooks may use in their signs.

A fact is a name, a value, and the evidence for it: a quoted line, its time and its source. A sign
is an expression over facts: ``xid in 48, 94`` · ``host.disk > 0.97`` · ``gpu.state = lost`` ·
``sxid present``. ``SPECS`` is the closed list of names; a playbook that uses another one does not
load.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from tools.errors import BadArguments

Value = str | float


@dataclass(frozen=True, slots=True)
class Fact:
    """One observation."""

    name: str
    value: Value
    quote: str
    """What a person reads as evidence, at most about 200 characters."""
    source: str
    at: datetime | None = None
    entity: str = ""
    quote_zh: str = ""
    strength: float = 1.0
    """0..1: how much of a sign's weight it carries (a change long ago carries little)."""

    def said(self, lang: str) -> str:
        """The evidence in ``lang``."""
        return (self.quote_zh or self.quote) if lang == "zh" else self.quote


SPECS: Mapping[str, str] = {
    "alert": "names of other alerts that fire on the same entities",
    "alert.state": "state of the diagnosed alert",
    "change": "tools of changes made in the last two hours (also ``driver_update``)",
    "deployment.cause": "categories of the platform's own cause text",
    "deployment.missing": "wanted minus ready replicas",
    "deployment.phase": "phase as the platform names it",
    "deployment.restarts": "restarts of the replica that restarted most",
    "deployment.stuck": "``yes`` when it progresses for more than ten minutes",
    "event": "reasons of warning events",
    "event_text": "categories of event messages",
    "gpu.clock_ratio": "SM clock over its maximum while busy",
    "gpu.ecc_uncorrected": "uncorrected errors since the driver was loaded",
    "gpu.hotter_than_peers": "degrees above the median of the other GPUs",
    "gpu.memory": "used share of GPU memory, 0..1",
    "gpu.memory_temperature": "degrees Celsius",
    "gpu.memory_utilization": "0..100",
    "gpu.memory_without_process": "``yes`` when memory is used and no process lives",
    "gpu.missing": "GPUs the node should have and does not show",
    "gpu.nvlink_down": "links that are down",
    "gpu.nvlink_errors": "errors counted on all links",
    "gpu.one_process": "``yes`` or ``no``",
    "gpu.pcie_replays": "replays since the driver was loaded",
    "gpu.pcie_width_ratio": "link width over its maximum",
    "gpu.problem": "codes of problems with the GPU library or a GPU",
    "gpu.recovery": "the driver's own recovery action",
    "gpu.remap_failed": "``yes`` or ``no``",
    "gpu.remap_pending": "``yes`` or ``no``",
    "gpu.retired_pending": "``yes`` or ``no``",
    "gpu.state": "``ok``, ``lost``, ``reset_required``, ``error``",
    "gpu.temperature": "degrees Celsius",
    "gpu.throttle": "clock-event reasons that are active",
    "gpu.utilization": "0..100",
    "history.same": "times the same XID hit the same GPU in seven days",
    "history.same_node": "failures of this job on the same node",
    "history.same_step": "earlier failures of this job at the same step",
    "host.cpu": "used share of all cores, 0..1",
    "host.disk": "used share of the fullest file system, 0..1",
    "host.inodes": "used share of inodes of the fullest file system, 0..1",
    "host.iowait": "share of time the processor waits for disks, 0..1",
    "host.limit_memory": "used share of the control group's memory limit, 0..1",
    "host.load_ratio": "load of one minute over the number of cores",
    "host.memory": "used share of main memory, 0..1",
    "host.net_errors": "errors of network interfaces since boot",
    "host.oom_kills": "kills by the control group's memory limit",
    "host.pressure_cpu": "share of 10 s in which some task waited for CPU, 0..100",
    "host.pressure_io": "the same for disks",
    "host.pressure_memory": "the same for memory",
    "host.shm": "used share of /dev/shm, 0..1",
    "host.throttled": "share of periods in which the CPU limit held it back, 0..1",
    "host.top_cpu": "share of all cores the busiest process uses, 0..1",
    "host.top_cpu_foreign": "the same for processes that are not the target's own",
    "host.top_memory": "share of main memory the largest process holds, 0..1",
    "job.cause": "categories of the job's own cause text",
    "job.data_wait": "share of step time spent waiting for data, 0..1",
    "job.nan": "``yes`` when the loss is not finite",
    "job.restarts": "restarts of the job",
    "job.stalled": "seconds since its last step while it runs",
    "job.stalled_ratio": "the same over its usual step time",
    "job.state": "state of the job",
    "job.worker_lost": "``yes`` when a worker is gone",
    "kernel": "categories of kernel lines, advice and cascades excepted",
    "log": "category of the first error in the target's logs",
    "metric.falling": "metrics that fell out of their range",
    "metric.high": "metrics close to their limit",
    "metric.rising": "metrics that rose out of their range or keep rising",
    "node.ready": "``yes`` or ``no``",
    "node.schedulable": "``yes`` or ``no``",
    "rank.suspect": "ranks that did not take part in a collective",
    "replica.message": "categories of replica messages",
    "replica.state": "states of replicas that are not running",
    "scope": "``gpu``, ``node``, ``rack``, ``job`` or ``fleet``: how far the symptom reaches",
    "seen": "every category seen in the target's logs, advice excepted",
    "sxid": "SXid codes in the kernel log",
    "topology.below": "dependencies that are unhealthy themselves",
    "traffic.errors": "share of failed requests of the newest revision, 0..1",
    "traffic.new_errors": "its error share minus that of the revision before",
    "traffic.slow": "p95 over one second, or over its own history",
    "traffic.worse_than_previous": "p95 of the newest revision over that of the one before",
    "xid": "XID codes in the kernel log or reported by the driver",
}


@dataclass(frozen=True, slots=True)
class Sign:
    """``name op values``: a test of facts."""

    text: str
    name: str
    op: str
    values: tuple[Value, ...]

    def matches(self, fact: Fact) -> bool:
        """Whether this fact satisfies the sign."""
        if fact.name != self.name:
            return False
        if self.op == "present":
            return True
        if self.op in ("in", "="):
            return _word(fact.value) in {_word(v) for v in self.values}
        if not isinstance(fact.value, float | int) or not isinstance(self.values[0], float):
            return False
        return fact.value > self.values[0] if self.op == ">" else fact.value < self.values[0]


def _word(value: Value) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).lower()


_SIGN = re.compile(r"([a-z_.]+)\s+(present|in|=|>|<)\s*(.*)", re.IGNORECASE)


@cache
def parse_sign(text: str) -> Sign:
    """A sign from its text.

    Raises:
        BadArguments: the text is no sign or names a fact that no collector provides.
    """
    found = _SIGN.fullmatch(text.strip())
    if not found:
        raise BadArguments(f"{text!r} is not a sign; write 'xid in 48, 94' or 'host.disk > 0.9'")
    name, op, rest = found[1], found[2].lower(), found[3].strip()
    if name not in SPECS:
        raise BadArguments(f"{text!r} uses {name!r}, which no collector provides")
    words = tuple(w.strip() for w in rest.split(",") if w.strip())
    if op == "present":
        return Sign(text, name, op, ())
    if not words:
        raise BadArguments(f"{text!r} has no value after {op!r}")
    if op in (">", "<"):
        try:
            return Sign(text, name, op, (float(words[0]),))
        except ValueError:
            raise BadArguments(f"{text!r} needs a number after {op!r}") from None
    return Sign(text, name, op, words)


class Facts:
    """Everything collected for one diagnosis, and which names could not be looked at."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._by_name: dict[str, list[Fact]] = {}
        self.looked: set[str] = set()
        """Names whose collector answered, whether or not it found anything."""
        for fact in facts:
            self.add(fact)

    def add(self, fact: Fact) -> None:
        """Keep a fact; equal name and value are kept up to 20 times."""
        held = self._by_name.setdefault(fact.name, [])
        if len(held) < 200:
            held.append(fact)
        self.looked.add(fact.name)

    def named(self, name: str) -> list[Fact]:
        """Facts of one name, in the order they were added."""
        return self._by_name.get(name, [])

    def matching(self, sign: Sign) -> list[Fact]:
        """Facts that satisfy a sign."""
        return [fact for fact in self.named(sign.name) if sign.matches(fact)]

    def all(self) -> list[Fact]:
        """Every fact."""
        return [fact for held in self._by_name.values() for fact in held]

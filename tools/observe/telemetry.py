"""The telemetry port of a world: live readings, the embedded history, and Prometheus if there is.

steward.yaml: ``prometheus: {url: …}`` for a fleet; ``host: {kernel_log: /path}`` to read the
kernel's messages from a mounted file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import BadArguments, ToolError, unknown
from tools.observe import metrics
from tools.observe.base import QueryResult, Sample, Series
from tools.observe.collect import gpu_samples, host_samples
from tools.observe.gpu import Gpus
from tools.observe.history import Baseline, History
from tools.observe.host import Host
from tools.observe.kernel_log import KernelLog
from tools.observe.prometheus import Prometheus, configured
from tools.observe.promql import advice, resolve
from tools.observe.readings import GpuReport, HostSample
from tools.platforms.base import LogLine

if TYPE_CHECKING:
    from tools.world import World


class LocalTelemetry:
    """Everything this process can measure or look up. Thread-safe."""

    def __init__(
        self,
        world: World,
        *,
        gpus: Gpus | None = None,
        kernel: KernelLog | None = None,
        prometheus: Prometheus | None = None,
    ) -> None:
        self._world = world
        self._host = Host()
        self._gpus = gpus or Gpus()
        self._kernel = kernel or KernelLog(_kernel_file(world))
        self.history = History(world.store)
        self.prometheus = prometheus or configured(world.fleet.sections.get("prometheus"))

    def host(self) -> HostSample:
        """This machine now."""
        return self._host.sample()

    def gpus(self) -> GpuReport:
        """The GPUs now."""
        return self._gpus.report()

    def record(self, samples: Sequence[Sample]) -> None:
        """Remember numbers in the embedded history."""
        self.history.record(samples, self._world.clock.now())

    def metrics(self) -> Sequence[str]:
        """Names with at least one recorded number."""
        return self.history.metrics()

    def baseline(self, metric: str, labels: Mapping[str, str] | None = None) -> Baseline | None:
        """What was usual for a series until an hour ago; ``None`` without enough history."""
        until = self._world.clock.now() - timedelta(hours=1)
        return self.history.baseline(metric, labels or {}, until)

    def kernel_log(self, since: timedelta) -> Sequence[LogLine]:
        """Kernel messages of the last ``since``."""
        return self._kernel.read(since, self._world.clock.now())

    def series(
        self, metric: str, window: timedelta, labels: Mapping[str, str] | None = None
    ) -> Sequence[Series]:
        """A metric by name over the last ``window``: recorded here, else from Prometheus."""
        known = metrics.find(metric)
        name = known.name if known else metric
        found = self._recorded(name, window, labels)
        if found:
            return found
        if known is None and name not in self.metrics():
            metrics.named(metric)
        if known is None or not known.promql or self.prometheus is None:
            return ()
        wanted = (labels or {}).items()
        fleet = self._fleet(self.prometheus, known, window).series
        return [s for s in fleet if all(s.labels.get(k) == v for k, v in wanted)]

    def query(self, query: str, window: timedelta) -> QueryResult:
        """A metric name or PromQL over the last ``window``."""
        known = metrics.find(query)
        if known is not None:
            return self._named(known, window)
        if metrics.is_plain(query) and query in self.metrics():
            return QueryResult(query, "history", tuple(self._recorded(query, window)))
        if self.prometheus is not None:
            return _asked(self.prometheus, query, window)
        if metrics.is_plain(query) or not set(query) & set("({[+*/<>="):
            raise unknown("metric", query, metrics.names(), "指标")
        raise BadArguments(
            "PromQL needs a Prometheus; this fleet has none (prometheus.url in steward.yaml). "
            f"Names that work here: {', '.join(metrics.names()[:6])}, …",
            "PromQL 需要 Prometheus，而本集群未配置（steward.yaml 的 prometheus.url）。"
            f"这里可用的指标名：{'、'.join(metrics.names()[:6])} 等。",
        )

    def close(self) -> None:
        """End the GPU worker and give connections back."""
        self._gpus.close()
        if self.prometheus is not None:
            self.prometheus.close()

    def _named(self, known: metrics.MetricName, window: timedelta) -> QueryResult:
        fleet: QueryResult | None = None
        note = note_zh = ""
        if self.prometheus is not None and known.promql:
            try:
                fleet = self._fleet(self.prometheus, known, window)
            except ToolError as error:
                note, note_zh = error.en, error.zh
            if fleet is not None and fleet.series:
                return fleet
        here = self._recorded(known.name, window) or self._measured(known, window)
        if here or fleet is None:
            return QueryResult(known.name, "history", tuple(here), advice=note, advice_zh=note_zh)
        return fleet

    def _fleet(
        self, prometheus: Prometheus, known: metrics.MetricName, window: timedelta
    ) -> QueryResult:
        exported, labels = prometheus.exported(), prometheus.labels()
        missing: tuple[str, ...] = ()
        for form in known.promql:
            resolved = resolve(form, exported, labels)
            if not resolved.missing:
                series, more = prometheus.range(
                    resolved.query, window, name=known.name, unit=known.unit
                )
                return QueryResult(resolved.query, "prometheus", series, more=more)
            missing = missing or resolved.missing
        en, zh = advice(missing, exported)
        return QueryResult(known.promql[0], "prometheus", (), missing, en, zh)

    def _recorded(
        self, name: str, window: timedelta, labels: Mapping[str, str] | None = None
    ) -> Sequence[Series]:
        now = self._world.clock.now()
        return self.history.series(name, now - window, now, labels)

    def _measured(self, known: metrics.MetricName, window: timedelta) -> Sequence[Series]:
        match known.family:
            case "host":
                samples = list(host_samples(self.host()))
            case "gpu":
                samples = list(gpu_samples(self.gpus()))
            case _:
                return ()
        self.record(samples)
        return self._recorded(known.name, window)


def _asked(prometheus: Prometheus, query: str, window: timedelta) -> QueryResult:
    exported = prometheus.exported()
    resolved = resolve(query, exported, prometheus.labels())
    series, more = prometheus.range(resolved.query, window)
    en, zh = advice(resolved.missing, exported)
    return QueryResult(resolved.query, "prometheus", series, resolved.missing, en, zh, more)


def _kernel_file(world: World) -> Path | None:
    section = world.fleet.sections.get("host")
    named = section.get("kernel_log") if isinstance(section, dict) else None
    return Path(named) if isinstance(named, str) else None


def build(world: World) -> LocalTelemetry:
    """The telemetry of a world; starts nothing."""
    return LocalTelemetry(world)

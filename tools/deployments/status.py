"""How one deployment is doing: version, replicas, traffic, causes, last change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tools.actions.wording import state_words
from tools.contract import Finding, Phrases, reading
from tools.deployments.finding import find, known_version
from tools.deployments.remedies import remedy
from tools.deployments.wording import joined, milliseconds, phase, stamp
from tools.errors import Unavailable
from tools.platforms.base import Status, Traffic
from tools.words import Deployment, Lang
from tools.world import ActionRow, World


@dataclass(frozen=True, slots=True)
class DeploymentReport:
    """One deployment now."""

    status: Status
    accuracy: float | None
    """Of the version, as the registry measured it; 0..1."""
    traffic: Traffic | None
    """Of the revision that serves."""
    since: datetime | None
    last_change: ActionRow | None
    notes: tuple[str, ...]
    now: datetime

    def say(self, lang: Lang) -> str:
        """Health, version and replicas first; then traffic, causes, the last change."""
        lines = [self._first(lang), *self._causes(lang)]
        lines += [
            line for line in (self._uptime(lang), self._traffic(lang), self._change(lang)) if line
        ]
        if self.status.endpoint and self.status.wanted:
            where = "地址" if lang == "zh" else "Endpoint"
            lines.append(f"{where}: {self.status.endpoint}")
        return joined([*lines, *self.notes])

    def _first(self, lang: Lang) -> str:
        s, zh = self.status, lang == "zh"
        if s.release.version is None and s.wanted:
            what = s.release.image or "its own template"
            state = phase(s.phase, lang)
            if zh:
                return f"{s.ref} {state}：{what}，{s.ready}/{s.wanted} 个副本就绪；不知道模型版本。"
            return (
                f"{s.ref} is {state}: {what}, {s.ready} of {s.wanted} replicas ready; "
                "no registered version was rolled out yet."
            )
        if s.release.version is None:
            return (
                f"{s.ref} 还没有发布过任何版本。"
                if zh
                else f"Nothing is rolled out to {s.ref} yet."
            )
        if not s.wanted:
            last = s.release.version
            if zh:
                return f"{s.ref} 已缩容到 0，没有提供服务（最后版本 {last}）。"
            return f"{s.ref} is scaled to 0: nothing is served (last version {last})."
        state = phase(s.phase, lang)
        if zh:
            how = f"（准确率 {self.accuracy:.1%}）" if self.accuracy is not None else ""
            return (
                f"{s.ref} {state}：{s.release.model} 版本 {s.release.version}{how}，"
                f"{s.ready}/{s.wanted} 个副本就绪。"
            )
        how = f" (accuracy {self.accuracy:.1%})" if self.accuracy is not None else ""
        return (
            f"{s.ref} is {state}: {s.release.model} version {s.release.version}{how}, "
            f"{s.ready} of {s.wanted} replicas ready."
        )

    def _causes(self, lang: Lang) -> list[str]:
        s = self.status
        lines: list[str] = []
        if s.message and s.phase != "complete":
            lines.append(f"{'原因' if lang == 'zh' else 'Cause'}: {s.message}")
            if mend := remedy(s.message, lang):
                lines.append(f"{'处理办法' if lang == 'zh' else 'Remedy'}: {mend}")
        if len(s.traffic) > 1:
            shares = ", ".join(
                f"{'修订' if lang == 'zh' else 'revision'} {n} {v:.0%}"
                for n, v in s.traffic.items()
            )
            lines.append(f"{'流量' if lang == 'zh' else 'Traffic'}: {shares}")
        return lines + [
            f"- {r.id} {r.state}: {r.message}"
            for r in s.replicas
            if not r.ready and r.message and r.message not in s.message
        ]

    def _uptime(self, lang: Lang) -> str:
        if self.since is None:
            return ""
        at = stamp(self.since, self.now, lang)
        return f"运行自 {at}。" if lang == "zh" else f"Serving since {at}."

    def _traffic(self, lang: Lang) -> str:
        t = self.traffic
        if t is None or not t.requests:
            return ""
        rate = f"{t.errors / t.requests:.2%}"
        slow = milliseconds(t.p95_seconds) if t.p95_seconds is not None else "-"
        if lang == "zh":
            return f"启动以来 {t.requests:,} 次请求，错误率 {rate}，p95 延迟 {slow}。"
        return f"{t.requests:,} requests since its start: error rate {rate}, p95 latency {slow}."

    def _change(self, lang: Lang) -> str:
        row = self.last_change
        if row is None:
            return ""
        at = stamp(row.changed_at, self.now, lang)
        if lang == "zh":
            return f"最近变更：操作 {row.number}，{row.title_in(lang)}（{state_words(row.state, lang)}），{at}。"
        return f"Last change: action {row.number}, {row.title} ({row.state}), {at}."


@reading(
    Phrases(
        en=(
            "how is {deployment}",
            "status of {deployment}",
            "is {deployment} healthy",
            "how is {deployment} doing",
            "what version of {deployment} is running",
            "how many replicas does {deployment} have",
            "is {deployment} up",
            "show me the {deployment} deployment",
            "is the roll-out of {deployment} done",
            "has {deployment} recovered",
            "did the restart of {deployment} work",
        ),
        zh=(
            "{deployment} 怎么样",
            "{deployment} 的状态",
            "{deployment} 健康吗",
            "{deployment} 现在跑的是哪个版本",
            "{deployment} 有几个副本",
            "{deployment} 恢复了吗",
            "{deployment} 发布完成了吗",
            "看看 {deployment} 部署",
            "{deployment} 正常吗",
        ),
    )
)
def deployment_status(world: World, deployment: Deployment) -> Finding:
    """Show a deployment's version, ready replicas, error rate, p95, causes and last change."""
    found = find(world, deployment)
    status, notes = found.status, list[str]()
    traffic: Traffic | None = None
    try:
        traffic = found.platform.traffic(found.ref).get(status.revision)
    except Unavailable as error:
        notes.append(f"(traffic: {error.en})")
    changes = world.actions.rows(target=f"deployment/{found.ref}", limit=1)
    ready = [r.started_at for r in status.replicas if r.ready and r.revision == status.revision]
    version = known_version(world, status.release.model, status.release.version)
    return DeploymentReport(
        status=status,
        accuracy=version.metrics.get("accuracy") if version else None,
        traffic=traffic,
        since=min(ready, default=None),
        last_change=changes[0] if changes else None,
        notes=tuple(notes),
        now=world.clock.now(),
    )

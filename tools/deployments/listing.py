"""Which deployments there are, and how each is doing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tools.amounts import span
from tools.contract import Finding, Phrases, reading
from tools.deployments.wording import joined, phase
from tools.errors import Unavailable
from tools.platforms.base import Phase, Status
from tools.words import Lang
from tools.world import World


@dataclass(frozen=True, slots=True)
class Row:
    """One deployment in the list."""

    deployment: str
    platform: str
    model: str | None
    version: str | None
    ready: int
    wanted: int
    phase: Phase
    message: str
    since: datetime | None
    """Start of its oldest ready replica."""

    @property
    def well(self) -> bool:
        """Nothing to look at."""
        return self.phase == "complete"

    def say(self, lang: Lang, now: datetime) -> str:
        """One line."""
        zh = lang == "zh"
        if self.version is None:
            what = "尚未发布" if zh else "nothing rolled out yet"
        elif zh:
            what = f"{self.model} 版本 {self.version}，{self.ready}/{self.wanted} 副本就绪"
        else:
            what = (
                f"{self.model} version {self.version}, {self.ready} of {self.wanted} replicas ready"
            )
        up = span(now - self.since, lang) if self.since else ""
        since = (f"，已运行 {up}" if zh else f", up {up}") if up else ""
        state = phase(self.phase, lang)
        tail = f"{'：' if zh else ': '}{self.message}" if self.message and not self.well else ""
        return f"{self.deployment} ({self.platform}): {state}{tail} - {what}{since}"


@dataclass(frozen=True, slots=True)
class DeploymentList:
    """Every deployment the platforms know."""

    rows: tuple[Row, ...]
    silent: tuple[str, ...]
    """Platforms that did not answer, with the reason."""
    now: datetime

    def say(self, lang: Lang) -> str:
        """How many and whether all are well, then one line each, the ill ones first."""
        zh = lang == "zh"
        ill = [r for r in self.rows if not r.well]
        if not self.rows:
            first = "没有部署。" if zh else "There are no deployments."
        elif zh:
            state = f"{len(ill)} 个需要关注" if ill else "全部正常"
            first = f"共 {len(self.rows)} 个部署，{state}。"
        else:
            noun = "deployment" if len(self.rows) == 1 else "deployments"
            state = f"{len(ill)} needing attention" if ill else "all healthy"
            if len(self.rows) == 1 and not ill:
                state = "healthy"
            first = f"{len(self.rows)} {noun}, {state}."
        ordered = sorted(self.rows, key=lambda r: (r.well, r.deployment))
        return joined([first, *(r.say(lang, self.now) for r in ordered), *self.silent])


@reading(
    Phrases(
        en=(
            "list deployments",
            "what is deployed",
            "which deployments are there",
            "what are we serving",
            "show all deployments",
            "what is running in production",
            "are all deployments healthy",
            "which models are being served right now",
            "is everything up",
            "overview of the deployments",
        ),
        zh=(
            "列出所有部署",
            "现在部署了什么",
            "有哪些部署",
            "线上在跑哪些模型",
            "所有服务都正常吗",
            "看一下部署概况",
            "哪些服务在运行",
        ),
    )
)
def list_deployments(world: World) -> Finding:
    """List the deployments with version, ready replicas and health."""
    rows: list[Row] = []
    silent: list[str] = []
    for platform in world.platforms.all():
        try:
            rows += [_row(status) for status in platform.deployments()]
        except Unavailable as error:
            silent.append(f"{platform.name}: {error.en}")
    if silent and not rows:
        raise Unavailable("; ".join(silent))
    return DeploymentList(tuple(rows), tuple(silent), world.clock.now())


def _row(status: Status) -> Row:
    ready = [r.started_at for r in status.replicas if r.ready]
    return Row(
        status.ref,
        status.platform,
        status.release.model,
        status.release.version,
        status.ready,
        status.wanted,
        status.phase,
        status.message,
        min(ready, default=None),
    )

"""From a deployment or a version back to where it came from, and who said yes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tools.errors import BadArguments
from tools.models.naming import known
from tools.models.numbers import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.models.base import ModelVersion
    from tools.words import Lang
    from tools.world import ActionRow, World

_FAR = 5000
"""How many actions back are searched."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One version of the chain."""

    number: int
    technique: str
    accuracy: float | None
    created_at: datetime
    job: str | None
    data: str
    """sha256 of the training data, shortened."""
    code: str
    params: str
    digest: str
    action: int | None
    """Number of the action in the ledger."""
    requested_by: str
    approved_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """A version and its ancestors, newest first."""

    model: str
    deployment: str | None
    chain: tuple[Origin, ...]
    teacher: str | None = None

    def say(self, lang: Lang) -> str:
        """What it is and how it came about, one generation after the other."""
        first = self.chain[0]
        if lang == "zh":
            served = f"{self.deployment} 提供的是 " if self.deployment else ""
            head = f"{served}{self.model} 版本 {first.number}：{self._path()}。"
        else:
            served = f"{self.deployment} serves " if self.deployment else ""
            head = f"{served}{self.model} version {first.number}: {self._path()}."
        lines = [head]
        for origin in self.chain:
            lines += _zh(origin) if lang == "zh" else _en(origin)
        if self.teacher:
            lines.append(f"Teacher: {self.teacher}" if lang == "en" else f"教师：{self.teacher}")
        return "\n".join(lines)

    def _path(self) -> str:
        if len(self.chain) == 1:
            return self.chain[0].technique
        steps = " ← ".join(f"{o.number} {o.technique}" for o in self.chain[:5])
        return steps + (" ← …" if len(self.chain) > 5 else "")


def _en(origin: Origin) -> list[str]:
    when = origin.created_at.strftime("%Y-%m-%d %H:%M UTC")
    yes = ", ".join(origin.approved_by) or "not in the ledger"
    by = f"asked by {origin.requested_by}, " if origin.requested_by else ""
    action = f"action {origin.action}: " if origin.action is not None else ""
    return [
        f"  {origin.number}  {origin.technique}, accuracy {percent(origin.accuracy)}, {when}",
        f"     job {origin.job or 'none'}; {action}{by}approved by {yes}",
        f"     data {origin.data}, code {origin.code}, file {origin.digest}",
        f"     {origin.params}",
    ]


def _zh(origin: Origin) -> list[str]:
    when = origin.created_at.strftime("%Y-%m-%d %H:%M UTC")
    yes = "、".join(origin.approved_by) or "台账中无记录"
    by = f"{origin.requested_by} 提出，" if origin.requested_by else ""
    action = f"操作 {origin.action}：" if origin.action is not None else ""
    return [
        f"  {origin.number}  {origin.technique}，准确率 {percent(origin.accuracy)}，{when}",
        f"     任务 {origin.job or '无'}；{action}{by}批准人：{yes}",
        f"     数据 {origin.data}，代码 {origin.code}，文件 {origin.digest}",
        f"     {origin.params}",
    ]


def traced(world: World, model: str | None, ref: str | None, deployment: str | None) -> Lineage:
    """Follow parents to the first training; raises ``BadArguments`` when nothing is named."""
    if deployment is not None:
        platform, full = world.platforms.of(deployment)
        release = platform.status(full).release
        if release.model is None or release.version is None:
            raise BadArguments(
                f"{deployment} does not serve a registered model version.",
                f"{deployment} 提供的不是已注册的模型版本。",
            )
        model, ref, deployment = release.model, release.version, full
    if model is None:
        model = only_model(world)
    if model is None:
        raise BadArguments("Name a model or a deployment to trace.", "请给出要追溯的模型或部署。")
    name = known(world, model)
    actions = {row.id: row for row in world.actions.rows(limit=_FAR)}
    now: ModelVersion | None = world.registry.resolve(name, ref)
    teacher = now.lineage.get("teacher") if now else None
    chain: list[Origin] = []
    while now is not None:
        chain.append(_origin(now, actions))
        now = world.registry.resolve(name, str(now.parent)) if now.parent is not None else None
    return Lineage(name, deployment, tuple(chain), str(teacher) if teacher else None)


def only_model(world: World) -> str | None:
    """The one model there is; ``None`` where there are several."""
    names = {*world.fleet.models, *world.registry.models()}
    return names.pop() if len(names) == 1 else None


def _origin(version: ModelVersion, actions: Mapping[str, ActionRow]) -> Origin:
    row = actions.get(version.action_id or "")
    said, params = version.lineage, version.lineage.get("params")
    chosen = params if isinstance(params, dict) else {}
    shown = ("epochs", "lr", "batch_size", "seed", "width")
    return Origin(
        number=version.number,
        technique=version.technique,
        accuracy=version.metrics.get("accuracy"),
        created_at=version.created_at,
        job=version.job,
        data=str(said.get("data", "unknown"))[:12],
        code=str(said.get("code", "unknown"))[:12],
        params=", ".join(f"{name} {chosen[name]}" for name in shown if name in chosen),
        digest=version.digest[:12],
        action=row.number if row else None,
        requested_by=row.requested_by if row else "",
        approved_by=tuple(row.decided_by) if row else (),
    )

"""Jobs as findings: state first, then how far, then why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tools.amounts import ago, plural, span
from tools.models.numbers import percent
from tools.models.wording import STATES

if TYPE_CHECKING:
    from tools.models.base import JobStatus
    from tools.words import Lang

_IS = {
    "pending": "is pending",
    "running": "is running",
    "cancelled": "was cancelled",
    "lost": "is lost",
}
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class JobsFound:
    """Every job, newest first."""

    jobs: tuple[JobStatus, ...]
    at: datetime

    def say(self, lang: Lang) -> str:
        """How many run, then one line each."""
        if not self.jobs:
            return {"en": "There are no jobs yet.", "zh": "还没有任何任务。"}[lang]
        running = [j for j in self.jobs if j.state in ("running", "pending")]
        failed = [j for j in self.jobs if j.state in ("failed", "lost")]
        head = {
            "en": f"{len(running)} of {len(self.jobs)} jobs running, {len(failed)} failed or lost.",
            "zh": f"{len(self.jobs)} 个任务中 {len(running)} 个在运行，{len(failed)} 个失败或丢失。",
        }[lang]
        return "\n".join([head, *(f"  {line(j, self.at, lang)}" for j in self.jobs[:_SHOWN])])


def line(job: JobStatus, now: datetime, lang: Lang) -> str:
    """One job in one line."""
    state = job.state if lang == "en" else STATES[job.state]
    parts = [f"{job.name}: {state}"]
    if job.state == "running" and job.total_steps:
        parts.append(f"{job.step}/{job.total_steps}")
        if job.eta_seconds is not None:
            left = span(timedelta(seconds=job.eta_seconds), lang)
            parts.append(f"{left} left" if lang == "en" else f"剩余 {left}")
    if job.version is not None:
        parts.append(f"version {job.version}" if lang == "en" else f"版本 {job.version}")
    if (score := job.metrics.get("accuracy")) is not None:
        parts.append(percent(score))
    if job.cause:
        parts.append(job.cause)
    parts.append(ago(job.ended_at or job.created_at, now, lang))
    return ", ".join(parts) if lang == "en" else "，".join(parts)


@dataclass(frozen=True, slots=True)
class JobFound:
    """One job in full."""

    job: JobStatus
    at: datetime
    chart: Path | None = None

    def say(self, lang: Lang) -> str:
        """State, progress, loss, time left; then checkpoint, restarts, cause."""
        lines = self._zh() if lang == "zh" else self._en()
        if self.chart is not None:
            lines.append(("图：" if lang == "zh" else "Picture: ") + str(self.chart))
        return "\n".join(lines)

    def _en(self) -> list[str]:
        job = self.job
        lines = [f"{job.name} {_IS.get(job.state, job.state)}{self._progress('en')}."]
        if job.cause:
            lines.append(f"Cause: {job.cause}.")
        if job.version is not None:
            score = percent(job.metrics.get("accuracy"))
            lines.append(f"It registered {job.model} version {job.version}, test accuracy {score}.")
        if job.last_checkpoint_at:
            lines.append(f"Last checkpoint {ago(job.last_checkpoint_at, self.at)}.")
        count = plural(job.workers, "worker")
        lines.append(
            f"{count}, {plural(job.restarts, 'restart')}, created {ago(job.created_at, self.at)}."
        )
        return lines

    def _zh(self) -> list[str]:
        job = self.job
        lines = [f"{job.name} {STATES[job.state]}{self._progress('zh')}。"]
        if job.cause:
            lines.append(f"原因：{job.cause}。")
        if job.version is not None:
            score = percent(job.metrics.get("accuracy"))
            lines.append(f"已注册 {job.model} 版本 {job.version}，测试准确率 {score}。")
        if job.last_checkpoint_at:
            lines.append(f"上次检查点：{ago(job.last_checkpoint_at, self.at, 'zh')}。")
        created = ago(job.created_at, self.at, "zh")
        lines.append(f"{job.workers} 个进程，重启 {job.restarts} 次，创建于{created}。")
        return lines

    def _progress(self, lang: Lang) -> str:
        job, parts = self.job, list[str]()
        if job.total_steps:
            en, zh = f"step {job.step} of {job.total_steps}", f"第 {job.step}/{job.total_steps} 步"
            parts.append(en if lang == "en" else zh)
        if job.loss is not None:
            parts.append(f"loss {job.loss:.3g}")
        if (score := job.metrics.get("validation_accuracy")) is not None:
            name = "validation accuracy" if lang == "en" else "验证准确率"
            parts.append(f"{name} {percent(score)}")
        if job.eta_seconds is not None:
            left = span(timedelta(seconds=job.eta_seconds), lang)
            parts.append(f"{left} left" if lang == "en" else f"剩余 {left}")
        join = ", " if lang == "en" else "，"
        return (": " if lang == "en" else "：") + join.join(parts) if parts else ""

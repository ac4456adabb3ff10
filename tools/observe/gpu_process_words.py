"""Processes on GPUs in words."""

from __future__ import annotations

from dataclasses import dataclass

from tools.columns import clip
from tools.observe import wording as say
from tools.observe.readings import GpuProcess, Problem
from tools.words import Lang


@dataclass(frozen=True, slots=True)
class GpuProcessFinding:
    """Who uses the GPUs."""

    gpu: int | None
    problem: Problem | None
    processes: tuple[GpuProcess, ...]
    incomplete: str = ""
    gpus: tuple[int, ...] = ()

    def say(self, lang: Lang) -> str:
        """How many, then one line each."""
        zh = lang == "zh"
        if self.problem is not None and not self.processes:
            return self.problem.say(lang)
        where = "" if self.gpu is None else f" GPU {self.gpu}"
        if not self.processes:
            first = (
                f"{where or ' GPU'} 上没有进程。"
                if zh
                else f"Nothing runs on{where or ' the GPUs'}."
            )
            lines = [first.strip()]
        else:
            many, held = len(self.processes), sum(p.memory or 0 for p in self.processes)
            lines = [
                f"{where.strip() or 'GPU'} 上有 {many} 个进程，共占显存 {say.size(held)}："
                if zh
                else f"{many} process(es) on{where or ' the GPUs'} hold {say.size(held)}:"
            ]
        lines += [_process(p) for p in self.processes[:40]]
        if self.problem is not None:
            lines.append(self.problem.say(lang))
        if self.incomplete:
            lines.append(
                f"进程列表不完整：{self.incomplete}。"
                if zh
                else f"The list is incomplete: {self.incomplete}."
            )
        return say.fold(lines)


def _process(process: GpuProcess) -> str:
    memory = "N/A" if process.memory is None else say.size(process.memory)
    load = "" if process.sm_percent is None else f", SM {process.sm_percent} %"
    owner = f", {process.user}" if process.user else ""
    command = f": {process.command}" if process.command else ""
    line = f"GPU {process.gpu}: {process.name} ({process.pid}{owner}) {memory}{load}{command}"
    return clip(line)

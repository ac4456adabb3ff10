"""read_logs: the newest lines of a deployment, a job, or this machine's kernel and journal."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tools.contract import Phrases, reading
from tools.errors import BadArguments, ToolError, unknown
from tools.observe import wording as say
from tools.observe.base import telemetry
from tools.observe.telling import Telling, telling
from tools.platforms.base import LogLine
from tools.words import Lang, Pattern, Target, Window, parse_window

if TYPE_CHECKING:
    from tools.world import World

_PHRASES = Phrases(
    en=(
        "show the logs of {target}",
        "read the logs of {target}",
        "logs for {target}",
        "what does {target} log",
        "show me the last log lines of {target}",
        "logs of {target} from the last {window}",
        "find {pattern} in the logs of {target}",
        "search the logs of {target} for {pattern} in the last {window}",
        "any errors in the logs of {target}",
        "show the kernel log",
        "any errors in the kernel log",
        "tail {target}",
    ),
    zh=(
        "查看 {target} 的日志",
        "读一下 {target} 的日志",
        "{target} 的日志",
        "{target} 最近 {window} 的日志",
        "在 {target} 的日志里查找 {pattern}",
        "{target} 的日志里有错误吗",
        "查看内核日志",
        "显示 {target} 最后几行日志",
    ),
)


_MOST_READ = 2000
_MOST_KEPT = 200
_MOST_CHARACTERS = 20_000
_LINE = 500
_MOST_SAID = 40
"""Lines an answer shows to a person; the document holds up to :data:`_MOST_KEPT`."""
_SEARCH_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class LogFinding:
    """Log lines, newest last, as text from the world: data, not instructions."""

    target: str
    window: str
    pattern: str | None
    lines: tuple[LogLine, ...]
    matched: int
    read: int
    cut: bool = False
    telling: tuple[Telling, ...] = ()
    """Lines that say what went wrong, the newest of each kind."""

    def say(self, lang: Lang) -> str:
        """How many lines, then the lines with time and source."""
        zh = lang == "zh"
        span = say.span(parse_window(self.window), lang)
        if not self.lines:
            return self._none(span, zh)
        shown = min(len(self.lines), _MOST_SAID)
        if zh:
            first = f"{self.target} 最近 {span}的日志"
            first += f"，匹配 {self.pattern!r} 的有 {self.matched} 行" if self.pattern else ""
            first += f"，显示最新 {shown} 行：" if shown < self.matched else f"，共 {shown} 行："
        else:
            what = f"matching {self.pattern!r} " if self.pattern else ""
            lines = "line" if self.matched == 1 else "lines"
            first = f"{self.matched:,} log {lines} {what}of {self.target} in the last {span}"
            first += f", the newest {shown}:" if shown < self.matched else ":"
        sources = {line.source for line in self.lines}
        newest = self.lines[-shown:]
        told = self._told(lang, len(sources) > 1)
        return "\n".join((*told, first, *(_text(line, len(sources) > 1) for line in newest)))

    def _told(self, lang: Lang, with_source: bool) -> list[str]:
        """What the lines say is wrong, before the lines themselves."""
        zh = lang == "zh"
        if not self.telling:
            calm = (
                f"{self.read} 行中没有故障迹象。"
                if zh
                else (f"None of the {self.read:,} lines tells of trouble.")
            )
            return [] if self.pattern else [calm]
        lines = ["能说明问题的行：" if zh else "Lines that tell of trouble:"]
        for one in self.telling:
            times = f" (×{one.times})" if one.times > 1 else ""
            lines.append(f"- {_text(one.line, with_source)[:240]}{times}")
            lines.append(f"  {one.zh if zh else one.en}")
        return lines

    def _none(self, span: str, zh: bool) -> str:
        if self.pattern and self.read:
            return (
                f"{self.target} 最近 {span}的 {self.read} 行日志中没有匹配 {self.pattern!r} 的内容。"
                if zh
                else f"None of the {self.read} log lines of {self.target} in the last {span} "
                f"matches {self.pattern!r}."
            )
        return (
            f"{self.target} 最近 {span}没有日志。"
            if zh
            else f"{self.target} logged nothing in the last {span}."
        )


def _text(line: LogLine, with_source: bool) -> str:
    at = f"{line.at:%H:%M:%S} " if line.at is not None else ""
    source = f"[{line.source}] " if with_source else ""
    return f"{at}{source}{line.text}"


@reading(_PHRASES)
def read_logs(
    world: World, target: Target, window: Window = "1h", pattern: Pattern | None = None
) -> LogFinding:
    """Newest log lines of a deployment, a job, or this machine (host, kernel), filtered."""
    wanted = _compiled(pattern)
    span = parse_window(window)
    start = world.clock.now() - span
    lines = [x for x in _lines(world, target, span) if x.at is None or x.at >= start]
    clean = [LogLine(x.at, say.clean(x.source, 60), say.clean(x.text, _LINE)) for x in lines]
    matching = clean if wanted is None else _matching(clean, wanted)
    kept = _fitting(matching)
    cut = len(kept) < len(matching)
    return LogFinding(
        target, window, pattern, kept, len(matching), len(lines), cut, telling(matching)
    )


def _matching(lines: Sequence[LogLine], wanted: re.Pattern[str]) -> list[LogLine]:
    found: list[LogLine] = []
    end = time.monotonic() + _SEARCH_SECONDS
    for line in reversed(lines):
        if wanted.search(line.text):
            found.append(line)
        if time.monotonic() > end:
            break  # a costly pattern answers for the newest lines
    return found[::-1]


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    if not pattern:
        return None
    if _DANGEROUS.search(pattern):
        raise BadArguments(
            f"The pattern {pattern!r} nests repetitions, which may never end; use a simpler one.",
            f"模式 {pattern!r} 含嵌套重复，可能永不结束；请使用更简单的模式。",
        )
    if len(_UNBOUNDED.findall(pattern)) > _MOST_UNBOUNDED:
        raise BadArguments(
            f"The pattern {pattern!r} has too many repetitions (* or +); use at most "
            f"{_MOST_UNBOUNDED}.",
            f"模式 {pattern!r} 的重复（* 或 +）太多；最多 {_MOST_UNBOUNDED} 个。",
        )
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise BadArguments(
            f"The pattern {pattern!r} is no regular expression: {error.msg} at {error.pos}.",
            f"模式 {pattern!r} 不是合法的正则表达式：第 {error.pos} 个字符处 {error.msg}。",
        ) from None


_MOST_UNBOUNDED = 3
_UNBOUNDED = re.compile(r"(?<!\\)[*+]|\{\d*,\}")
_DANGEROUS = re.compile(r"\([^()]*[+*}][^()]*\)\s*[+*{]|\([^()]*\|[^()]*\)\s*[+*{]")
"""A repeated group that itself repeats or branches may take exponential time."""


def _lines(world: World, target: str, span: timedelta) -> Sequence[LogLine]:
    if target in ("host", "kernel", "dmesg", "journal"):
        return telemetry(world).kernel_log(span)
    if target.startswith("gpu:"):
        return [x for x in telemetry(world).kernel_log(span) if "NVRM" in x.text]
    jobs = _jobs(world)
    if target in jobs:
        return world.jobs.logs(target, limit=_MOST_READ)
    try:
        platform, ref = world.platforms.of(target)
    except BadArguments as error:
        if "several" in error.en or not jobs:
            raise
        raise _nowhere(world, target, jobs) from None
    return platform.logs(ref, since=span, limit=_MOST_READ)


def _jobs(world: World) -> tuple[str, ...]:
    try:
        return tuple(job.name for job in world.jobs.list())
    except ToolError:
        return ()


def _nowhere(world: World, target: str, jobs: Sequence[str]) -> BadArguments:
    names = ["host", "kernel", *jobs]
    for platform in world.platforms.all():
        try:
            names += [status.ref for status in platform.deployments()]
        except ToolError:
            continue
    return unknown("deployment or job", target, names, "部署或任务")


def _fitting(lines: Sequence[LogLine]) -> tuple[LogLine, ...]:
    kept: list[LogLine] = []
    left = _MOST_CHARACTERS
    for line in reversed(lines[-_MOST_KEPT:]):
        left -= len(line.text) + 20
        if left < 0:
            break
        kept.append(line)
    return tuple(reversed(kept))

"""Logs of the target, and the kernel's: read as signatures, first error first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from tools.alerts.collect.base import WINDOW, Collected, Subject
from tools.alerts.collect.cgroups import Groups, of_others, pid_of
from tools.alerts.facts import Fact
from tools.alerts.signatures.base import Role, Signature
from tools.alerts.signatures.reading import LogReader, Reading
from tools.errors import BadArguments, ToolError
from tools.observe.base import telemetry
from tools.platforms.base import LogLine

if TYPE_CHECKING:
    from tools.world import World

_MOST = 2000
_VICTIM = re.compile(
    r"\btask=([^,\s]+),pid=|Kill(?:ed)? process \d+ \(([^)]+)\)|^(\S+) invoked oom-killer"
)
_OURS = (
    "python",
    "pt_",
    "torchrun",
    "ray::",
    "vllm",
    "trainer",
    "uvicorn",
    "gunicorn",
    "tritonserver",
)
"""Names under which jobs and model servers run."""
_ZH = {"job": "任务 ", "deployment": "部署 "}
_DATA_TIME = re.compile(
    r"\b(?:data(?:[_ ]?(?:time|wait|load\w*))?(?:_s(?:econds)?)?)['\"]?\s*[:=]\s*(\d+\.\d+)",
    re.IGNORECASE,
)
"""``data_time: 0.31`` and its like, as mmengine, torchvision, timm and detectron2 print it."""
_STEP_TIME = re.compile(
    r"(?<!data_)(?<!data )\b(?:(?:step|batch|iter)?[_ ]?time(?:_s(?:econds)?)?)['\"]?\s*[:=]\s*(\d+\.\d+)",
    re.IGNORECASE,
)


def logs(world: World, subject: Subject) -> Collected:
    """The deployment's replicas (also those that are gone), or the job's ranks."""
    found = Collected(looked=("log", "seen", "rank.suspect"))
    if subject.job:
        said = list(world.jobs.logs(subject.job, limit=_MOST))
        _read(found, said, f"job {subject.job}")
        found.looked += ("job.data_wait",)
        found.facts += data_wait(said, f"job {subject.job}")
    elif subject.deployment:
        platform, ref = world.platforms.of(subject.deployment)
        lines = list(platform.logs(ref, since=WINDOW, limit=_MOST))
        try:
            lines = [*platform.logs(ref, since=WINDOW, limit=_MOST, previous=True), *lines]
        except ToolError as error:
            found.gap(f"logs of earlier replicas: {error.en}", f"之前副本的日志：{error.zh}")
        _read(found, lines, f"deployment {ref}")
    else:
        raise BadArguments("it has no logs of its own", "没有自己的日志")
    return found


def data_wait(lines: Sequence[LogLine], who: str) -> list[Fact]:
    """The share of a step that its own log says was spent waiting for data, at the end of it."""
    shares: list[float] = []
    for line in lines[-400:]:
        data, step = _DATA_TIME.search(line.text), _STEP_TIME.search(line.text)
        if data and step and 0 < float(data[1]) <= float(step[1]):
            shares.append(float(data[1]) / float(step[1]))
    if len(shares) < 3:
        return []
    share = median(shares[-20:])
    quote = f"{share:.0%} of a step is waiting for data, by its own log"
    zh = f"日志显示每步 {share:.0%} 的时间在等待数据"
    return [Fact("job.data_wait", share, quote, who, lines[-1].at, quote_zh=zh)]


def _read(found: Collected, lines: Sequence[LogLine], what: str) -> None:
    reading = reading_of(lines)
    found.note(
        f"{reading.lines} log lines of {what}: {_summary(reading)}",
        f"{_ZH.get(what.split()[0], '')}{what.partition(' ')[2]} 的 {reading.lines} 行日志：{_summary_zh(reading)}",
    )
    if reading.root is not None and (reading.certain or reading.root.role is not Role.ROOT):
        found.facts.append(_fact("log", reading.root, reading))
        found.began = reading.root.line.at
    for category in dict.fromkeys(s.category for s in reading.signatures):
        first = next(s for s in reading.signatures if s.category == category)
        found.facts.append(_fact("seen", first, reading))
    found.facts += [_fact("xid", s, reading) for s in reading.signatures if s.category == "xid"]
    for rank in reading.ranks.suspects[:8]:
        said = f"rank {rank} did not take part in {reading.ranks.operation or 'the collective'}"
        found.facts.append(Fact("rank.suspect", str(rank), said, what))


def reading_of(lines: Iterable[LogLine]) -> Reading:
    """Read platform log lines: their own time and source come first."""
    reader = LogReader()
    for line in lines:
        stamp = f"{line.at.isoformat()} " if line.at is not None else ""
        reader.add([stamp + line.text], line.source)
    return reader.reading()


def _fact(name: str, signature: Signature, reading: Reading) -> Fact:
    value: str | float = signature.category
    if name in ("xid", "sxid") and signature.code is not None:
        value = float(signature.code)
    times = reading.counts.get(signature.key, 1)
    more = f" (×{times})" if times > 1 else ""
    line = signature.line
    strength = 0.5 if signature.weak else 1.0
    return Fact(
        name,
        value,
        signature.quote + more,
        line.source or "log",
        line.at,
        signature.device or "",
        strength=strength,
    )


def _summary(reading: Reading) -> str:
    if reading.root is None:
        return "no error found"
    return f"first error {reading.root.key}" + ("" if reading.certain else " (uncertain)")


def _summary_zh(reading: Reading) -> str:
    if reading.root is None:
        return "没有发现错误"
    return f"首个错误 {reading.root.key}" + ("" if reading.certain else "（不确定）")


def kernel_log(world: World, subject: Subject) -> Collected:
    """XIDs and other roots in this machine's kernel log of the last two hours."""
    if not subject.local:
        where = subject.node or subject.name
        raise BadArguments(
            f"that of {where} cannot be read from here; look there with journalctl -k",
            f"{where} 的内核日志无法从本机读取，请在该节点用 journalctl -k 查看",
        )
    found = Collected(looked=("kernel", "xid", "sxid"))
    reading = reading_of(_of_its_life(world, subject, telemetry(world).kernel_log(WINDOW)))
    strangers = _strangers(reading, subject)
    roots = [s for s in reading.signatures if s.role is Role.ROOT]
    for signature in roots:
        if subject.gpu and not subject.gpu.isdigit() and _elsewhere(signature, subject.gpu):
            continue
        name = signature.category if signature.category in ("xid", "sxid") else "kernel"
        fact = _fact(name, signature, reading)
        found.facts.append(replace(fact, strength=0.1) if signature in strangers else fact)
    if reading.root is not None and reading.root in roots and reading.root not in strangers:
        found.began = reading.root.line.at
    found.facts += [
        _fact("seen", s, reading)
        for s in reading.signatures
        if s.category not in ("xid", "sxid") and s not in strangers
    ]
    count = len(roots)
    found.note(
        f"{reading.lines} kernel lines of the last 2 h: "
        + (f"{count} that matter" if count else "none that matters"),
        f"最近 2 小时 {reading.lines} 行内核日志：" + (f"{count} 行相关" if count else "无异常"),
    )
    return found


def _of_its_life(world: World, subject: Subject, lines: Sequence[LogLine]) -> Sequence[LogLine]:
    """What the kernel said before a job was started cannot have ended it."""
    if not subject.job:
        return lines
    started = world.jobs.status(subject.job).started_at
    return [x for x in lines if started is None or x.at is None or x.at >= started]


def _strangers(reading: Reading, subject: Subject) -> list[Signature]:
    """OOM kills of other programs or in other containers, with their call traces."""
    if not (subject.job or subject.deployment):
        return []
    kills = [s for s in reading.signatures if s.category == "host_oom"]
    others = of_others((s.line.body for s in kills), Groups.here())
    killed = {pid_of(s.line.body) for s in kills} - {""}
    names = {
        id(s): "" if _is_of(others, killed, s) else next((g for g in v.groups() if g), "")
        for s in kills
        if (v := _VICTIM.search(s.line.body))
    }
    ours = any(name.startswith(_OURS) for name in names.values())
    return [
        s
        for s in kills
        if names and not names.get(id(s), "python" if ours else "").startswith(_OURS)
    ]


def _is_of(others: AbstractSet[str], killed: AbstractSet[str], signature: Signature) -> bool:
    """Whether a line tells of others' kills; one that names no victim does when all are others'."""
    pid = pid_of(signature.line.body)
    return pid in others if pid else bool(others) and killed <= others


def _elsewhere(signature: Signature, gpu: str) -> bool:
    device = signature.device
    return device is not None and ":" in gpu and device not in gpu.lower()

"""Run collectors side by side, each with the same deadline; a hung one is left behind."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from tools.alerts.collect.base import Collected, Collector, Subject
from tools.alerts.facts import Facts
from tools.alerts.xids import Words
from tools.errors import ToolError

if TYPE_CHECKING:
    from tools.contract import Json
    from tools.world import World

DEADLINE = 12.0
"""Seconds for all of them together."""

LABELS: Mapping[str, Words] = {
    "alert": Words("the alert", "告警"),
    "alerts": Words("other alerts", "其他告警"),
    "changes": Words("recent changes", "近期变更"),
    "deployment": Words("the deployment's state", "部署状态"),
    "events": Words("platform events", "平台事件"),
    "gpu": Words("the GPUs", "GPU"),
    "history": Words("earlier incidents", "历史事件"),
    "host": Words("this machine", "本机"),
    "job": Words("the job's state", "任务状态"),
    "kernel_log": Words("the kernel log", "内核日志"),
    "logs": Words("the logs", "日志"),
    "metrics": Words("metrics", "指标"),
    "node": Words("the cluster's nodes", "集群节点"),
    "services": Words("the services it calls", "所依赖的服务"),
    "siblings": Words("its siblings", "同类对象"),
}


@dataclass(slots=True)
class Gathered:
    """Everything that was collected in time."""

    facts: Facts = field(default_factory=Facts)
    checked: list[Words] = field(default_factory=list[Words])
    missing: list[Words] = field(default_factory=list[Words])
    context: dict[str, Json] = field(default_factory=dict[str, "Json"])
    began: datetime | None = None

    def take(self, collected: Collected) -> None:
        """Add one source."""
        for fact in collected.facts:
            self.facts.add(fact)
        self.facts.looked.update(collected.looked)
        self.checked += collected.checked
        self.missing += collected.missing
        self.context |= collected.context
        if collected.began and (self.began is None or collected.began < self.began):
            self.began = collected.began


def gather(world: World, subject: Subject, collectors: Sequence[tuple[str, Collector]]) -> Gathered:
    """Run them all; what fails or takes too long is listed with its reason."""
    results: queue.SimpleQueue[tuple[int, Collected | Words]] = queue.SimpleQueue()
    for position, (_, collect) in enumerate(collectors):
        threading.Thread(
            target=_one,
            args=(results, position, collect, world, subject),
            daemon=True,  # one that hangs in a dead file system must not keep the process alive
        ).start()
    answers: dict[int, Collected | Words] = {}
    deadline = time.monotonic() + DEADLINE
    while len(answers) < len(collectors):
        try:
            left = max(0.0, deadline - time.monotonic())
            position, answer = results.get(timeout=left)
        except queue.Empty:
            break
        answers[position] = answer
    return _together(collectors, answers)


def _together(
    collectors: Sequence[tuple[str, Collector]], answers: Mapping[int, Collected | Words]
) -> Gathered:
    gathered = Gathered()
    for position, (name, _) in enumerate(collectors):  # in declared order: answers are repeatable
        answer = answers.get(position)
        label = LABELS[name]
        if answer is None:
            en = f"{label.en}: no answer within {DEADLINE:.0f} s"
            gathered.missing.append(Words(en, f"{label.zh}：{DEADLINE:.0f} 秒内无应答"))
        elif isinstance(answer, Words):
            gathered.missing.append(Words(f"{label.en}: {answer.en}", f"{label.zh}：{answer.zh}"))
        else:
            gathered.take(answer)
    return gathered


def _one(
    results: queue.SimpleQueue[tuple[int, Collected | Words]],
    position: int,
    collect: Collector,
    world: World,
    subject: Subject,
) -> None:
    try:
        results.put((position, collect(world, subject)))
    except ToolError as error:
        results.put((position, Words(error.en.rstrip("."), error.zh.rstrip("。"))))
    except Exception as error:  # noqa: BLE001 - one broken source must not hide the others
        kind = type(error).__name__
        results.put(
            (position, Words(f"failed inside Steward ({kind}: {error})", f"内部错误（{kind}）"))
        )

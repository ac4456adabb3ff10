"""Collecting all parts at once, each with its own fate: a slow or broken one never hides another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.errors import ToolError
from tools.summary.part import Missing, Part
from tools.words import Said


@dataclass(frozen=True, slots=True)
class Task:
    """A part to collect. ``collect`` answers ``None`` where there is nothing to report on."""

    name: str
    title: Said
    collect: Callable[[], Part | None]


def gather(tasks: Sequence[Task], seconds: float) -> tuple[tuple[Part, ...], tuple[Missing, ...]]:
    """Run all tasks in threads of their own and wait at most ``seconds`` for them together."""
    found: dict[str, Part | Missing | None] = {}

    def run(task: Task) -> None:
        found[task.name] = _collect(task)

    threads = [threading.Thread(target=run, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = Said(f"it did not answer within {seconds:g} s", f"{seconds:g} 秒内没有应答")
    results = [found.get(t.name, Missing(t.name, t.title, late)) for t in tasks]
    parts = tuple(r for r in results if isinstance(r, Part))
    return parts, tuple(r for r in results if isinstance(r, Missing))


def _collect(task: Task) -> Part | Missing | None:
    try:
        return task.collect()
    except ToolError as error:
        return Missing(task.name, task.title, Said(error.en, error.zh))
    except Exception as error:  # noqa: BLE001  one broken part must not take the report with it
        said = type(error).__name__
        return Missing(
            task.name, task.title, Said(f"the look broke ({said})", f"查询出错（{said}）")
        )

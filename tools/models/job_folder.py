"""The folder of one job, and the only way its files are written: whole, or not at all.

``spec.json`` what to do · ``supervisor.json`` who runs it · ``progress.jsonl`` how far it is ·
``checkpoint.pt`` where to continue · ``output/`` what it made, complete when ``manifest.json`` is
there · ``cancel.json`` somebody wants it to stop · ``failure-*.json`` why a process ended ·
``result.json`` how it ended. A reader may look at any moment, after any crash.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast


@dataclass(frozen=True, slots=True)
class JobFolder:
    """Paths and records of one job."""

    root: Path

    @property
    def spec(self) -> Path:
        """What was asked for."""
        return self.root / "spec.json"

    @property
    def supervisor(self) -> Path:
        """Pid and start time of the process that runs the job."""
        return self.root / "supervisor.json"

    @property
    def progress(self) -> Path:
        """One JSON object a line: starts, steps, checkpoints."""
        return self.root / "progress.jsonl"

    @property
    def checkpoint(self) -> Path:
        """The newest complete checkpoint."""
        return self.root / "checkpoint.pt"

    @property
    def output(self) -> Path:
        """Where the work leaves its files."""
        return self.root / "output"

    @property
    def manifest(self) -> Path:
        """What the output is; present only when the output is complete."""
        return self.output / "manifest.json"

    @property
    def cancel(self) -> Path:
        """The wish to stop."""
        return self.root / "cancel.json"

    @property
    def result(self) -> Path:
        """How it ended."""
        return self.root / "result.json"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.root / "logs"

    def phase(self, rank: int) -> Path:
        """What a rank does right now: ``load 41`` or ``compute 41``."""
        return self.root / f"phase-{rank}"

    def failures(self) -> list[dict[str, Any]]:
        """What processes of this attempt died of, first error first."""
        found = [read(file) for file in self.root.glob("failure-*.json")]
        return sorted((f for f in found if f), key=lambda f: float(f.get("at", 0)))

    def events(self) -> list[dict[str, Any]]:
        """The newest progress records, oldest first (the last 128 KiB of the file)."""
        return list(_lines(self.progress))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    try:
        with file.open("rb") as opened:
            opened.seek(0, os.SEEK_END)
            start = max(0, opened.tell() - 131072)
            opened.seek(start)
            lines = opened.read().splitlines()
    except OSError:
        return
    for line in lines[1:] if start else lines:
        with suppress(ValueError):  # the last line may be half written
            value: object = json.loads(line)
            if isinstance(value, dict):
                yield cast("dict[str, Any]", value)


def write(file: Path, value: Mapping[str, Any]) -> None:
    """Write JSON so that a reader sees the old file or the new one, also after a power cut."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as opened:
        opened.write(json.dumps(value, ensure_ascii=False, default=_plain).encode())


@contextmanager
def replacing(file: Path) -> Generator[BinaryIO]:
    """A file to write, which takes the place of ``file`` once it is whole and on the disk."""
    temporary = file.with_name(f".{file.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        temporary.replace(file)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    """numpy's numbers as Python's; everything else unknown as text."""
    item = getattr(value, "item", None)
    return item() if callable(item) else str(value)


def read(file: Path) -> dict[str, Any]:
    """The JSON object in ``file``; empty when it is not there (yet)."""
    try:
        value: object = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}

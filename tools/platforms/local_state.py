"""Where a deployment on this machine keeps what is wanted and what is there.

``desired.json`` is written by whoever edits, under a lock; ``observed.json`` by the keeper alone.
Both are replaced whole, so that a kill or a power cut leaves the old one or the new one.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar, cast

from tools.errors import Refused, Unavailable
from tools.platforms.base import Release
from tools.platforms.local_records import (
    Desired,
    EditRow,
    EventRow,
    Observed,
    ReplicaRow,
    RevisionRow,
    Strategy,
)

T = TypeVar("T")


class Folder:
    """Where one deployment's files are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.desired_file = path / "desired.json"
        self.observed_file = path / "observed.json"
        self.logs = path / "logs"
        self.run = path / "run"

    def create(self) -> None:
        """Make the folder, private to its owner."""
        try:
            for folder in (self.path, self.logs, self.run):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Unavailable(
                f"The state of this deployment cannot be kept in {self.path}: {error.strerror}."
            ) from None

    def desired(self) -> Desired | None:
        """What is wanted, or ``None`` when nothing was ever rolled out."""
        return _read(self.desired_file, Desired)

    def observed(self) -> Observed:
        """What the keeper saw last."""
        return _read(self.observed_file, Observed) or Observed()

    def write_desired(self, value: Desired) -> None:
        """Replace what is wanted; only inside :meth:`locked`."""
        _write(self.desired_file, value, sync=True)

    def write_observed(self, value: Observed) -> None:
        """Replace what is seen; the keeper alone."""
        _write(self.observed_file, value, sync=False)

    @contextmanager
    def locked(self, patience: float = 3.0) -> Generator[None]:
        """Hold the right to edit; raises ``Refused`` when another process keeps it."""
        with (self.path / "edit.lock").open("w") as handle:
            deadline = time.monotonic() + patience
            while not take(handle.fileno()):
                if time.monotonic() > deadline:
                    raise Refused(
                        f"Another Steward is changing {self.path.name} right now; try again.",
                        f"另一个 Steward 正在修改 {self.path.name}；请稍后再试。",
                    )
                time.sleep(0.02)
            yield


def take(fd: int) -> bool:
    """Take the exclusive lock of an open file; released when the process ends, however it ends."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(path: Path, value: Any, *, sync: bool) -> None:
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as handle:
            json.dump(asdict(value), handle)
            if sync:
                handle.flush()
                os.fsync(handle.fileno())
        part.replace(path)
        if sync:
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Unavailable(f"{path} cannot be written: {error.strerror}.") from None


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        raw: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Unavailable(f"{path} cannot be read ({error}); move it away to start anew.") from None
    return _build(kind, raw)


_NESTED: dict[str, Any] = {
    "revisions": RevisionRow,
    "edits": EditRow,
    "replicas": ReplicaRow,
    "events": EventRow,
    "release": Release,
    "strategy": Strategy,
}


def _build(kind: Any, raw: Mapping[str, Any]) -> Any:
    """A dataclass from its JSON; fields a newer version wrote are ignored."""
    known = {f.name for f in fields(kind)}
    values: dict[str, Any] = {}
    for name, value in raw.items():
        if name not in known:
            continue
        inner = _NESTED.get(name)
        if isinstance(value, dict) and inner is not None:
            values[name] = _build(inner, cast("dict[str, Any]", value))
        elif isinstance(value, list):
            items = cast("list[Any]", value)
            values[name] = tuple(_build(inner, i) if inner is not None else i for i in items)
        else:
            values[name] = value
    return kind(**values)

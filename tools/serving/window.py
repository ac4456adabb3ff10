"""What a model was asked lately: a sample of serving inputs and answers, kept for drift checks.

Each server keeps a uniform sample (reservoir, Vitter 1985) of the rows it answered and writes it
away once a minute, the first time after seconds. A request pays microseconds; memory, files and
the folder are bounded whatever the traffic; a full disk costs the sample, never an answer.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# numpy's own annotations leave element types open.
from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    import numpy as np

ROWS = 256
"""Rows of one file at most: what a minute of traffic is represented by."""
FILE = 4 * 2**20
"""Bytes of one file's rows at most, before compression: large inputs are sampled more thinly."""
FOLDER = 128 * 2**20
"""Bytes a model's folder may hold; the oldest files go first."""
FIRST, EVERY = 3.0, 60.0
"""Seconds from the first row to the first file, and between files after it."""
MOST = 5000
"""Rows a reader takes from a window, evenly over its files."""


def folder_of(home: Path, model: str) -> Path:
    """Where the windows of a model are."""
    return home / "windows" / model.replace("/", "_")


class Window:
    """The recorder of one server process, for one version. Thread-safe."""

    def __init__(self, folder: Path, version: str) -> None:
        import numpy

        self._folder = folder
        self._version = version
        self._random: Any = numpy.random.default_rng()
        self._lock = Lock()
        self._rows: list[tuple[np.ndarray, np.ndarray]] = []
        self._seen = 0
        self._some, self._leave = Event(), Event()
        self._writer = Thread(target=self._write_on, name="window", daemon=True)
        self._writer.start()

    def observe(self, inputs: np.ndarray, outputs: np.ndarray) -> None:
        """Keep some of the rows of a batch. ``inputs`` and ``outputs`` have a row per example."""
        if len(inputs) != len(outputs) or not len(inputs):
            return
        size = max(4, min(ROWS, FILE // max(1, inputs[0].nbytes + outputs[0].nbytes)))
        with self._lock:
            first = self._seen
            self._seen += len(inputs)
            # Row t of the stream takes one of t + 1 places; only those below ``size`` exist.
            places = self._random.integers(0, range(first + 1, self._seen + 1))
            for index, place in enumerate(places):
                if first + index < size:
                    self._rows.append((inputs[index].copy(), outputs[index].copy()))
                elif place < size:
                    self._rows[place] = (inputs[index].copy(), outputs[index].copy())
        self._some.set()

    def close(self) -> None:
        """Write what is held and stop; called when the server leaves."""
        self._leave.set()
        self._some.set()
        self._writer.join(5)

    def _write_on(self) -> None:
        wait = FIRST
        while not self._leave.is_set():
            self._some.wait()
            self._leave.wait(wait)
            self._some.clear()
            self.flush()
            wait = EVERY

    def flush(self) -> None:
        """Write what is held."""
        with self._lock:
            rows, seen = self._rows, self._seen
            self._rows, self._seen = [], 0
        if rows:
            with suppress(OSError):  # a window is a sample: a full disk must not stop a server
                self._write(rows, seen)
                _forget(self._folder)

    def _write(self, rows: list[tuple[np.ndarray, np.ndarray]], seen: int) -> None:
        import numpy as np

        name = f"{time.time():.3f}-{os.getpid()}-{quote(self._version, safe='')}"
        temporary = self._folder / f".{name}.tmp"
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with temporary.open("xb") as opened:
                np.savez_compressed(
                    opened,
                    inputs=np.stack([row for row, _ in rows]),
                    outputs=np.stack([row for _, row in rows]),
                    seen=np.int64(seen),
                )
            temporary.replace(self._folder / f"{name}.npz")
        finally:
            temporary.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    at: float
    version: str


def _files(folder: Path) -> list[_File]:
    found: list[_File] = []
    for path in folder.glob("[0-9]*.npz"):
        at, _, version = path.stem.split("-", 2) if path.stem.count("-") >= 2 else ("", "", "")
        with suppress(ValueError):
            found.append(_File(path, float(at), unquote(version)))
    return sorted(found, key=lambda file: file.at)


def _forget(folder: Path) -> None:
    """Remove the oldest files until the folder is within its bound."""
    files = _files(folder)
    sizes: list[int] = []
    for file in files:
        with suppress(OSError):
            sizes.append(file.path.stat().st_size)
    left = sum(sizes)
    for file, size in zip(files, sizes, strict=False):
        if left <= FOLDER:
            return
        file.path.unlink(missing_ok=True)
        left -= size


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded of one version in a window."""

    version: str
    inputs: np.ndarray
    outputs: np.ndarray
    seen: int
    """Rows that were answered, of which ``inputs`` is a sample."""
    first: float
    """Seconds since the epoch at which the first and the last file were written."""
    last: float


def recorded_version(folder: Path, since: float) -> str | None:
    """The version that wrote most files since then; ``None`` without any."""
    from collections import Counter

    counted = Counter(file.version for file in _files(folder) if file.at >= since)
    return counted.most_common(1)[0][0] if counted else None


def recorded(folder: Path, since: float, version: str) -> Recorded | None:
    """Rows of one version since then, at most :data:`MOST`; ``None`` without any."""
    import numpy as np

    chosen = [f for f in _files(folder) if f.at >= since and f.version == version]
    each = max(8, MOST // max(1, len(chosen)))
    inputs: list[Any] = []
    outputs: list[Any] = []
    seen = 0
    for file in chosen:
        with (
            suppress(OSError, ValueError, KeyError),
            np.load(file.path, allow_pickle=False) as held,
        ):
            took = np.unique(np.linspace(0, len(held["inputs"]) - 1, each).astype(int))
            got, said = held["inputs"][took], held["outputs"][took]
            if not inputs or got.shape[1:] == inputs[0].shape[1:]:
                inputs.append(got)
                outputs.append(said)
                seen += int(held["seen"])
    if not inputs:
        return None
    first, last = chosen[0].at, chosen[-1].at
    return Recorded(version, np.concatenate(inputs), np.concatenate(outputs), seen, first, last)

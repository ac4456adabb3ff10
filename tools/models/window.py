"""What a model was asked lately: a sample of serving inputs and outputs, kept for drift checks.

A server calls :meth:`Window.observe` with every batch; at most :data:`RATE` rows a second are
kept, in small compressed files that a crash cannot spoil. Files older than :data:`KEPT` go.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# numpy's and torch's own annotations leave element types open.
from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

RATE = 20.0
"""Rows a second at most."""
KEPT = 8 * 86400.0
"""Seconds a file is kept."""
_FULL = 64
_LATE = 5.0


def folder_of(home: Path, model: str) -> Path:
    """Where the windows of a model are."""
    return home / "windows" / model.replace("/", "_")


class Window:
    """The recorder of one server process. Not thread-safe; call it under the server's own lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._inputs: list[np.ndarray] = []
        self._outputs: list[np.ndarray] = []
        self._rows = 0
        self._budget = RATE
        self._seen = self._written = time.monotonic()

    def observe(self, inputs: np.ndarray, outputs: np.ndarray) -> None:
        """Keep some of a batch; writes a file now and then. Never raises for a full disk."""
        now = time.monotonic()
        self._budget = min(2 * RATE, self._budget + (now - self._seen) * RATE)
        self._seen = now
        take = min(len(inputs), int(self._budget))
        if take:
            self._budget -= take
            self._inputs.append(inputs[:take].copy())
            self._outputs.append(outputs[:take].copy())
            self._rows += take
        if self._rows >= _FULL or (self._rows and now - self._written > _LATE):
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if not self._rows:
            return
        import numpy as np

        name = f"{time.time():.3f}-{os.getpid()}"
        temporary = self._folder / f".{name}.tmp"
        with suppress(OSError):  # a window is a sample: a full disk must not fail a request
            self._folder.mkdir(parents=True, exist_ok=True)
            with temporary.open("xb") as opened:
                np.savez_compressed(
                    opened,
                    inputs=np.concatenate(self._inputs),
                    outputs=np.concatenate(self._outputs),
                )
            temporary.replace(self._folder / f"{name}.npz")
            self._forget()
        self._inputs, self._outputs, self._rows = [], [], 0
        self._written = time.monotonic()

    def _forget(self) -> None:
        for file, at in _files(self._folder):
            if time.time() - at > KEPT:
                file.unlink(missing_ok=True)


def _files(folder: Path) -> list[tuple[Path, float]]:
    found: list[tuple[Path, float]] = []
    for file in folder.glob("[0-9]*.npz"):
        with suppress(ValueError):
            found.append((file, float(file.name.split("-")[0])))
    return sorted(found, key=lambda pair: pair[1])


def recorded(folder: Path, since: float) -> dict[str, Any] | None:
    """Inputs, outputs and the time of the first and last file since then; ``None`` without any."""
    import numpy as np

    chosen = [(file, at) for file, at in _files(folder) if at >= since]
    inputs: list[Any] = []
    outputs: list[Any] = []
    for file, _ in chosen:
        with suppress(OSError, ValueError, KeyError), np.load(file, allow_pickle=False) as held:
            got, said = held["inputs"], held["outputs"]
            if not inputs or got.shape[1:] == inputs[0].shape[1:]:
                inputs.append(got)
                outputs.append(said)
    if not inputs:
        return None
    return {
        "inputs": np.concatenate(inputs),
        "outputs": np.concatenate(outputs),
        "first": chosen[0][1],
        "last": chosen[-1][1],
    }

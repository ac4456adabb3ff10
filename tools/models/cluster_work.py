"""The work of a job on a cluster: an Indexed Job where torchrun would be started on this machine.

The supervisor stays here. It creates the Job once per action, follows it, and registers what the
job's folder holds in the end, exactly as for a job of this machine. Killed and started again it
finds the Job by its name and goes on following.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from tools.errors import ToolError, Unavailable
from tools.models.cluster_place import Place, place_in
from tools.models.job_folder import JobFolder, read, write

POLL = 2.0
"""Seconds between two looks at the cluster."""
GRACE = 20.0
"""Seconds a cancelled job has to stop at a step by itself; its workers see the wish through the folder."""
HOPELESS = 300.0
"""Seconds that workers may be kept from running by a cause that does not pass by waiting."""
SETTLING = 20.0
"""Seconds that files of a finished worker may take to be seen through the shared storage."""
_WAITS = ("no capacity", "quota")
"""Causes that pass when somebody else ends: the job waits for its place."""


def prepare(folder: JobFolder, home: Path, params: Mapping[str, Any]) -> dict[str, Any]:
    """Make the job's folder on the shared storage, with the code and the versions it reads.

    Returns the parameters with every path under that folder. Idempotent.
    """
    place = place_in(params)
    if place is None:
        return dict(params)
    name = folder.root.name
    kept = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:8]
    there = Path(place.folder) / f"{name}-{kept}"
    there.mkdir(parents=True, exist_ok=True)
    if not folder.root.exists():
        folder.root.parent.mkdir(parents=True, exist_ok=True)
        folder.root.symlink_to(there)
    module = Path(params["module"])
    code = there / "code"
    code.mkdir(exist_ok=True)
    for source in module.parent.glob("*.py"):
        shutil.copyfile(source, code / source.name)
    moved = {key: _brought(params.get(key) or {}, there / key) for key in ("parent", "reference")}
    return {**params, **moved, "module": str(code / module.name)}


def _brought(facts: Mapping[str, Any], into: Path) -> dict[str, Any]:
    """A version's facts, with its files copied to where workers see them."""
    if not facts:
        return {}
    into.mkdir(exist_ok=True)

    def bring(file: str) -> str:
        return str(shutil.copyfile(file, into / Path(file).name))

    files = {name: bring(file) for name, file in facts.get("files", {}).items()}
    return {**facts, "path": bring(facts["path"]), "files": files}


def run_name(spec: Mapping[str, Any]) -> str:
    """The Job's name: the job's, made a DNS label, and its action's, as other homes count too."""
    mark = hashlib.sha256(str(spec["action_id"]).encode()).hexdigest()[:6]
    plain = re.sub(r"[^a-z0-9]+", "-", str(spec["name"]).lower()).strip("-")
    plain = plain if plain[:1].isalpha() else f"job-{plain}"
    return f"{plain[:50].rstrip('-')}-{mark}"


@dataclass(frozen=True, slots=True)
class _Act:
    """The launch, as the platform knows it; nobody waits for its reports."""

    id: str

    def progress(
        self, text: str, fraction: float | None = None, eta: timedelta | None = None
    ) -> None:
        """The folder tells how far the job is."""

    def check(self) -> None:
        """A wish to stop is seen between two looks."""


class Following:
    """One job on a cluster, from its launch to its end."""

    def __init__(
        self,
        folder: JobFolder,
        spec: Mapping[str, Any],
        env: Mapping[str, str],
        stalled: Callable[[], str],
    ) -> None:
        place = place_in(spec)
        assert isinstance(place, Place)
        self._folder, self._spec, self._place = folder, spec, place
        self._stalled = stalled
        self._name = run_name(spec)
        self._trainings = place.trainings()
        workers, again = int(spec["workers"]), int(spec["training"]["max_restarts"])
        self._training = place.training(self._name, folder.root, workers, env, again * workers)
        self._asked: float | None = None
        self._held: tuple[str, float] = ("", 0.0)

    def see(self) -> tuple[int, str]:
        """Launch, or find, the Job; returns the exit code and a cause as a local run does."""
        try:
            self._begin()
            while (ended := self._look()) is None:
                time.sleep(POLL)
        except ToolError as error:
            return 1, error.en
        return ended

    def _begin(self) -> None:
        space = self._place.namespace
        there = self._patiently(lambda: self._trainings.find(space, self._name))
        if there is not None and there.state in ("failed", "succeeded"):
            self._end()  # of an earlier attempt, which left no output
        self._patiently(
            lambda: self._trainings.launch(self._training, _Act(str(self._spec["action_id"])))
        )

    def _patiently(self, ask: Callable[[], Any]) -> Any:
        """Ask a server that does not answer again: creating under the same action is harmless."""
        for attempt in range(30):
            try:
                return ask()
            except Unavailable:
                if attempt == 29:
                    raise
                time.sleep(POLL)
        return None

    def _look(self) -> tuple[int, str] | None:
        if self._folder.cancel.exists():
            self._asked = self._asked or time.monotonic()
        try:
            run = self._trainings.find(self._place.namespace, self._name)
        except Unavailable:
            return None  # it goes on without being watched
        if run is None:
            return 1, f"the Job {self._name} was deleted from {self._place.words}"
        self._tell(run.cause if run.state in ("pending", "running") else "")
        if run.state == "succeeded":
            return self._settled()
        if run.state == "failed":
            self._end()
            return 1, "" if self._folder.failures() else run.cause
        return self._patience(run.cause)

    def _patience(self, cause: str) -> tuple[int, str] | None:
        """What ends a run that goes on: a wish, a stall, or a cause that will not pass."""
        if self._asked is not None and time.monotonic() - self._asked > GRACE:
            self._end()
            return 1, "cancelled"
        stalled = "" if self._asked else self._stalled()
        if cause != self._held[0]:
            self._held = (cause, time.monotonic())
        waits = not cause or cause.startswith(_WAITS)
        hopeless = not waits and time.monotonic() - self._held[1] > HOPELESS
        if stalled or hopeless:
            self._end()
            return 1, stalled or cause
        return None

    def _settled(self) -> tuple[int, str]:
        until = time.monotonic() + SETTLING
        while time.monotonic() < until and not self._folder.manifest.exists():
            if self._folder.failures() or self._folder.cancel.exists():
                break
            time.sleep(0.5)
        return 0, ""

    def _tell(self, cause: str) -> None:
        file = self._folder.root / "cluster.json"
        if read(file).get("cause") != cause:
            write(file, {"cause": cause, "job": self._name, "on": self._place.words})

    def _end(self) -> None:
        """Remove the Job, and wait until it is gone: two writers would spoil a checkpoint."""
        self._trainings.cancel(self._place.namespace, self._name)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self._trainings.gone(self._place.namespace, self._name):
                return
            time.sleep(0.5)

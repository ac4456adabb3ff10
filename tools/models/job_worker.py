"""A process that does a job's work: started by torchrun (one per rank) or by the supervisor.

``python -m tools.models.job_worker FOLDER``. It exits 0 when starting it again would be useless:
done, cancelled, or failed for a reason that would come back. Any other exit is worth a restart.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.errors import Failed
from tools.models import job_failures
from tools.models.job_folder import JobFolder, read
from tools.models.job_tracker import Tracker
from tools.models.processes import die_with_parent

OPERATIONS = {
    "train": "tools.models.operations.train",
    "tune": "tools.models.operations.tune",
    "prune": "tools.models.operations.prune",
    "quantize": "tools.models.operations.quantize",
    "distill": "tools.models.operations.distill",
    "export": "tools.models.operations.export",
    "import": "tools.models.operations.convert",
    "compare": "tools.models.operations.compare",
    "explain": "tools.models.operations.explain",
    "drift": "tools.models.operations.drift",
}


@dataclass(frozen=True)
class Work:
    """What an operation is given."""

    folder: JobFolder
    spec: dict[str, Any]
    tracker: Tracker
    rank: int
    world: int

    @property
    def training(self) -> dict[str, Any]:
        """Every training parameter, resolved when the action was planned."""
        return self.spec["training"]

    @property
    def options(self) -> dict[str, Any]:
        """The operation's own arguments."""
        return self.spec.get("options", {})


def work_of(folder: JobFolder) -> Work:
    """This process's share of the job, from torchrun's environment."""
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    return Work(folder, read(folder.spec), Tracker(folder, rank), rank, world)


def run(folder: JobFolder) -> int:
    """Do the work; returns the exit code."""
    work = work_of(folder)
    if any(failure.get("fatal") for failure in folder.failures()) or folder.manifest.exists():
        return 0
    try:
        operation = importlib.import_module(OPERATIONS[work.spec["kind"]])
        refuse_changed_code(work)
        operation.run(work)
    except Exception as error:  # noqa: BLE001  the border of a process: every failure is named and written down
        import traceback

        traceback.print_exc()
        return 0 if job_failures.record(folder, work.rank, error) else 1
    return 0


def refuse_changed_code(work: Work) -> None:
    """Raise ``Failed`` when the kind's code is not the code that was approved."""
    from tools.models.kinds import code_digest

    if code_digest(Path(work.spec["module"])) != work.spec["code_digest"]:
        raise Failed(
            f"the code of {work.spec['model']} changed after this job was approved; start it anew",
            f"{work.spec['model']} 的代码在批准之后被改动；请重新发起",
        )


def main() -> None:
    """Entry point: own log file, death with the parent, then the work."""
    die_with_parent()
    folder = JobFolder(Path(sys.argv[1]))
    folder.logs.mkdir(parents=True, exist_ok=True)
    log = folder.logs / f"rank-{os.environ.get('RANK', '0')}.log"
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    code = run(folder)
    sys.stdout.flush()
    sys.stderr.flush()
    # Leaving without the interpreter's teardown: native threads may hang there.
    os._exit(code)


if __name__ == "__main__":
    main()

"""Questions that need a model at work, answered by a process of its own with a deadline.

The code of a kind belongs to a team and loads torch; it never runs inside Steward. A question is
a folder like a job's, a worker process, and the report it leaves.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tools.errors import Failed, Unavailable
from tools.models import job_failures
from tools.models.job_folder import JobFolder, read, write
from tools.models.job_supervisor import environment
from tools.models.kinds import refuse_without
from tools.models.launching import PACKAGES
from tools.models.preparing import prepare_from, version_facts

if TYPE_CHECKING:
    from tools.contract import Json
    from tools.models.base import ModelVersion
    from tools.world import World

REPORT = "report.json"
ASKING = 150.0
"""Seconds a person waits for such a question at most: it loads torch and measures."""


def ask(
    world: World,
    question: str,
    model: str,
    versions: Mapping[str, ModelVersion],
    options: Mapping[str, Json],
    seconds: float = ASKING - 10,
) -> dict[str, Any]:
    """The report of operation ``question`` over ``versions`` (by role).

    Raises:
        Failed: the worker said why not.
        Unavailable: it did not answer within ``seconds``.
    """
    refuse_without(PACKAGES, f"Looking into {model}")
    first = next(iter(versions.values()))
    spec, said, training, _ = prepare_from(world, model, str(first.number))
    folder = JobFolder(world.home / "questions" / uuid.uuid4().hex)
    asked: dict[str, Any] = {
        "name": f"{question}-{folder.root.name[:8]}",
        "action_id": "",
        "kind": question,
        "model": spec.name,
        "workers": 1,
        "module": str(said.file),
        "code_digest": said.digest,
        "training": training,
        "options": dict(options),
        "versions": {role: version_facts(world, v) for role, v in versions.items()},
    }
    try:
        folder.output.mkdir(parents=True)
        write(folder.spec, asked)
        return _answer(folder, asked, question, model, seconds)
    except OSError as error:
        raise Failed(
            f"The question about {model} could not be worked on: {error.strerror or error}.",
            f"无法处理关于 {model} 的问题：{error.strerror or error}。",
        ) from error
    finally:
        shutil.rmtree(folder.root, ignore_errors=True)


def _answer(
    folder: JobFolder, asked: dict[str, Any], question: str, model: str, seconds: float
) -> dict[str, Any]:
    try:
        subprocess.run(
            [sys.executable, "-m", "tools.models.job_worker", str(folder.root)],
            env=environment(folder, asked),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            cwd=folder.root,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(
            f"The {question} of {model} took longer than {seconds:.0f} s and was stopped.",
            f"对 {model} 的 {question} 超过 {seconds:.0f} 秒，已停止。",
        ) from None
    if failures := folder.failures():
        cause = job_failures.culprit(failures).rstrip(".")
        raise Failed(f"{cause}.", f"{cause}。")
    report = read(folder.output / REPORT)
    if not report:
        cause = job_failures.of_exit(folder, 1, 0)
        raise Failed(f"The {question} of {model} ended without an answer: {cause}.")
    return report

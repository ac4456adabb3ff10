"""Import of a team's checkpoint: read behind a fence, re-saved, then treated like any other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.errors import Failed, Refused
from tools.models.artifacts import digest_of
from tools.models.job_worker import Work
from tools.models.operations.output import finish, kind_of
from tools.models.torch_runtime import device_of
from tools.models.weights import rebuild


def run(work: Work) -> None:
    """Take the weights of the file that was approved, and no other."""
    source = Path(work.options["file"])
    if not source.is_file() or digest_of(source) != work.options["digest"]:
        raise Failed(
            f"{source.name} changed after this import was approved; ask again",
            f"{source.name} 在批准之后被改动；请重新发起",
        )
    kind = kind_of(work)
    device_of(work.training, 0)
    weights = work.folder.root / "imported.safetensors"
    read_fenced(source, weights)
    work.tracker.check()
    finish(
        work,
        kind,
        rebuild(kind, weights),
        technique="import",
        metrics={},
        lineage={"imported": {"file": source.name, "digest": work.options["digest"]}},
    )


def read_fenced(source: Path, target: Path, seconds: float = 180) -> None:
    """Let a fenced process re-save ``source``; raises ``Refused`` with its reason."""
    command = [sys.executable, "-m", "tools.models.untrusted", str(source), str(target)]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=seconds, stdin=subprocess.DEVNULL, check=False
        )
        said: dict[str, Any] = json.loads(done.stdout or b"{}")
    except (subprocess.TimeoutExpired, ValueError):
        said = {}
    if said.get("ok") is not True or not target.exists():
        why = said.get("why") or "reading it ended without an answer"
        raise Refused(
            f"{source.name} is not imported: {why}",
            f"未导入 {source.name}：{why}",
        )

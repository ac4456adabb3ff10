"""The import contracts hold, and each of them catches what it is there for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("importlinter")
ROOT = Path(__file__).parents[2]
BREAKS = {
    "Rooms": ("tools/errors.py", "import agent.errors"),
    "Inside the agent": ("agent/events.py", "import agent.door"),
    "Fronts do not know each other": ("agent/fronts/mcp.py", "import agent.fronts.terminal"),
    "Fronts know nothing below": ("agent/fronts/terminal_words.py", "import agent.policy"),
    "Platforms do not know": ("tools/platforms/double.py", "import tools.platforms.local"),
    "Only the composition root": ("tools/deployments/scaling.py", "import tools.platforms.docker"),
    "Only the door's room": ("agent/offline/compose.py", "import agent.door"),
    "Each SDK has one file": ("tools/deployments/scaling.py", "import kubernetes"),
    "LangChain stays": ("agent/toolbox.py", "import langchain"),
}


def lint(folder: Path) -> str:
    """The report of the import linter, run in ``folder``."""
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [program, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
    )
    return done.stdout


@pytest.mark.timeout(280)
def test_each_contract_catches_its_breach(tmp_path: Path) -> None:
    house = tmp_path / "house"
    for room in ("agent", "tools", "prompts"):
        shutil.copytree(ROOT / room, house / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", house)
    kept = {file: (house / file).read_text() for file, _ in BREAKS.values()}
    for breach in range(2):
        chosen = list(BREAKS.items())[breach::2]
        for _, (file, line) in chosen:
            (house / file).write_text((house / file).read_text() + f"\n\n{line}\n")
        report = lint(house)
        for name, _ in chosen:
            row = next(r for r in report.splitlines() if r.startswith(name))
            assert " BROKEN" in row, row
        for file, text in kept.items():
            (house / file).write_text(text)

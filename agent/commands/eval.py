"""``steward eval``: score the configured brain on a file of labelled requests."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from agent.bootstrap import App
from agent.commands.exits import OK
from tools.contract import as_json
from tools.errors import BadArguments

DEVELOPMENT = ("dev_en.jsonl", "dev_zh.jsonl")


def run(options: argparse.Namespace) -> int:
    """Print the table by language, tool and kind of error."""
    from agent.commands.plan import planning_brain
    from agent.offline.evaluate import load, score, table
    from tools.catalog import TOOLS

    app = App.start(fleet=options.fleet or _own_fleet(options))
    files = [Path(f) for f in options.file] or development()
    missing = [str(f) for f in files if not f.is_file()]
    if missing:
        raise BadArguments(f"There is no request file {', '.join(missing)}.")
    cases = [case for file in files for case in load(file)]
    result = score(cases, planning_brain(app).understand, TOOLS)
    if options.json:
        by_language = {lang: round(result.accuracy(lang), 4) for lang in sorted(result.total)}
        faults = [as_json(f) for f in result.faults]
        print(json.dumps({"accuracy": by_language, "faults": faults}, ensure_ascii=False, indent=2))
    else:
        print(
            f"brain: embedded planner; {len(cases)} requests; {len(result.false_changes())} false changes"
        )
        print(table(result))
    return OK


def _folder() -> Path:
    return Path(__file__).resolve().parents[2] / "tests" / "understanding" / "data"


def development() -> list[Path]:
    """The project's own request files, in a checkout of it."""
    return [_folder() / name for name in DEVELOPMENT]


def _own_fleet(options: argparse.Namespace) -> str | None:
    fleet = _folder() / "steward.yaml"
    return str(fleet) if not options.file and fleet.is_file() else None

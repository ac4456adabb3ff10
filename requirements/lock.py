"""Resolve the dependencies and write them down: ``python requirements/lock.py``.

Plain pip does the resolving (``--dry-run --report``), so that what is pinned here is what pip
installs. Local version labels (``+cpu``) are dropped: the same release serves every machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETS = {"core": [], "chat": ["local", "models"], "dev": ["all"]}


def resolve(wanted: list[str]) -> list[str]:
    """``name==version`` lines of everything ``wanted`` needs, sorted."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
    done = subprocess.run([*command, "--report", "-", *wanted], check=True, capture_output=True)
    found = [item["metadata"] for item in json.loads(done.stdout)["install"]]
    pinned = {m["name"].lower(): m["version"].split("+")[0] for m in found}
    return [f"{name}=={version}" for name, version in sorted(pinned.items())]


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    for name, chosen in SETS.items():
        names = extras.keys() - {"all"} if chosen == ["all"] else chosen
        wanted = [
            *project["project"]["dependencies"],
            *(d for e in sorted(names) for d in extras[e]),
        ]
        if name == "dev":
            wanted += project["dependency-groups"]["dev"]
        lines = resolve(wanted)
        head = "# Written by requirements/lock.py; edit pyproject.toml instead.\n"
        (ROOT / "requirements" / f"{name}.txt").write_text(head + "\n".join(lines) + "\n")
        print(f"{name}: {len(lines)} packages")


if __name__ == "__main__":
    main()

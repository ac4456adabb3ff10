"""The playbooks of a fleet: those this project ships, and the team's own folders."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from tools.alerts.playbook import Playbooks
from tools.alerts.playbook_reader import PlaybookError, parse

if TYPE_CHECKING:
    from tools.world import World


def packaged_sources() -> dict[str, str]:
    """The texts this project ships."""
    folder = files("tools.alerts").joinpath("playbooks")
    found = [e for e in folder.iterdir() if e.name.endswith((".yaml", ".yml"))]
    return {e.name: e.read_text("utf-8") for e in sorted(found, key=lambda e: e.name)}


@cache
def _cached(folders: tuple[str, ...], _stamp: tuple[tuple[str, float], ...]) -> Playbooks:
    sources = packaged_sources()
    for folder in folders:
        path = Path(folder)
        if not path.is_dir():
            raise PlaybookError(f"playbooks: there is no folder {folder}; correct steward.yaml.")
        for file in sorted([*path.glob("*.yaml"), *path.glob("*.yml")]):
            sources[str(file)] = file.read_text("utf-8")
    return parse(sources)


def playbooks(world: World) -> Playbooks:
    """The shipped playbooks and those of the fleet's ``playbooks`` folders; read again on change."""
    listed = world.fleet.sections.get("playbooks") or []
    names = [listed] if isinstance(listed, str) else listed if isinstance(listed, list) else []
    base = world.fleet.path.parent if world.fleet.path else Path.cwd()
    folders = tuple(str(base / str(name)) for name in names)
    stamp = tuple(
        (str(file), file.stat().st_mtime)
        for folder in folders
        for file in sorted(Path(folder).glob("*.y*ml"))
    )
    return _cached(folders, stamp)

"""Which files of a turn may be shown: pictures that tools wrote inside STEWARD_HOME, nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from agent.events import Seen
from tools.contract import Json

PICTURES = frozenset({".png", ".svg"})
MAX_BYTES = 20 * 1024 * 1024


def charts(seen: Iterable[Seen], home: Path) -> list[Path]:
    """Pictures named in the findings of a turn, each once."""
    named = (path for one in seen if one.ok for path in _paths(one.data))
    return list(dict.fromkeys(p for name in named if (p := allowed(Path(name), home))))


def allowed(path: Path, home: Path) -> Path | None:
    """The real file, if it is a picture inside ``home`` even after every link is followed."""
    try:
        real, root = path.resolve(strict=True), home.resolve(strict=True)
        inside = real.is_relative_to(root) and real.is_file()
        fits = inside and real.suffix.lower() in PICTURES and real.stat().st_size <= MAX_BYTES
    except (OSError, RuntimeError, ValueError):
        return None
    return real if fits else None


def _paths(value: Json) -> Iterator[str]:
    match value:
        case str() if value.lower().endswith(tuple(PICTURES)) and "\n" not in value:
            yield value
        case list():
            for item in value:
                yield from _paths(item)
        case Mapping():
            for item in value.values():
                yield from _paths(item)
        case _:
            return

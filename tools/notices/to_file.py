"""A file as a target: each notice is appended once, whatever crashes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import Unavailable

if TYPE_CHECKING:
    from tools.notices.base import Notice


def path_of(home: Path, file: str) -> Path:
    """Where a file target lies: relative to STEWARD_HOME."""
    return home / Path(file).expanduser()


def append(notice: Notice, path: Path) -> None:
    """Append the notice unless its id is there; synced before it returns.

    Raises:
        Unavailable: the file cannot be written now.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            _lock(file.fileno())
            file.seek(0)
            if _is_there(file.read(), notice.id):
                return
            file.write(_block(notice))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise Unavailable(
            f"{notice.target}: {path} cannot be written: {error.strerror}.",
            f"{notice.target}：无法写入 {path}。",
        ) from None


def _block(notice: Notice) -> bytes:
    head = f"--- {notice.created_at:%Y-%m-%d %H:%M:%S} UTC {notice.severity}: {notice.subject}"
    extra = [f"[attached: {notice.attachment}]"] if notice.attachment else []
    return "\n".join([head, notice.text, *extra, _mark(notice.id), ""]).encode()


def _mark(id: str) -> str:
    return f"--- end of notice {id}"


def _is_there(content: bytes, id: str) -> bool:
    return f"\n{_mark(id)}\n".encode() in content


def _lock(descriptor: int) -> None:
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX)

"""``python -m tools.platforms.local_keeping FOLDER``: be the keeper of one deployment."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tools.platforms.local_keeper import Keeper
from tools.platforms.local_process import identify
from tools.platforms.local_state import Folder, take


def main(path: Path) -> int:
    """Keep the deployment in ``path``; returns at once when it has a keeper already."""
    folder = Folder(path)
    folder.create()
    with (path / "keeper.lock").open("w") as lock:
        if not take(lock.fileno()):
            return 0
        me = identify(os.getpid())
        assert me is not None
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        Keeper(folder, me).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""A real Docker engine for tests: the one that answers, or one started here when root may.

All workers of a test run share one: two engines on one machine fight for its bridge, its addresses
and its packet filter. It ends with the last process that uses it, however that one ends.

The base image is made from scratch: empty folders onto which this machine's own ``/usr`` and Python
are mounted read-only, so that no registry is needed.
"""

from __future__ import annotations

import fcntl
import functools
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import IO, Any

REPOSITORY = Path(__file__).resolve().parents[2]
IMAGE = "steward-test:2"
PYTHON = sys.executable
_HELD: list[IO[bytes]] = []


def mounts() -> list[str]:
    roots = {"/usr", str(Path(sys.base_prefix)), str(Path(sys.prefix)), str(REPOSITORY)}
    kept = sorted(r for r in roots if not any(r != o and r.startswith(o + "/") for o in roots))
    return [f"{root}:{root}:ro" for root in kept]


@functools.cache
def why_not() -> str:
    """Empty when an engine can be used; else the reason to skip."""
    try:
        import docker
    except ImportError:
        return "the docker package is not installed"
    if os.environ.get("STEWARD_TEST_DOCKER") == "0":
        return "STEWARD_TEST_DOCKER=0"
    if _answers(docker):
        return _prepare(docker)
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        return "no Docker engine answers, and none can be started here (dockerd as root)"
    home = Path(tempfile.gettempdir()) / f"steward-docker-{_run()}"
    home.mkdir(exist_ok=True)
    _HELD.append(_locked(home / "users", fcntl.LOCK_SH))  # until this process ends
    with _locked(home / "starting", fcntl.LOCK_EX):
        os.environ["DOCKER_HOST"] = f"unix://{home}/docker.sock"
        said = "" if _answers(docker) else _start(home)
        return said or _prepare(docker)


def _run() -> str:
    """What names this test run to all its workers."""
    return os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))


def _locked(path: Path, how: int) -> IO[bytes]:
    """The file, open and locked; closing it gives the lock back."""
    file = path.open("ab")
    fcntl.flock(file, how)
    return file


def _answers(docker: Any) -> bool:
    try:
        docker.from_env(timeout=5).ping()
    except docker.errors.DockerException:
        return False
    return True


def _start(home: Path) -> str:
    import docker

    engine = [
        "dockerd",
        *("-H", f"unix://{home}/docker.sock"),
        *("--data-root", f"{home}/data"),
        *("--exec-root", f"{home}/exec"),
        *("--pidfile", f"{home}/pid"),
        # Every test has a network of its own; the default pools hold 31 in all.
        *("--default-address-pool", "base=10.213.0.0/16,size=26"),
    ]
    # The lock on users is free when the last process that holds it has ended, killed or not.
    keeper = '"$@" & engine=$!; flock "$0/users" true; kill $engine; wait $engine; rm -rf "$0"'
    with (home / "log").open("wb") as log:
        command = ["sh", "-c", keeper, str(home), *engine]
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    for _ in range(100):
        if _answers(docker):
            return ""
        if process.poll() is not None:
            break
        time.sleep(0.2)
    tail = (home / "log").read_text(errors="replace").strip().splitlines()[-1:]
    return f"dockerd does not start here: {' '.join(tail)[:200]}"


def _prepare(docker: Any) -> str:
    client = docker.from_env()
    try:
        client.images.get(IMAGE)
    except docker.errors.ImageNotFound:
        client.api.import_image_from_data(_skeleton(), "steward-test", "2")
    try:
        client.containers.run(IMAGE, [PYTHON, "-c", "print(1)"], volumes=mounts(), remove=True)
    except docker.errors.DockerException as error:
        return f"containers do not run here: {str(error)[:200]}"
    return ""


def _skeleton() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for folder in (
            "usr",
            "tmp",
            "etc",
            "proc",
            "sys",
            "dev",
            "model",
            "steward",
            "var",
            "sbin",
        ):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for link in ("bin", "lib", "lib64"):
            entry = tarfile.TarInfo(link)
            entry.type, entry.linkname = tarfile.SYMTYPE, f"usr/{link}"
            tar.addfile(entry)
    return packed.getvalue()

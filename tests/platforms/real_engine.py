"""A real Docker engine for tests: the one that answers, or one started here when root may.

The base image is made from scratch: empty folders onto which this machine's own ``/usr`` and Python
are mounted read-only, so that no registry is needed.
"""

from __future__ import annotations

import atexit
import functools
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
IMAGE = "steward-test:2"
PYTHON = sys.executable


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
    said = _start()
    return said or _prepare(docker)


def _answers(docker: Any) -> bool:
    try:
        docker.from_env(timeout=5).ping()
    except docker.errors.DockerException:
        return False
    return True


def _start() -> str:
    import docker

    home = Path(tempfile.mkdtemp(prefix="steward-docker-"))
    socket = f"unix://{home}/docker.sock"
    log = (home / "log").open("wb")
    # an engine must not outlive a test run that was killed
    ties = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    command = [
        *ties,
        "dockerd",
        "-H",
        socket,
        "--data-root",
        str(home / "data"),
        "--exec-root",
        str(home / "exec"),
        "--pidfile",
        str(home / "pid"),
    ]
    process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    atexit.register(_stop, process, home)
    os.environ["DOCKER_HOST"] = socket
    for _ in range(100):
        if _answers(docker):
            return ""
        if process.poll() is not None:
            break
        time.sleep(0.2)
    tail = (home / "log").read_text(errors="replace").strip().splitlines()[-1:]
    return f"dockerd does not start here: {' '.join(tail)[:200]}"


def _stop(process: subprocess.Popen[bytes], home: Path) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    shutil.rmtree(home, ignore_errors=True)


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

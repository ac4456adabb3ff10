"""Reading a foreign checkpoint in a process that may do little else.

``python -m tools.models.untrusted FILE OUT`` reads tensors from a ``.pt`` zip checkpoint or a
safetensors file and writes them as safetensors. It runs with limits on memory, time and file
sizes, without a network where the kernel allows that, and only with ``weights_only=True``: an
allow-list of tensor types. That list has had holes (CVE-2025-32434), hence the fence around it;
what the archive declares is checked before anything is unpickled. It is never retried without.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# torch's own annotations leave members untyped.
from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import torch

MOST = 8 * 2**30
"""Bytes of tensors at most."""
_RATIO = 20
"""Declared size over file size; checkpoints are stored uncompressed, a bomb is not."""


class Rejected(Exception):
    """The file is not taken; the sentence says why."""


def fence() -> None:
    """Give up what reading a file does not need."""
    import ctypes
    import resource

    for limit, value in (
        (resource.RLIMIT_CPU, 120),
        (resource.RLIMIT_AS, 4 * MOST),
        (resource.RLIMIT_FSIZE, 2 * MOST),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (most, most))
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        new_user, new_network, no_new_privileges = 0x10000000, 0x40000000, 38
        libc.unshare(new_user | new_network)
        libc.prctl(no_new_privileges, 1, 0, 0, 0)


def check_archive(file: Path) -> None:
    """Raise :class:`Rejected` unless the file is a zip that declares plausible sizes."""
    if not zipfile.is_zipfile(file):
        raise Rejected("it is a bare pickle; save it with torch.save of torch 1.6 or newer")
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
    total = sum(entry.file_size for entry in entries)
    if total > MOST or total > _RATIO * max(1, file.stat().st_size):
        raise Rejected(f"it declares {total / 2**20:,.0f} MiB, more than its size allows")
    if any(entry.filename.startswith("/") or ".." in entry.filename for entry in entries):
        raise Rejected("it names files outside itself")
    if any("/code/" in entry.filename for entry in entries):
        raise Rejected("it is a TorchScript program, which is code; save its state_dict instead")


def tensors(file: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint by name."""
    import torch

    if file.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(file)
    check_archive(file)
    serialization: Any = torch.serialization
    unsafe = serialization.get_unsafe_globals_in_checkpoint(str(file))
    if unsafe:
        raise Rejected(f"it wants to run {', '.join(sorted(unsafe)[:3])}; save its state_dict only")
    loaded: object = torch.load(file, weights_only=True, map_location="cpu", mmap=True)
    return _named(loaded)


def _named(loaded: object) -> dict[str, torch.Tensor]:
    import torch

    if isinstance(loaded, Mapping):
        held = cast("Mapping[object, object]", loaded)
        found = {str(k): v for k, v in held.items() if isinstance(v, torch.Tensor)}
        if found:
            return found
        for key in ("state_dict", "model_state_dict", "model", "weights"):
            if isinstance(held.get(key), Mapping):
                return _named(held[key])
    raise Rejected("it holds no state_dict (a mapping of names to tensors)")


def main() -> None:
    """Entry point; says ``{"ok": …, "why": …}`` on its standard output."""
    import pickle

    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    import_module("torch")  # before the fence, which would starve its start
    fence()
    try:
        from safetensors.torch import save_file

        found = tensors(source)
        save_file({k: v.detach().clone().contiguous() for k, v in found.items()}, target)
        said = {"ok": True, "why": "", "tensors": len(found)}
    except Rejected as error:
        said = {"ok": False, "why": str(error)}
    except pickle.UnpicklingError:
        said = {"ok": False, "why": "it is a pickle that does more than hold tensors"}
    except Exception as error:  # noqa: BLE001  a hostile file may raise anything; each is a refusal
        said = {"ok": False, "why": f"it cannot be read ({type(error).__name__})"}
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()

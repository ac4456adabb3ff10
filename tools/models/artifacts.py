"""Model files as untrusted input: kept by content, in safe formats only, checked when read."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from tools.errors import BadArguments, Failed, Refused
from tools.models import onnx_files

_SUFFIXES: Mapping[str, str] = {
    "onnx": ".onnx",
    "safetensors": ".safetensors",
    "torch_export": ".pt2",
    "json": ".json",
}


def digest_of(file: Path) -> str:
    """sha256 of a file, hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def refuse_unsafe(file: Path, format: str) -> None:
    """Raise ``Refused`` unless ``file`` really is of a format that cannot run code when loaded."""
    if format not in _SUFFIXES:
        raise Refused(
            f"{file.name} is {format}, which the registry does not keep: loading a pickle can run "
            "code. Convert it with import_model, or save it as safetensors or ONNX.",
            f"{file.name} 的格式是 {format}，注册表不接受：加载 pickle 可能执行代码。"
            "请用 import_model 转换，或保存为 safetensors 或 ONNX。",
        )
    if not file.is_file() or file.stat().st_size == 0:
        raise BadArguments(f"There is no model file at {file}.", f"{file} 处没有模型文件。")
    with file.open("rb") as opened:
        head = opened.read(8)
    # Eight bytes of a safetensors file are its header's length, whose first may be pickle's mark.
    whole = format == "safetensors" and _is_safetensors(file, head)
    if not whole and (head[:1] == b"\x80" or (head[:2] == b"PK" and format != "torch_export")):
        raise Refused(
            f"{file.name} says {format} but is a pickle checkpoint; loading it can run code. "
            "Convert it with import_model, or save it as safetensors or ONNX.",
            f"{file.name} 声称是 {format}，实际是 pickle 检查点，加载可能执行代码。"
            "请用 import_model 转换，或保存为 safetensors 或 ONNX。",
        )
    if format == "safetensors" and not whole:
        raise Refused(
            f"{file.name} is not a whole safetensors file; save it again.",
            f"{file.name} 不是完整的 safetensors 文件；请重新保存。",
        )
    if format == "onnx":
        onnx_files.refuse_unsafe(file)


def _is_safetensors(file: Path, head: bytes) -> bool:
    """Whether the header is JSON and every tensor lies inside the file."""
    length, size = int.from_bytes(head, "little"), file.stat().st_size
    if not 2 <= length <= min(size - 8, 100 * 2**20):
        return False
    with file.open("rb") as opened:
        opened.seek(8)
        try:
            header: object = json.loads(opened.read(length))
        except ValueError:
            return False
    if not isinstance(header, dict):
        return False
    entries = cast("dict[str, Any]", header)
    ends = [e["data_offsets"][1] for n, e in entries.items() if n != "__metadata__"]
    return all(8 + length + int(end) <= size for end in ends)


class Artifacts:
    """Files by their sha256 under ``folder``. Safe for concurrent writers; a crash leaves no half.

    Every writer has its own temporary name: a shared one lets two writers of the same content
    take the file from under each other.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str, format: str) -> Path:
        """Where content of this digest lives."""
        return self.folder / digest[:2] / f"{digest}{_SUFFIXES[format]}"

    def keep(self, file: Path, format: str) -> tuple[str, Path]:
        """Copy ``file`` in and return its digest and place; raises ``Refused`` when unsafe."""
        refuse_unsafe(file, format)
        digest = digest_of(file)
        place = self.path(digest, format)
        if place.is_file() and place.stat().st_size == file.stat().st_size:
            return digest, place
        temporary = place.with_name(f".{digest}.{uuid.uuid4().hex}.tmp")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            _copy(file, temporary)
            temporary.replace(place)
            _settle(place.parent)
        except OSError as error:
            raise Failed(
                f"The artefact cannot be kept in {place.parent}: {error.strerror}.",
                f"模型文件无法保存到 {place.parent}：{error.strerror}。",
            ) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        return digest, place

    def verified(self, digest: str, format: str, what: str) -> Path:
        """The file of ``digest`` after reading it whole; raises ``Failed`` when it differs."""
        place = self.path(digest, format)
        if not place.is_file():
            raise Failed(
                f"The file of {what} is missing from {place.parent}; restore it or train again.",
                f"{what} 的文件不在 {place.parent}；请恢复备份或重新训练。",
            )
        if digest_of(place) != digest:
            raise Failed(
                f"The file of {what} was altered: its sha256 is not {digest[:12]}. Not loaded.",
                f"{what} 的文件被改动过：sha256 不是 {digest[:12]}。未加载。",
            )
        return place


def _copy(source: Path, to: Path) -> None:
    import shutil

    with source.open("rb") as read, to.open("xb") as written:
        shutil.copyfileobj(read, written, 1 << 20)
        written.flush()
        os.fsync(written.fileno())


def _settle(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

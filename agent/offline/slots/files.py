"""Paths of files: ``/mnt/in/best.pt``, ``runs/77/model.pth``, ``leads.safetensors in /tmp/up``."""

from __future__ import annotations

from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_ROOT = r"(?:[a-z][a-z0-9]*://|(?:~|\.{1,2})?/)"
_FILE = compiled(
    rf"(?<![\w/.~-]){_ROOT}?(?:[\w.@+=-]+/)*[\w@+=-][\w.@+=-]*"
    r"\.(?:pt2?|pth|ckpt|bin|safetensors|onnx|pkl|pickle|h5|npz|tar|gz|tgz|zip|joblib|gguf|pb|msgpack)(?![\w/])"
)
_FOLDER = compiled(rf"(?<![\w/.~-]){_ROOT}(?:[\w.@+=-]+/)*[\w.@+=-]*[\w@+=-]/?")


def find(low: str) -> tuple[Span, ...]:
    """Where the file is named; its folder first when that is said apart."""
    files = list(_FILE.finditer(low))
    file = next((f for f in files if "/" in f.group()), files[0] if files else None)
    if file is None:
        folder = _FOLDER.search(low)
        return (Span(*folder.span()),) if folder else ()
    span = Span(*file.span())
    if "/" in file.group():
        return (span,)
    folders = (Span(*m.span()) for m in _FOLDER.finditer(low))
    folder_span = next((f for f in folders if not f.overlaps(span)), None)
    return (folder_span, span) if folder_span else (span,)

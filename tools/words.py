"""The argument types people speak in: names, versions, durations, percentages.

Each is an ``Annotated`` type carrying a :class:`Word` (what kind of thing it is: the offline
planner fills it from live names or from a parser) and a pydantic validator (what is accepted).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

Lang = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence in both languages."""

    en: str
    zh: str

    def in_(self, lang: str) -> str:
        """The sentence in ``lang``."""
        return self.zh if lang == "zh" else self.en


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_WINDOW = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|w)")


@dataclass(frozen=True, slots=True)
class Word:
    """What kind of thing an argument is: ``deployment``, ``model``, ``version``, ``window``, …"""

    kind: str


@dataclass(frozen=True, slots=True)
class Unless:
    """Marks an argument that is needed unless one of these others is given."""

    unless: tuple[str, ...]


def parse_window(text: str) -> timedelta:
    """Turn ``"15m"``, ``"2h"``, ``"1d"`` or ``"1h30m"`` into a duration.

    Raises:
        ValueError: the text is not such a duration, or is not positive.
    """
    compact = text.strip().lower().replace(" ", "")
    parts = _WINDOW.findall(compact)
    if not parts or "".join(n + u for n, u in parts) != compact:
        raise ValueError(f"{text!r} is not a duration; write 15m, 2h or 1d")
    seconds = sum(float(n) * _UNITS[u] for n, u in parts)
    if not 0 < seconds <= 366 * 86400:
        raise ValueError(f"{text!r} must be longer than 0 and at most 366 days")
    return timedelta(seconds=seconds)


def _window(text: str) -> str:
    parse_window(text)
    return text.strip().lower().replace(" ", "")


def _version(value: object) -> str:
    text = str(value).strip()
    return text[1:] if re.fullmatch(r"[vV]\d+", text) else text


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _name(text: str) -> str:
    if not re.fullmatch(r"[\w.#@:/+=-]{1,253}", text):
        raise ValueError(f"{text!r} is not a name; use letters, digits, '-', '.', '_' and '/'")
    return text


Deployment = Annotated[
    str, Word("deployment"), AfterValidator(_name), Field(description="name or namespace/name")
]
Model = Annotated[str, Word("model"), AfterValidator(_name), Field(description="model name")]
Node = Annotated[str, Word("node"), AfterValidator(_name), Field(description="node name")]
Job = Annotated[str, Word("job"), AfterValidator(_name), Field(description="job name")]
Alert = Annotated[str, Word("alert"), AfterValidator(_name), Field(description="alert name")]
Target = Annotated[
    str,
    Word("target"),
    AfterValidator(_name),
    Field(description="deployment, job, node, gpu:N or host"),
]
Channel = Annotated[str, Word("channel"), Field(description="channel or notice target")]
Image = Annotated[str, Word("image"), Field(description="image name with tag")]
Version = Annotated[
    str,
    Word("version"),
    BeforeValidator(_version),
    AfterValidator(_name),
    Field(description="number such as 3, or alias such as production"),
]
Alias = Annotated[str, Word("alias"), AfterValidator(_name), Field(description="e.g. production")]
Window = Annotated[
    str, Word("window"), AfterValidator(_window), Field(description="duration: 15m, 2h, 1d")
]
Revision = Annotated[int, Word("revision"), Field(ge=1, description="deployment revision")]
Replicas = Annotated[int, Word("count"), Field(ge=0, le=1000, description="number of replicas")]
Count = Annotated[int, Word("count"), Field(ge=1, le=10000)]
Amount = Annotated[
    float, Word("fraction"), Field(gt=0, le=0.95, description="share between 0 and 0.95")
]
Gpu = Annotated[int, Word("gpu"), Field(ge=0, le=1023, description="GPU index")]
XidCode = Annotated[int, Word("xid"), Field(ge=1, le=99_999, description="XID or SXid code")]
Metric = Annotated[str, Word("metric"), Field(description="metric name or PromQL")]
Text = Annotated[str, Word("text"), BeforeValidator(_text), Field(max_length=4000)]
ActionNumber = Annotated[int, Word("action"), Field(ge=1, description="action number")]
Strategy = Annotated[Literal["rolling", "canary", "blue_green"], Word("strategy")]
Comparison = Annotated[
    Literal[">", ">=", "<", "<="], Word("comparison"), Field(description="how to compare")
]
Number = Annotated[float, Word("number"), Field(description="a number, e.g. 85 or 0.05")]
Pattern = Annotated[
    str, Word("pattern"), Field(max_length=500, description="regular expression or plain words")
]
RuleName = Annotated[str, Word("rule"), AfterValidator(_name), Field(description="alert rule name")]

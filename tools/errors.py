"""Errors a tool may raise, in the words of the person who reads them.

    ToolError
    ├── BadArguments   the caller may fix it: unknown name, impossible value, missing argument
    ├── Unavailable    a source does not answer now; what was gathered elsewhere still counts
    ├── Refused        the world's own rules forbid it; says which rule and the remedy
    ├── Failed         the change was tried and did not work
    └── Cancelled      a person stopped it

Anything else that escapes a tool is a bug; the door reports it as such without a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class ToolError(Exception):
    """One clear sentence naming the thing and the remedy, in English and, optionally, Chinese."""

    def __init__(self, en: str, zh: str | None = None) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh or en

    def say(self, lang: str) -> str:
        """The sentence in ``lang`` (``"en"`` or ``"zh"``)."""
        return self.zh if lang == "zh" else self.en


class BadArguments(ToolError):
    """The caller may fix this: an unknown name, an impossible or missing value."""


class Unavailable(ToolError):
    """A source does not answer now. Evidence gathered elsewhere still counts."""

    passes: ClassVar[bool] = True
    """Whether it may end by itself; credentials that ran out are renewed by somebody."""


class Refused(ToolError):
    """A rule of the world forbids it. Says which rule and what would satisfy it."""


class Failed(ToolError):
    """The change was tried and did not work."""


class Cancelled(ToolError):
    """A person stopped it."""


def unknown(kind: str, name: str, known: Iterable[str], zh_kind: str = "") -> BadArguments:
    """The error for a name that does not exist, with its nearest neighbours."""
    names = sorted(set(known))
    import difflib  # only for a slip; loading it is felt at every start

    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or names[:5]
    hint = f" Did you mean {', '.join(near)}?" if near else f" There is no {kind} yet."
    zh_hint = f"你是指 {'、'.join(near)} 吗？" if near else f"目前还没有任何{zh_kind or kind}。"
    return BadArguments(
        f"There is no {kind} named {name!r}.{hint}",
        f"没有名为 {name!r} 的{zh_kind or kind}。{zh_hint}",
    )

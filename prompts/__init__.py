"""What the language model is told: text files with one small door.

``render`` is strict: a missing or unknown fact is an error, so that no placeholder ever reaches a
model. ``digest`` names the wording a conversation was held with.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from string import Template


@cache
def _text(name: str) -> str:
    return files(__name__).joinpath(f"{name}.md").read_text(encoding="utf-8")


def render(name: str, **facts: str) -> str:
    """The text of ``name.md`` with every ``$fact`` filled in.

    Raises:
        KeyError: the text names a fact that was not given.
        TypeError: a fact was given that the text does not name.
    """
    template = Template(_text(name))
    surplus = facts.keys() - set(template.get_identifiers())
    if surplus:
        raise TypeError(f"{name}.md does not name: {', '.join(sorted(surplus))}")
    return template.substitute(facts).strip()


def digest(name: str) -> str:
    """The first 12 hex digits of the text's SHA-256."""
    return hashlib.sha256(_text(name).encode()).hexdigest()[:12]

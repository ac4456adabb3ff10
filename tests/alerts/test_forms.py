"""Lines in the published forms of many programs, and ordinary ones that resemble trouble."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.alerts.signatures.base import Role
from tools.alerts.signatures.line import parse_line
from tools.alerts.signatures.rules import recognise

DATA = Path(__file__).parent / "data"


def lines(name: str) -> Iterator[str]:
    for line in (DATA / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


@pytest.mark.parametrize("entry", list(lines("forms.txt")))
def test_a_published_form_is_read_as_what_it_is(entry: str):
    names, _, text = entry.partition(" | ")
    found = recognise(parse_line(text))
    assert found is not None
    assert found.role is not Role.ADVICE
    assert {found.key, found.category} & set(names.split(","))


@pytest.mark.parametrize("text", list(lines("ordinary.txt")))
def test_an_ordinary_line_accuses_nothing(text: str):
    found = recognise(parse_line(text))
    assert found is None or found.role is Role.ADVICE


def test_the_collections_are_large_enough_to_mean_something():
    assert len(list(lines("forms.txt"))) >= 300
    assert len(list(lines("ordinary.txt"))) >= 100

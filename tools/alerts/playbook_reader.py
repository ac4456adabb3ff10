"""Read playbook files and say exactly what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tools.alerts.facts import Sign, parse_sign
from tools.alerts.playbook import (
    EVIDENCE,
    RISKS,
    SCOPES,
    WEIGHTS,
    Cause,
    Playbook,
    Playbooks,
    Remedy,
)
from tools.alerts.xids import Words
from tools.errors import BadArguments


class PlaybookError(BadArguments):
    """A playbook file is wrong; says which file, which entry and what is expected."""


def _load(text: str, where: str) -> dict[str, Any]:
    import yaml

    try:
        loaded: Any = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        first = str(error).splitlines()[0]
        raise PlaybookError(f"{where} is not YAML: {first}.") from None
    if not isinstance(loaded, dict):
        raise PlaybookError(f"{where} must be a mapping with 'causes' and 'playbooks'.")
    return {str(k): v for k, v in loaded.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


class _Reader:
    """Reads one file; every complaint names the place."""

    def __init__(self, where: str) -> None:
        self.where = where

    def fail(self, entry: str, what: str) -> PlaybookError:
        return PlaybookError(f"{self.where}, {entry}: {what}.")

    def mapping(self, value: object, entry: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.fail(entry, "a mapping is expected")
        return {str(k): v for k, v in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]

    def words(self, value: object, entry: str) -> Words:
        raw = self.mapping(value, entry)
        en, zh = raw.get("en"), raw.get("zh")
        if not isinstance(en, str) or not en.strip():
            raise self.fail(entry, "'en' is missing")
        return Words(en, zh if isinstance(zh, str) and zh.strip() else en)

    def known(self, raw: Mapping[str, Any], allowed: Iterable[str], entry: str) -> None:
        extra = sorted(set(raw) - set(allowed))
        if extra:
            raise self.fail(entry, f"unknown key {extra[0]!r}; allowed: {', '.join(allowed)}")

    def sign(self, text: object, entry: str) -> Sign:
        try:
            return parse_sign(str(text))
        except BadArguments as error:
            raise self.fail(entry, error.en) from None

    def cause(self, name: str, value: object, family: str) -> Cause:
        entry = f"cause {name}"
        raw = self.mapping(value, entry)
        self.known(raw, ("en", "zh", "scope", "change", "signs", "next", "remedy"), entry)
        scope = str(raw.get("scope") or "")
        if scope and scope not in SCOPES:
            raise self.fail(entry, f"scope {scope!r} is none of {', '.join(SCOPES)}")
        signs = [
            (self.sign(text, entry), self.weight(weight, entry))
            for text, weight in self.mapping(raw.get("signs") or {}, entry).items()
        ]
        return Cause(
            name,
            family,
            self.words(raw, entry),
            tuple(signs),
            self.words(raw.get("next"), f"{entry}, next"),
            self.remedy(raw.get("remedy"), f"{entry}, remedy"),
            scope,
            bool(raw.get("change", False)),
        )

    def weight(self, value: object, entry: str) -> float:
        if isinstance(value, str) and value in WEIGHTS:
            return WEIGHTS[value]
        if isinstance(value, int | float) and not isinstance(value, bool) and 0.01 <= value <= 100:
            return float(value)
        raise self.fail(entry, f"weight {value!r} is none of {', '.join(WEIGHTS)} or 0.01 to 100")

    def remedy(self, value: object, entry: str) -> Remedy:
        raw = self.mapping(value, entry)
        self.known(raw, ("en", "zh", "risk", "call"), entry)
        risk = raw.get("risk")
        if risk not in RISKS:
            raise self.fail(entry, f"risk {risk!r} is none of {', '.join(RISKS)}")
        if "call" not in raw:
            return Remedy(self.words(raw, entry), str(risk))
        call = self.mapping(raw["call"], f"{entry}, call")
        self.known(call, ("tool", "args"), f"{entry}, call")
        if not isinstance(call.get("tool"), str):
            raise self.fail(entry, "call needs a 'tool'")
        args = self.mapping(call.get("args") or {}, f"{entry}, args")
        return Remedy(
            self.words(raw, entry), str(risk), call["tool"], {k: str(v) for k, v in args.items()}
        )

    def book(self, name: str, value: object, family: str) -> Playbook:
        entry = f"playbook {name}"
        raw = self.mapping(value, entry)
        self.known(raw, ("en", "zh", "evidence", "priors", "symptoms"), entry)
        evidence = tuple(str(e) for e in raw.get("evidence") or ())
        wrong = [e for e in evidence if e not in EVIDENCE]
        if wrong or not evidence:
            said = f"evidence {wrong[0]!r} is unknown" if wrong else "'evidence' is missing"
            raise self.fail(entry, f"{said}; there are: {', '.join(EVIDENCE)}")
        priors = self.mapping(raw.get("priors"), f"{entry}, priors")
        for cause, prior in priors.items():
            number = isinstance(prior, int | float) and not isinstance(prior, bool)
            if not number or not 0 < prior <= 1:
                raise self.fail(entry, f"the prior of {cause} must be above 0 and at most 1")
        if not priors:
            raise self.fail(entry, "it needs at least one prior")
        symptoms = tuple(self.sign(s, entry) for s in raw.get("symptoms") or ())
        return Playbook(name, family, self.words(raw, entry), evidence, priors, symptoms)


def parse(sources: Mapping[str, str]) -> Playbooks:
    """Playbooks from texts by their names (later ones may replace earlier entries).

    Raises:
        PlaybookError: names the file, the entry and what is expected.
    """
    causes: dict[str, Cause] = {}
    books: dict[str, Playbook] = {}
    for where, text in sources.items():
        raw, reader = _load(text, where), _Reader(where)
        reader.known(raw, ("family", "causes", "playbooks"), "top level")
        family = str(raw.get("family") or Path(where).stem)
        for name, value in reader.mapping(raw.get("causes") or {}, "causes").items():
            causes[name] = reader.cause(name, value, family)
        for name, value in reader.mapping(raw.get("playbooks") or {}, "playbooks").items():
            books[name] = reader.book(name, value, family)
    for book in books.values():
        for cause in book.priors:
            if cause not in causes:
                raise PlaybookError(f"playbook {book.name} names the unknown cause {cause!r}.")
    return Playbooks(causes, books)

"""Live names of the fleet, found in a request with typos, aliases, other separators, namespaces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from agent.offline.slots import numbers
from agent.offline.spelling import distance
from agent.offline.text import Span
from agent.offline.text import pattern as compiled

Kind = str
_PIECE = compiled(r"[a-z]+|\d+")
_UNIT = compiled(r"(?<![a-z0-9])[#@]?[a-z0-9][a-z0-9._/@:+-]*[a-z0-9]|[a-z0-9]")
_HUMP = compiled(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_MOST_PIECES = 8
_PREFIX = compiled(r"\b(?:deploy|deployments?|svc|services?|pods?|nodes?|jobs?)/$")
_TAG = compiled(r"v\d|latest\b")
_NUMBERED_HAN = compiled(
    rf"第?(?P<n>\d+|{numbers.HAN})\s*号?\s*(?P<family>gpu|cpu|tpu)?\s*(?:节点|机器|主机|node)(?!\s*-?\d)"
)
_NUMBERED = compiled(
    rf"(?<![\w-])(?:(?P<f>gpu|cpu|tpu)[ -])?node (?:number |no\.? ?|#)?(?P<n>\d+|{numbers.ENGLISH})\b"
    r"(?: (?:of|in|from) the (?P<family>\w+) (?:pool|group|nodes|rack|cluster))?"
)


@dataclass(frozen=True)
class Names:
    """What the fleet calls its things: kind → (name, aliases…) for each.

    Kinds are those of :class:`tools.words.Word`: deployment, model, node, job, alert, channel,
    image, person, rule, schedule.
    """

    deployments: tuple[tuple[str, ...], ...] = ()
    models: tuple[tuple[str, ...], ...] = ()
    nodes: tuple[tuple[str, ...], ...] = ()
    jobs: tuple[tuple[str, ...], ...] = ()
    alerts: tuple[tuple[str, ...], ...] = ()
    channels: tuple[tuple[str, ...], ...] = ()
    images: tuple[tuple[str, ...], ...] = ()
    people: tuple[tuple[str, ...], ...] = ()
    others: Mapping[str, tuple[tuple[str, ...], ...]] = field(
        default_factory=dict[str, tuple[tuple[str, ...], ...]]
    )
    """Further kinds (``rule``, ``schedule``, …) by the word of the argument."""

    def of(self, kind: Kind) -> tuple[str, ...]:
        """The proper names of one kind."""
        return tuple(entry[0] for entry in self.entries().get(kind, ()))

    def entries(self) -> dict[Kind, tuple[tuple[str, ...], ...]]:
        """Everything, by kind."""
        return {
            "deployment": self.deployments,
            "model": self.models,
            "node": self.nodes,
            "job": self.jobs,
            "alert": self.alerts,
            "channel": self.channels,
            "image": self.images,
            "person": self.people,
            **self.others,
        }


@dataclass(frozen=True, slots=True)
class Found:
    """A name in the text: what it may mean, kind → proper names (several: ambiguous)."""

    span: Span
    means: Mapping[Kind, tuple[str, ...]]
    known: bool = True
    typo: bool = False


class Gazetteer:
    """Looks names up by their letters and numbers only: ``GPU node 5`` is ``gpu-node-05``."""

    def __init__(self, names: Names) -> None:
        self._means: dict[str, dict[Kind, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._plain: set[str] = set()
        for kind, entries in names.entries().items():
            for entry in entries:
                for spelling in chain(entry, _shorter(entry[0])):
                    self._add(kind, spelling, entry[0])
        self._by_length: dict[int, list[str]] = defaultdict(list)
        for key in self._means:
            self._by_length[len(key)].append(key)
        self._numbered: dict[str, list[str]] = defaultdict(list)
        for name in names.of("node"):
            pieces = _pieces(name)
            if pieces[-1].isdigit():
                self._numbered[pieces[-1].lstrip("0")].append(name)
        self.kinds = frozenset(kind for kind, entries in names.entries().items() if entries)

    def _add(self, kind: Kind, spelling: str, name: str) -> None:
        if spelling[:1] in "#@":
            return  # found by its shape; without the mark it is an ordinary word
        key = _key(_pieces(spelling))
        known = self._means[key][kind]
        if name not in known:
            known.append(name)
        camel = _key(_HUMP.findall(spelling))
        if camel and camel != key and name not in self._means[camel][kind]:
            self._means[camel][kind].append(name)

    def find(self, low: str, words: Sequence[str] | frozenset[str]) -> Iterator[Found]:
        """Every known name; ``words`` are ordinary words that are never a typo of a name."""
        pieces = [(m.group(), Span(*m.span())) for m in _PIECE.finditer(low)]
        taken = -1
        for i, (_, span) in enumerate(pieces):
            if i <= taken:
                continue
            for j in range(min(len(pieces), i + _MOST_PIECES), i, -1):
                if not _together(low, pieces, i, j):
                    continue
                means = self._means.get(_key([p for p, _ in pieces[i:j]]))
                if means and _apart(low, pieces[i:j], means):
                    continue
                if means and _whole(low, span.start, pieces[j - 1][1].end):
                    taken = j - 1
                    yield Found(Span(span.start, pieces[j - 1][1].end), _frozen(means))
                    break
        yield from self._nodes(low)
        yield from self._typos(low, frozenset(words))

    def beginning(self, said: str) -> dict[Kind, tuple[str, ...]]:
        """The names of which ``said`` is only the beginning: ``gpu-node`` is twelve nodes."""
        found: dict[Kind, list[str]] = defaultdict(list)
        for key, means in self._means.items():
            if key.startswith(_key(_pieces(said))):
                for kind, proper in means.items():
                    found[kind] += [n for n in proper if n not in found[kind]]
        return {kind: tuple(proper) for kind, proper in found.items() if len(proper) > 1}

    def _nodes(self, low: str) -> Iterator[Found]:
        """``5号GPU节点``, ``node 6 of the gpu pool``, ``node 3``: a node by its number."""
        for match in chain(_NUMBERED_HAN.finditer(low), _NUMBERED.finditer(low)):
            number, family = (
                numbers.whole(match["n"]),
                match["family"] or match.groupdict().get("f") or "",
            )
            same = [n for n in self._numbered.get(str(number), ()) if n.startswith(family)]
            name = f"{family}-node-{number}" if family else f"node-{number}"
            known = tuple(same) or (name,)
            yield Found(Span(*match.span()), {"node": known}, known=bool(same))

    def _typos(self, low: str, words: frozenset[str]) -> Iterator[Found]:
        for match in _UNIT.finditer(low):
            said = match.group()
            letters = "".join(c for c in said if c.isalpha())
            if len(letters) < 4 or said in words or _key(_pieces(said)) in self._means:
                continue
            near = self._nearest(said)
            if near:
                yield Found(Span(*match.span()), _frozen(self._means[near]), typo=True)

    def _nearest(self, said: str) -> str | None:
        key = _key(_pieces(said))
        digits = [p for p in _pieces(said) if p.isdigit()]
        most = 1 if len(key) < 7 else 2
        best: tuple[int, str] | None = None
        for length in range(len(key) - most, len(key) + most + 1):
            for other in self._by_length.get(length, ()):
                if other[0] != key[0] and other[:2] != key[1::-1]:
                    continue
                gap = distance(key, other, most)
                if (
                    gap <= most
                    and _digits(other) == "".join(digits)
                    and (not best or gap < best[0])
                ):
                    best = (gap, other)
        return best[1] if best else None


def _shorter(name: str) -> tuple[str, ...]:
    """A name without its namespace."""
    return (name.rsplit("/", 1)[1],) if "/" in name and ":" not in name else ()


def _pieces(spelling: str) -> list[str]:
    return _PIECE.findall(spelling.lower()) or [spelling.lower()]


def _key(pieces: Sequence[str]) -> str:
    return "".join((p.lstrip("0") or "0") if p.isdigit() else p.lower() for p in pieces)


def _digits(key: str) -> str:
    return "".join(c for c in key if c.isdigit())


def _together(low: str, pieces: Sequence[tuple[str, Span]], i: int, j: int) -> bool:
    """Is there nothing but one separator between neighbouring pieces?"""
    return all(
        (len(gap := low[pieces[k][1].end : pieces[k + 1][1].start]) <= 1 and gap in "-_ ./:")
        or not gap
        for k in range(i, j - 1)
    )


def _whole(low: str, start: int, end: int) -> bool:
    """Is it a word of its own, not a part of a longer identifier?"""
    before = low[start - 1] if start else " "
    after = low[end] if end < len(low) else " "
    beyond = low[end + 1] if end + 1 < len(low) else " "
    if before == "/" and _PREFIX.search(low[:start]):
        before = " "
    if before.isascii() and (before.isalnum() or before in "-_/"):
        return False
    if after.isascii() and after.isalnum():
        return False
    if after == ":":
        return not (beyond.isdigit() or _TAG.match(low[end + 1 :]))
    return not (after in "-_/.@" and beyond.isascii() and beyond.isalnum())


def _apart(
    low: str, pieces: Sequence[tuple[str, Span]], means: Mapping[Kind, Sequence[str]]
) -> bool:
    """``staging ranker``: a namespace said as a word of its own, which may also be an alias."""
    spaces = {name.split("/")[0] for names in means.values() for name in names if "/" in name}
    written = low[pieces[0][1].start : pieces[-1][1].end]
    return " " in written and written.split(" ")[0] in spaces and "/" not in written


def _frozen(means: Mapping[Kind, Sequence[str]]) -> dict[Kind, tuple[str, ...]]:
    return {kind: tuple(found) for kind, found in means.items()}

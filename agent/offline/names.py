"""Live names of the fleet, found in a request with typos, aliases, other separators, namespaces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from agent.offline.pieces import PIECE, apart, keyed, pieces_of, together, whole
from agent.offline.slots import numbers
from agent.offline.spelling import distance
from agent.offline.text import Span, fold
from agent.offline.text import pattern as compiled

Kind = str
_UNIT = compiled(r"(?<![a-z0-9])[#@]?[a-z0-9][a-z0-9._/@:+-]*[a-z0-9]|[a-z0-9]")
_HUMP = compiled(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_TWO = compiled(r"(?<![\w/-])(?P<a>[a-z]{2,})(?= (?P<b>[a-z]{2,})(?![\w/-]))")
_LATIN = compiled(r"[a-z0-9_-][a-z0-9_-]")
"""Two characters between which no name begins or ends."""
_MOSTPIECES = 8
_ARTICLES = frozenset({"the", "a", "an", "this", "that", "our", "my", "your"})
_NUMBERED_HAN = compiled(
    rf"(?<![a-z0-9_-])第?(?P<n>\d+|{numbers.HAN})\s*号?\s*(?P<family>gpu|cpu|tpu)?\s*(?:节点|机器|主机|node)(?!\s*-?\d)"
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
        self._literal: dict[str, tuple[Kind, str]] = {}
        for kind, entries in names.entries().items():
            for entry in entries:
                for spelling in chain(entry, _shorter(entry[0])):
                    self._add(kind, spelling, entry[0])
        self._serving(names)
        self._by_length: dict[int, list[str]] = defaultdict(list)
        for key in self._means:
            self._by_length[len(key)].append(key)
        self._numbered: dict[str, list[str]] = defaultdict(list)
        for name in names.of("node"):
            pieces = pieces_of(name)
            if pieces[-1].isdigit():
                self._numbered[pieces[-1].lstrip("0")].append(name)
        self.listed = {kind: names.of(kind) for kind in names.entries()}
        self.kinds = frozenset(kind for kind, entries in names.entries().items() if entries)

    def _serving(self, names: Names) -> None:
        """A model that no deployment is called after stands for those that begin with its name."""
        deployments = names.of("deployment")
        for model in names.of("model"):
            means = self._means[keyed(pieces_of(model))]
            if "deployment" not in means:
                begin = [d for d in deployments if d.rsplit("/", 1)[-1].startswith(f"{model}-")]
                means.update({"deployment": begin} if begin else {})

    def _add(self, kind: Kind, spelling: str, name: str) -> None:
        if kind == "channel" or not spelling.isascii():
            self._literal[fold(spelling)] = (kind, name)
        if spelling[:1] in "#@":
            return  # without the mark it is an ordinary word
        key = keyed(pieces_of(spelling))
        known = self._means[key][kind]
        if name not in known:
            known.append(name)
        camel = keyed(_HUMP.findall(spelling))
        if camel and camel != key and name not in self._means[camel][kind]:
            self._means[camel][kind].append(name)

    def find(self, low: str, words: Sequence[str] | frozenset[str]) -> Iterator[Found]:
        """Every known name; ``words`` are ordinary words that are never a typo of a name."""
        yield from self._written(low)
        pieces = [(m.group(), Span(*m.span())) for m in PIECE.finditer(low)]
        taken = -1
        for i, (_, span) in enumerate(pieces):
            if i <= taken:
                continue
            for j in range(min(len(pieces), i + _MOSTPIECES), i, -1):
                if not together(low, pieces, i, j):
                    continue
                means = self._means.get(keyed([p for p, _ in pieces[i:j]]))
                if means and apart(low, pieces[i:j], means):
                    continue
                if means and whole(low, span.start, pieces[j - 1][1].end):
                    taken = j - 1
                    yield Found(Span(span.start, pieces[j - 1][1].end), _frozen(means))
                    break
        yield from self._nodes(low)
        yield from self._typos(low, frozenset(words))

    def beginning(self, said: str) -> dict[Kind, tuple[str, ...]]:
        """The names of which ``said`` is only the beginning: ``gpu-node`` is twelve nodes."""
        found: dict[Kind, list[str]] = defaultdict(list)
        for key, means in self._means.items():
            if key.startswith(keyed(pieces_of(said))):
                for kind, proper in means.items():
                    found[kind] += [n for n in proper if n not in found[kind]]
        return {kind: tuple(proper) for kind, proper in found.items() if len(proper) > 1}

    def ending(self, said: str) -> dict[Kind, tuple[str, ...]]:
        """The names of one kind that ``said`` is the end of: ``l4-07`` is ``gpu-l4-07``."""
        pieces = [p.lstrip("0") or "0" for p in pieces_of(said)]
        found: dict[Kind, set[str]] = defaultdict(set)
        for means in self._means.values():
            for kind, proper in means.items():
                for name in proper:
                    parts = [p.lstrip("0") or "0" for p in pieces_of(name)]
                    if len(parts) > len(pieces) > 1 and parts[-len(pieces) :] == pieces:
                        found[kind].add(name)
        if len({name for names in found.values() for name in names}) > 1 < len(found):
            return {}
        return {kind: tuple(sorted(names)) for kind, names in found.items()}

    def _written(self, low: str) -> Iterator[Found]:
        """Channels, and names that are not all Latin letters, exactly as they are listed."""
        for spelling, (kind, name) in self._literal.items():
            at = low.find(spelling)
            while at >= 0:
                end = at + len(spelling)
                if not (
                    _LATIN.match(low[at - 1 : at] + low[at]) or _LATIN.match(low[end - 1 : end + 1])
                ):
                    yield Found(Span(at, end), {kind: (name,)})
                at = low.find(spelling, end)

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
            if (
                len(letters) < 4
                or said[0] in "#@"
                or said in words
                or keyed(pieces_of(said)) in self._means
            ):
                continue
            near = self._nearest(said)
            if near:
                yield Found(Span(*match.span()), _frozen(self._means[near]), typo=True)
        for match in _TWO.finditer(low):
            if (
                len(match["a"] + match["b"]) < 7
                or match["a"] in _ARTICLES
                or match["a"] in self._means
                or match["b"] in self._means
                or words.issuperset((match["a"], match["b"]))
            ):
                continue
            near = self._nearest(match["a"] + match["b"])
            if near and near not in (match["a"], match["b"]):
                yield Found(
                    Span(match.start(), match.end("b")), _frozen(self._means[near]), typo=True
                )

    def _nearest(self, said: str) -> str | None:
        key = keyed(pieces_of(said))
        numbered = "".join(c for c in key if c.isdigit())
        most = 1 if len(key) < 7 else 2
        best: tuple[int, str] | None = None
        for length in range(len(key) - most, len(key) + most + 1):
            for other in self._by_length.get(length, ()):
                if other[0] != key[0] and other[:2] != key[1::-1]:
                    continue
                gap = distance(key, other, most)
                same = numbered == "".join(c for c in other if c.isdigit())
                if gap <= most and same and (not best or gap < best[0]):
                    best = (gap, other)
        return best[1] if best else None


def _shorter(name: str) -> tuple[str, ...]:
    """A name without its namespace."""
    return (name.rsplit("/", 1)[1],) if "/" in name and ":" not in name else ()


def _frozen(means: Mapping[Kind, Sequence[str]]) -> dict[Kind, tuple[str, ...]]:
    """Names without a namespace first."""
    return {kind: tuple(sorted(found, key=lambda n: "/" in n)) for kind, found in means.items()}

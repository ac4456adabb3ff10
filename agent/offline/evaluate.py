"""Scores an understander on labelled requests: by tool, by language, by kind of error."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.offline.slots import metrics, schedule
from agent.offline.text import fold, language
from agent.offline.turns import Understanding
from tools.contract import Call, Json, Tool
from tools.errors import BadArguments
from tools.words import parse_window

Understander = Callable[[str], Understanding]
_ALIASES = {"for": "duration"}


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled request."""

    text: str
    calls: tuple[Call, ...]
    clarify: bool
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A request that was not understood as labelled."""

    case: Case
    got: Understanding
    kind: str


@dataclass
class Score:
    """All counts of a run."""

    total: Counter[str] = field(default_factory=Counter[str])
    right: Counter[str] = field(default_factory=Counter[str])
    by_tool: dict[str, list[int]] = field(
        default_factory=lambda: defaultdict[str, list[int]](lambda: [0, 0])
    )
    faults: list[Fault] = field(default_factory=list[Fault])
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    def accuracy(self, lang: str) -> float:
        """Share of right requests in one language, 0..1."""
        return self.right[lang] / self.total[lang] if self.total[lang] else 1.0

    def false_changes(self) -> list[Fault]:
        """Changes proposed although none was asked: the worst error."""
        return [f for f in self.faults if f.kind == "false change"]


def load(path: Path) -> list[Case]:
    """Read a request file: one JSON object a line with ``text``, ``calls`` and ``clarify``.

    Raises:
        BadArguments: a line is not such an object; names the line.
    """
    cases: list[Case] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            calls = tuple(Call(c["tool"], c.get("args", {})) for c in row["calls"])
            cases.append(
                Case(row["text"], calls, bool(row.get("clarify")), tuple(row.get("tags", ())))
            )
        except (ValueError, KeyError, TypeError) as error:
            raise BadArguments(
                f"Line {number} of {path.name} is not a labelled request ({error!r}); "
                'write {"text": …, "calls": [{"tool": …, "args": {…}}], "clarify": false}.',
                f"{path.name} 第 {number} 行不是带标注的请求（{error!r}）。",
            ) from None
    return cases


def score(cases: Sequence[Case], understand: Understander, tools: Sequence[Tool]) -> Score:
    """Run every case."""
    known = {tool.name: tool for tool in tools}
    result = Score()
    for case in cases:
        got = understand(case.text)
        lang = language(case.text)
        kind = fault(case, got, known)
        result.total[lang] += 1
        label = case.calls[0].tool if case.calls else "clarify" if case.clarify else "none"
        result.by_tool[label][1] += 1
        if kind is None:
            result.right[lang] += 1
            result.by_tool[label][0] += 1
            continue
        result.faults.append(Fault(case, got, kind))
        seen = got.calls[0].tool if got.calls else "clarify" if got.clarify else "none"
        if seen != label:
            result.confusion[label, seen] += 1
    return result


def fault(case: Case, got: Understanding, tools: Mapping[str, Tool]) -> str | None:
    """The kind of error, or ``None`` when tool and key arguments are right."""
    wanted = {c.tool for c in case.calls}
    for call in got.calls:
        tool = tools.get(call.tool)
        if tool and tool.effect != "read" and call.tool not in wanted:
            return "false change"
    if case.clarify:
        return None if got.clarify and not got.calls else "did not ask"
    if not case.calls:
        return (
            None
            if not got.calls and not got.clarify
            else "asked needlessly"
            if got.clarify
            else "false call"
        )
    if got.clarify or not got.calls:
        return "asked needlessly" if got.clarify else "no call"
    if [c.tool for c in got.calls] != [c.tool for c in case.calls]:
        return "wrong tool" if len(got.calls) == len(case.calls) else "wrong plan"
    good = all(_same(w, g, tools.get(w.tool)) for w, g in zip(case.calls, got.calls, strict=True))
    return None if good else "wrong argument"


def _same(wanted: Call, got: Call, tool: Tool | None) -> bool:
    if tool is None:
        return dict(wanted.args) == dict(got.args)
    declared = {p.name for p in tool.parameters}
    args = {k if k in declared else _ALIASES.get(k, k): v for k, v in wanted.args.items()}
    words = {p.name: p.word for p in tool.parameters}
    for name, value in args.items():
        if _typed(words.get(name, ""), got.args.get(name)) != _typed(words.get(name, ""), value):
            return False
    defaults = {p.name: p.default for p in tool.parameters}
    produced = {"version"} if got.args.get("version") == "latest" else set[str]()
    extra = set(got.args) - set(args) - produced
    return all(_plain(got.args[n]) == _plain(defaults.get(n)) for n in extra)


def _typed(word: str, value: Json) -> Json:
    """A value in the one way its kind may be written: ``every day at 9`` is ``0 9 * * *``."""
    if isinstance(value, str):
        if word == "when":
            found = schedule.find(fold(value))
            return found[1] if found else _plain(value)
        if word == "window":
            return _seconds(value)
        if word == "metric":
            return _metric(value)
        if word in _NUMBERED and value.strip().lstrip("#v").isdigit():
            return float(value.strip().lstrip("#v"))
    if word in _CHOSEN and isinstance(value, str):
        return value.replace("-", "_").replace(".", "_").lower()
    return _plain(value)


_NUMBERED = ("action", "sample", "version", "revision", "xid", "count", "gpu")
_CHOSEN = ("strategy", "scheme", "method", "format")


def _metric(value: str) -> str:
    """One name for each metric: ``p95_latency`` and ``latency_p95`` are the same."""
    plain = fold(value)
    said = next(iter(metrics.find(plain.replace("_", " "))), None)
    return said[1] if said and said[0].end - said[0].start == len(plain) else plain


def _seconds(value: str) -> Json:
    try:
        return parse_window(value).total_seconds()
    except ValueError:
        return _plain(value)


def _plain(value: Json) -> Json:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return round(float(value), 3)
    if isinstance(value, str):
        return value.strip().strip("。.").lower()
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value


def table(result: Score, worst: int = 12) -> str:
    """The report of ``steward eval``: ≤ 80 columns."""
    lines = ["language      right  total  share"]
    lines += [
        f"{lang:<12} {result.right[lang]:>6} {result.total[lang]:>6}  {result.accuracy(lang):6.1%}"
        for lang in sorted(result.total)
    ]
    kinds = Counter(f.kind for f in result.faults)
    lines += ["", "error               count", *(f"{k:<18} {n:>6}" for k, n in kinds.most_common())]
    lines += ["", "tool                       right  total  share"]
    for tool, (right, total) in sorted(result.by_tool.items(), key=lambda r: r[1][0] / r[1][1]):
        lines.append(f"{tool:<25} {right:>6} {total:>6}  {right / total:6.1%}")
    if result.confusion:
        lines += ["", "expected                  understood as             count"]
        lines += [f"{a:<25} {b:<25} {n:>5}" for (a, b), n in result.confusion.most_common(worst)]
    return "\n".join(lines)

"""Scores the whole planner on authors that the weights did not learn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from agent.offline import evaluate, weights
from agent.offline.brain import Brain, Names
from agent.offline.parse import Parser
from bench.intents import corpus
from tools.catalog import TOOLS
from tools.contract import Effect

_CHANGING = frozenset(tool.name for tool in TOOLS if tool.effect is not Effect.READ)


def report(data: bytes, authors: Sequence[str], verbose: bool) -> None:
    """Print right answers, kinds of errors and unasked changes, by author and names listed."""
    base = Brain(TOOLS, Names(), Parser(TOOLS, weights.loads(data)))
    for author in authors:
        cases = corpus.cases(author)
        listed = {"all": corpus.fleet(author), "few": corpus.few(author), "none": Names()}
        for mode, names in listed.items():
            found = evaluate.score(cases, base.named(names).understand, TOOLS)
            kinds = Counter(fault.kind for fault in found.faults)
            right = 1 - len(found.faults) / len(cases)
            unasked = sum(map(_unasked, found.faults))
            print(f"{author} {mode:<5} {right:6.1%}  unasked {unasked}  {dict(kinds)}", flush=True)
            if verbose and mode == "all":
                _show(found.faults)


def _unasked(fault: evaluate.Fault) -> bool:
    """Is a change proposed although none at all was asked for?"""
    wanted = {call.tool for call in fault.case.calls}
    return wanted.isdisjoint(_CHANGING) and any(c.tool in _CHANGING for c in fault.got.calls)


def _show(faults: Sequence[evaluate.Fault]) -> None:
    for fault in faults:
        wanted = [(c.tool, dict(c.args)) for c in fault.case.calls]
        got = [(c.tool, dict(c.args)) for c in fault.got.calls]
        said = (fault.got.clarify or fault.got.reply or "")[:90]
        print(f"[{fault.kind}] {fault.case.text}\n    want {wanted}\n    got  {got} {said}")

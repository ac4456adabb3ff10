"""Declared phrases and paraphrases as whole requests: something plausible in every hole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random

from agent.offline import examples
from agent.offline.declared import Label, choices
from agent.offline.names import Names
from bench.intents.corpus import PHRASES, Sample, fleet, fleets, labels
from tools.contract import Parameter

_HOLE = re.compile(r"\{(\w+)\}")
_VALUES: dict[str, tuple[str, ...]] = {
    "version": ("3", "v5", "12", "v27", "production", "staging"),
    "alias": ("production", "staging", "champion", "candidate"),
    "window": ("2h", "30m", "3 days", "15 minutes", "an hour"),
    "fraction": ("40%", "30 percent", "a third", "0.2"),
    "count": ("2", "3", "6", "12", "twenty"),
    "number": ("90", "0.05", "200", "5%"),
    "metric": ("error_rate", "latency", "gpu memory", "cpu", "throughput"),
    "revision": ("2", "7", "14"),
    "gpu": ("0", "3", "7"),
    "xid": ("79", "31", "63", "48"),
    "action": ("4", "12", "305"),
    "when": ("every day at 9", "every monday 10am", "at 18:00 on weekdays"),
    "schedule": ("weekly-report", "daily-digest", "exec-brief"),
    "rule": ("SlowRanker", "gpu-hot", "disk-low"),
    "text": ("a bad card", "the rollout is done", "a full disk"),
    "sample": ("17", "tx-1234", "msg-88"),
    "pattern": ("OOM", "timeout", "KeyError"),
    "params": ("lr 0.001", "batch size 64", "3 epochs"),
    "points": ("2 points",),
    "factor": ("2x",),
    "path": ("model.pt", "/tmp/new.safetensors"),
}
_WEIGHT = 0.3
"""A phrase counts less than a request somebody wrote."""


def phrases() -> Iterator[Sample]:
    """Every phrase of every label once."""
    dice = Random(20)
    for item in labels():
        for phrase in examples.every(item.name, item.phrases):
            names = fleet(dice.choice(fleets()))
            text = _HOLE.sub(_filler(item, names, dice), phrase)
            yield Sample(PHRASES, text, (item.name,), names, _WEIGHT)


def _filler(item: Label, names: Names, dice: Random) -> Callable[[re.Match[str]], str]:
    by_name = {p.name: p for p in item.parameters}

    def fill(hole: re.Match[str]) -> str:
        parameter = by_name.get(hole[1])
        return _value(parameter, names, dice) if parameter else "it"

    return fill


def _value(parameter: Parameter, names: Names, dice: Random) -> str:
    closed = choices(parameter)
    if closed:
        return dice.choice(closed)
    word = parameter.word
    if word == "target":
        word = dice.choice(("deployment", "deployment", "job", "node"))
    if word == "image":
        return f"{dice.choice(names.of('model'))}:{dice.randint(1, 30)}"
    return dice.choice(names.of(word) or _VALUES.get(word, ("x",)))

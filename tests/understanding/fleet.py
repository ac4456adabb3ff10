"""The fleet that the labelled requests talk about."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from agent.offline.brain import Brain, Names
from tools.catalog import TOOLS

DATA = Path(__file__).parent / "data"


def _each(*names: str) -> tuple[tuple[str, ...], ...]:
    return tuple((name,) for name in names)


NAMES = Names(
    deployments=_each(
        "ranker",
        "sentiment",
        "digits",
        "fraud-detector",
        "prod/llm-gateway",
        "staging/llm-gateway",
        "recsys-v2",
        "search-embedder",
        "toxicity-filter",
    ),
    models=_each("digits", "ranker", "sentiment", "fraud-detector", "toxicity", "embedder"),
    nodes=_each(*(f"gpu-node-{i:02d}" for i in range(1, 13)), "cpu-node-3"),
    jobs=_each("train-digits-7", "tune-ranker-2", "prune-digits-4", "train-sentiment-12"),
    alerts=_each(
        "HighErrorRate",
        "GPUXidFatal",
        "RankerLatencyHigh",
        "DiskAlmostFull",
        "ModelDrift",
        "GPUHighTemperature",
    ),
    channels=_each("#ml-oncall", "#alerts", "oncall-email", "pagerduty-primary"),
)


@cache
def brain() -> Brain:
    """The planner of the real catalogue with this fleet's names."""
    return Brain(TOOLS, NAMES)

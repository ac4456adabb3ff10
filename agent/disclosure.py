"""Which tools a request needs: a small core, what its words point to, and a way to the rest.

Keeps the first request small (a model reads every listed tool on every step) while every tool of
the catalogue stays one step away through ``find_tools``.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

from tools.contract import Tool

CORE = ("status_summary", "list_deployments", "deployment_status", "diagnose")
LISTED = 12
"""How many further tools a request lists beside the core."""
OFTEN = (
    "read_logs",
    "deployment_history",
    "metric_query",
    "list_alerts",
    "gpu_status",
    "host_status",
    "list_jobs",
    "job_status",
    "list_versions",
    "roll_back",
    "restart",
    "scale",
)
"""What fills the list when a request's words point to fewer."""
_WORD = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]")


def _terms(text: str) -> list[str]:
    words = _WORD.findall(text.lower().replace("_", " "))
    pairs = [a + b for a, b in itertools.pairwise(words) if len(a) == len(b) == 1]
    return [w.rstrip("s") if len(w) > 3 else w for w in words] + pairs


class Disclosure:
    """Ranks the catalogue for a request by the words of names, summaries and example phrases."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self._tools = tools

    @cached_property
    def _index(self) -> tuple[dict[str, Counter[str]], dict[str, float]]:
        documents = {
            name: Counter(
                _terms(" ".join([name, tool.summary, *tool.phrases.en, *tool.phrases.zh]))
            )
            for name, tool in self._tools.items()
        }
        seen = Counter(term for terms in documents.values() for term in terms)
        weight = {t: math.log(1 + len(documents) / n) for t, n in seen.items()}
        return documents, weight

    def rank(self, text: str, limit: int) -> list[str]:
        """Names of the tools whose declarations share the most telling words with ``text``."""
        documents, weight = self._index
        wanted = set(_terms(text))
        scores: dict[str, float] = {}
        for name, terms in documents.items():
            length = math.sqrt(sum(terms.values()))
            score = sum(weight[t] * (1 + math.log(terms[t])) for t in wanted if t in terms)
            if score:
                scores[name] = score / length
        return sorted(scores, key=lambda n: -scores[n])[:limit]

    def first(self, text: str, recent: Sequence[str]) -> list[str]:
        """Tools to list with a request: the core, those just used, those the words point to."""
        core = [n for n in CORE if n in self._tools]
        used = [n for n in dict.fromkeys(reversed(recent)) if n in self._tools][:3]
        often = [n for n in OFTEN if n in self._tools]
        listed = dict.fromkeys([*core, *used, *self.rank(text, LISTED), *often])
        return list(listed)[: len(core) + LISTED]

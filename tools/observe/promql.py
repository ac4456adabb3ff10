"""Names inside PromQL: which a query needs, and how to say them to the exporters that are there.

DCGM renamed 328 fields in release 4.6, its exporter renamed ``Hostname``, and the Prometheus
operator prefixes workload labels with ``exported_``. :func:`resolve` rewrites a query in either
generation into the one that is exported, and reports names that nobody exports, so that an absent
counter is never read as zero errors.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

_FIELDS = Path(__file__).parent / "data/dcgm_fields.txt"
_TOKEN = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)
      | (?P<number>(?<![\w.])\d[\w.]*)
      | (?P<name>[A-Za-z_:][\w:]*)
      | (?P<other>\s+|[=!]~|[=!<>]=|.)""",
    re.VERBOSE | re.DOTALL,
)
_GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_WORDS = _GROUPING | {
    "and",
    "or",
    "unless",
    "bool",
    "offset",
    "atan2",
    "inf",
    "nan",
    "start",
    "end",
}
_LABELS = (
    ("Hostname", "hostname"),
    ("exported_namespace", "namespace"),
    ("exported_pod", "pod"),
    ("exported_container", "container"),
)
_RENAMED = dict(_LABELS) | {b: a for a, b in _LABELS}

Kind = Literal["metric", "label", "text", "rest"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """A query in the words of the exporters, and the metric names nobody exports."""

    query: str
    missing: tuple[str, ...]


@cache
def _generations() -> Mapping[str, str]:
    pairs = [line.split() for line in _FIELDS.read_text("utf-8").splitlines() if line.strip()]
    return {pair[0]: pair[1] for pair in pairs} | {pair[1]: pair[0] for pair in pairs}


def tokens(query: str) -> Iterator[tuple[Kind, str]]:
    """The query cut into metric names, label names, string literals and everything else."""
    found = [(m.lastgroup or "other", m.group()) for m in _TOKEN.finditer(query)]
    braces, grouping, waiting = 0, False, False
    for place, (group, text) in enumerate(found):
        following = next((t for _, t in found[place + 1 :] if not t.isspace()), "")
        if group == "string":
            yield "text", text
        elif group == "name":
            kind, waiting = _name(text, following, braces > 0 or grouping, waiting)
            yield kind, text
        else:
            braces += (text == "{") - (text == "}")
            if text == "(" and waiting:
                grouping, waiting = True, False
            elif text == ")" and grouping:
                grouping = False
            yield "rest", text


def _name(text: str, following: str, label: bool, waiting: bool) -> tuple[Kind, bool]:
    lower = text.lower()
    if label:
        return "label", waiting
    if lower in _GROUPING and following == "(":
        return "rest", True
    function = following == "(" or (following in _GROUPING and lower in _AGGREGATIONS)
    return ("rest" if function or lower in _WORDS else "metric"), waiting


_AGGREGATIONS = frozenset(
    "sum min max avg group stddev stdvar count count_values bottomk topk quantile limitk "  # noqa: SIM905
    "limit_ratio".split()
)


def metric_names(query: str) -> tuple[str, ...]:
    """The metrics a query reads, in order, once each."""
    return tuple(dict.fromkeys(text for kind, text in tokens(query) if kind == "metric"))


def resolve(query: str, exported: Collection[str], labels: Collection[str] = ()) -> Resolved:
    """Rewrite ``query`` to the names in ``exported`` and, where known, ``labels``."""
    missing: list[str] = []
    parts: list[str] = []
    inside = 0
    for kind, text in tokens(query):
        if text in "{}" and kind == "rest":
            inside += 1 if text == "{" else -1
        if kind == "metric":
            text = _exported(text, exported, missing)
        elif kind == "label":
            text = _label(text, labels)
        elif kind == "text" and not inside and text[1:-1] in _RENAMED:
            text = text[0] + _label(text[1:-1], labels) + text[-1]  # label_replace names labels so
        parts.append(text)
    return Resolved("".join(parts), tuple(dict.fromkeys(missing)))


def _exported(name: str, exported: Collection[str], missing: list[str]) -> str:
    if name in exported:
        return name
    other = _generations().get(name)
    if other is not None and other in exported:
        return other
    missing.append(name)
    return name


def _label(name: str, labels: Collection[str]) -> str:
    other = _RENAMED.get(name)
    return other if other and other in labels and name not in labels else name


_EXPORTERS = (
    ("node_", "run node-exporter on every node", "请在每个节点运行 node-exporter"),
    ("kube_", "run kube-state-metrics", "请运行 kube-state-metrics"),
    ("container_", "scrape the kubelet's cAdvisor metrics", "请抓取 kubelet 的 cAdvisor 指标"),
    ("vllm:", "scrape vLLM's metrics endpoint", "请抓取 vLLM 的指标端点"),
    ("nv_", "scrape Triton's metrics port", "请抓取 Triton 的指标端口"),
    (
        ":tensorflow:",
        "turn on TensorFlow Serving's monitoring config",
        "请启用 TF Serving 监控配置",
    ),
    ("request_", "scrape the KServe model servers", "请抓取 KServe 模型服务器"),
    ("steward_", "scrape Steward's model servers", "请抓取 Steward 模型服务器"),
    ("train_", "export it from the training job", "请在训练任务中导出该指标"),
)


def advice(missing: Collection[str], exported: Collection[str]) -> tuple[str, str]:
    """What to enable so that ``missing`` names are delivered, in English and Chinese."""
    en: dict[str, None] = {}
    zh: dict[str, None] = {}
    for name in missing:
        first, second = _advice(name, any(e.startswith("DCGM_") for e in exported))
        en[first], zh[second] = None, None
    return "; ".join(en), "；".join(zh)


def _advice(name: str, dcgm: bool) -> tuple[str, str]:
    if name.startswith("DCGM_") and dcgm:
        return (
            f"add a line for {name} to dcgm-exporter's counters file",
            f"请在 dcgm-exporter 的 counters 文件中加入 {name}",
        )
    if name.startswith("DCGM_"):
        return "run dcgm-exporter on every GPU node", "请在每个 GPU 节点运行 dcgm-exporter"
    for prefix, en, zh in _EXPORTERS:
        if name.startswith(prefix):
            return en, zh
    return f"check the spelling of {name}", f"请检查 {name} 的拼写"

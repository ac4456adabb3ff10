"""The catalogue of XID and SXid codes: NVIDIA's buckets, a second opinion, our explanation.

Facts in ``data/xid.json``, ``data/nvlink5.json`` (NVIDIA Xid catalogue) and ``data/sxid.json``
(Fabric Manager guide DU-09883); the words in ``data/xid_words.yaml`` are this project's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


def read_data(name: str) -> Any:
    """A packaged JSON or YAML file of this room."""
    text = files("tools.alerts").joinpath("data", name).read_text(encoding="utf-8")
    if name.endswith(".json"):
        return json.loads(text)
    import yaml

    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence in both languages."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Xid:
    """One code of the catalogue."""

    code: int
    mnemonic: str
    kind: str
    """``application``, ``memory``, ``bus``, ``link``, ``firmware``, ``driver``, ``power``, …"""
    en: str
    zh: str
    immediate: str
    """NVIDIA's bucket for the first response."""
    investigatory: str
    second_event: str
    second_actions: tuple[str, ...]
    check: Words
    known: bool = True


@dataclass(frozen=True, slots=True)
class Sxid:
    """One NVSwitch code."""

    code: int
    name: str
    fatal: bool
    scope: str
    """``none``, ``port`` (partition) or ``fabric``."""
    en: str
    zh: str
    known: bool = True


@dataclass(frozen=True, slots=True)
class Nvlink5Rule:
    """How the catalogue resolves one sub-code and error status of an XID 144 to 150."""

    xid: int
    units: tuple[str, ...]
    status: int
    patterns: tuple[str, str]
    resolution: str
    investigatory: str
    severity: str


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = read_data("xid_words.yaml")
    return words


@cache
def _kinds() -> dict[int, str]:
    return {code: kind for kind, codes in _words()["members"].items() for code in codes}


@cache
def _facts() -> dict[int, dict[str, Any]]:
    return {row["code"]: row for row in read_data("xid.json")}


@cache
def xid(code: int) -> Xid:
    """The entry of a code; an unknown code gets an entry that says so (``known`` is false)."""
    row: Mapping[str, Any] | None = _facts().get(code)
    own: Mapping[str, Any] = _words()["codes"].get(code, {})
    kind = own.get("kind") or _kinds().get(code, "reserved")
    general = _words()["kinds"][kind]
    check = own.get("check") or general["check"]
    return Xid(
        code,
        row["mnemonic"] if row else "",
        kind,
        own.get("en") or general["en"],
        own.get("zh") or general["zh"],
        row["immediate"] if row else "",
        row["investigatory"] if row else "",
        row["second_event"] if row else "",
        tuple(row["second_actions"]) if row else (),
        Words(check["en"], check["zh"]),
        known=row is not None,
    )


def action(bucket: str) -> Words:
    """What a bucket of the catalogue asks a person to do."""
    found = _words()["actions"].get(bucket)
    return Words(found["en"], found["zh"]) if found else Words(bucket.lower(), bucket)


@cache
def _sxids() -> dict[int, dict[str, Any]]:
    return {row["sxid"]: row for row in read_data("sxid.json")}


SWITCH = "sxid"
"""The kind of code that an NVSwitch reports."""
_SWITCH_NOW = {
    "none": Words("nothing now; watch how often it comes", "暂不处理；关注出现频率"),
    "port": Words(
        "end the jobs of that partition, then reset its GPUs and switches or reboot the node",
        "结束该分区的任务，然后复位其 GPU 与交换芯片或重启节点",
    ),
    "fabric": Words("drain the node and reboot it", "排空节点并重启"),
}


def switch_advice(scope: str) -> tuple[Words, Words]:
    """What an SXid of this scope asks for now, and what to look at next."""
    check = Words(
        "Which link, and which GPU is behind it? Look for XID 74 or 45 there at the same time; "
        "the same link again calls for an inspection of cable and board.",
        "是哪条链路、其后是哪块 GPU？查看同一时刻是否有 XID 74 或 45；同一链路再次出现需检修线缆与板卡。",
    )
    return _SWITCH_NOW[scope], check


_SCOPE_EN = {
    "none": "non-fatal: log it and watch",
    "port": "the jobs using that port's partition fail; expect XID 74 or 45 on their GPUs",
    "fabric": "the whole fabric of the node is affected; the node needs a reboot",
}
_SCOPE_ZH = {
    "none": "非致命：记录并观察",
    "port": "使用该端口分区的任务会失败；其 GPU 上会出现 XID 74 或 45",
    "fabric": "整个节点的交换网络受影响；需要重启节点",
}


@cache
def sxid(code: int) -> Sxid:
    """The entry of an NVSwitch code."""
    row = _sxids().get(code)
    if row is None:
        en = f"The NVSwitch reported code {code}, which the catalogue does not list."
        return Sxid(code, "", False, "none", en, f"NVSwitch 报告了目录中没有的代码 {code}。", False)
    always, port = bool(row["always_fatal"]), bool(row["potential_fatal"])
    fatal = always or port or row["event"] == "Fatal"
    scope = "fabric" if always else "port" if fatal else "none"
    en = f"The NVSwitch reported {row['name']!r}: {_SCOPE_EN[scope]}."
    zh = f"NVSwitch 报告 {row['name']!r}：{_SCOPE_ZH[scope]}。"
    return Sxid(code, row["name"], fatal, scope, en, zh)


@cache
def _nvlink5() -> tuple[Nvlink5Rule, ...]:
    return tuple(
        Nvlink5Rule(
            row["xid"],
            tuple(row["unit"].split("/")),
            int(row["errstatus"], 16),
            (row["intr_v1"], row["intr_v2"]),
            row["resolution"],
            row["investigatory"],
            row["severity"],
        )
        for row in read_data("nvlink5.json")
    )


def _fits(pattern: str, info: int) -> bool:
    bits = f"{info:032b}"
    return all(p in ("-", b) for p, b in zip(pattern, bits, strict=True))


def nvlink5_rule(code: int, unit: str, info: int, status: int) -> Nvlink5Rule | None:
    """The rule for an XID 144 to 150: unit and status must match, then the IntrInfo mask."""
    named = [r for r in _nvlink5() if r.xid == code and unit in r.units]
    exact = [r for r in named if r.status == status] or [
        r for r in named if r.status and r.status & status
    ]
    masked = [r for r in exact if any(_fits(p, info) for p in r.patterns)]
    return next(iter(masked or exact), None)

"""The one precise question when something is missing, unclear or conditional."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from agent.offline import declared, loosely
from agent.offline.names import Names
from agent.offline.pieces import pieces_of
from agent.offline.text import Lang
from tools.contract import Call, Parameter, Tool

_WORDS: dict[str, tuple[str, str]] = {
    "deployment": ("deployment", "部署"),
    "model": ("model", "模型"),
    "node": ("node", "节点"),
    "job": ("job", "任务"),
    "alert": ("alert", "告警"),
    "target": ("deployment, job or node", "部署、任务或节点"),
    "channel": ("channel", "频道"),
    "image": ("image (name:tag)", "镜像（名称:标签）"),
    "version": ("version (a number or an alias)", "版本（编号或别名）"),
    "alias": ("alias", "别名"),
    "window": ("period, such as 15m or 2h", "时长，例如 15m 或 2h"),
    "fraction": ("share, such as 40 %", "比例，例如 40%"),
    "metric": ("metric", "指标"),
    "xid": ("XID code", "XID 代码"),
    "action": ("action number", "操作编号"),
    "gpu": ("GPU", "GPU"),
    "when": ("time, such as every day at 9", "时间，例如每天 9 点"),
    "schedule": ("scheduled summary", "定时汇总"),
    "rule": ("alert rule", "告警规则"),
    "number": ("threshold", "阈值"),
    "sample": ("sample", "样本"),
}
_MOST = 8


def phrase(parameter: Parameter, lang: Lang) -> str:
    """What an argument is called in a question."""
    if parameter.word == "count":
        zh = {"replicas": "副本数", "workers": "进程数", "trials": "试验次数"}
        return zh.get(parameter.name, "数量") if lang == "zh" else f"number of {parameter.name}"
    if parameter.word == "text" and parameter.name != "sample":
        return "内容" if lang == "zh" else "text"
    word = "sample" if parameter.name == "sample" else parameter.word
    known = _WORDS.get(word)
    if known:
        return known[1] if lang == "zh" else known[0]
    return parameter.name.replace("_", " ")


def missing(
    tool: Tool,
    parameter: Parameter,
    names: Names,
    lang: Lang,
    low: str = "",
    unknown: str = "",
) -> tuple[str, tuple[str, ...]]:
    """Ask for one argument; with the candidates there are, those that ``low`` hints at first.

    ``unknown`` is a name that was said and that nothing has.
    """
    options = declared.choices(parameter) or loosely.ranked(low, candidates(parameter.word, names))
    what = phrase(parameter, lang)
    if unknown and options and not any(unknown in pieces_of(option) for option in options):
        near = sorted(options, key=lambda o: -SequenceMatcher(None, unknown, o.lower()).ratio())
        return nameless(unknown, what, near, lang), tuple(near)
    if lang == "zh":
        tail = f"可选：{'、'.join(options[:_MOST])}。" if options else ""
        return f"{title(tool, lang)}：请问是哪个{what}？{tail}" if _is_name(
            parameter
        ) else f"{title(tool, lang)}：请给出{what}。{tail}", options
    tail = f" Candidates: {', '.join(options[:_MOST])}." if options else ""
    return f"{title(tool, lang)}: which {what}?{tail}", options


def nameless(said: str, what: str, near: Sequence[str], lang: Lang) -> str:
    """A name that nothing has; the likest ones instead."""
    if lang == "zh":
        return f"没有名为 {said} 的{what}。最接近的：{'、'.join(near[:3])}。你指的是哪一个？"
    return f"There is no {what} called {said}. The nearest: {', '.join(near[:3])}. Which one?"


def ambiguous(name: str, options: Sequence[str], lang: Lang) -> str:
    """One name, several things."""
    if lang == "zh":
        return f"{name} 有多个：{'、'.join(options)}。你指的是哪一个？"
    return f"{name} could be {_or(options)}. Which one?"


def conditional(call: Call, lang: Lang) -> str:
    """A change bound to a condition."""
    if lang == "zh":
        return f"我不能等条件满足后自动执行。要我现在就提议 {show(call)} 吗？"
    return f"I cannot wait for a condition and act on it. Shall I propose {show(call)} now?"


def confirm(call: Call, lang: Lang) -> str:
    """A change on a weak match."""
    if lang == "zh":
        return f"你是想让我提议 {show(call)} 吗？"
    return f"Do you want me to propose {show(call)}?"


def unclear(names: Sequence[str], lang: Lang) -> str:
    """A thing is named, but not what to do with it."""
    about = "、".join(names) if lang == "zh" else ", ".join(names)
    if lang == "zh":
        return f"要对{' ' + about + ' ' if about else '什么'}做什么？例如查看状态、诊断、看日志，或提议重启、回滚、扩缩容。"
    return f"What should I do{' with ' + about if about else ' and with what'}? For example: show status, diagnose, read logs, or propose a restart, roll-back or scaling."


def show(call: Call) -> str:
    """``scale(deployment=ranker, replicas=3)``."""
    return f"{call.tool}({', '.join(f'{k}={v}' for k, v in call.args.items())})"


def title(tool: Tool, lang: Lang) -> str:
    """The tool in words."""
    return tool.name.replace("_", " ") if lang == "en" else tool.name


def candidates(word: str, names: Names) -> tuple[str, ...]:
    """Live names an argument could take."""
    if word == "target":
        return (*names.of("deployment"), *names.of("job"), *names.of("node"))
    return names.of(word)


def _is_name(parameter: Parameter) -> bool:
    return parameter.word in (
        "deployment",
        "model",
        "node",
        "job",
        "alert",
        "target",
        "channel",
        "image",
        "schedule",
        "rule",
        "version",
        "alias",
    )


def _or(options: Sequence[str]) -> str:
    return f"{', '.join(options[:-1])} or {options[-1]}" if len(options) > 1 else options[0]

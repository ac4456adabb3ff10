"""What the planner says when no tool is called: who it is, what it can do, why it does nothing."""

from __future__ import annotations

from agent.offline.declared import Label
from agent.offline.text import Lang
from tools.contract import Phrases

_WHAT = ("about", "help", "greeting", "thanks", "explain", "scope")
LABELS: tuple[Label, ...] = tuple(Label(f"@{name}", Phrases((), ())) for name in _WHAT)
"""Requests that no tool answers; judged beside the tools, so that they do not look like one.

Their phrases are among the paraphrases, under the same names. Labels that only the corpus has:
``@negated``, ``@statement``, ``@conditional``, ``@unclear``.
"""

_SAYS: dict[str, tuple[str, str]] = {
    "about": (
        "I am Steward's embedded planner: a small language-understanding program on this machine, not a large language model.\n"
        "I look and explain on my own; every change is only a proposal until a person approves exactly that action. English and Chinese both work.",
        "我是 Steward 的内置规划器：运行在本机上的小型理解程序，不是大语言模型。\n"
        "我可以自行查看和解释；任何变更都只是提议，需要有人批准那一个操作之后才会执行。中文和英文都可以。",
    ),
    "greeting": (
        "Hello. Ask me about deployments, GPUs, alerts, jobs or models, or ask for a change.",
        "你好。可以问我部署、GPU、告警、任务或模型的情况，也可以让我提议一个变更。",
    ),
    "thanks": ("You are welcome. Nothing was changed.", "不客气。没有做任何变更。"),
    "explain": (
        "That is a general question; nothing was proposed. The embedded planner answers from live data only, it does not explain concepts.\n"
        "Ask about a deployment, model, node or alert by name, or see the documentation.",
        "这是一般性的问题，没有提议任何变更。内置规划器只根据实时数据回答，不讲解概念。\n"
        "可以按名称询问部署、模型、节点或告警，或查看文档。",
    ),
    "scope": (
        "That is outside what I do. I look after models in training and service: deployments, GPUs, logs, alerts, jobs, versions.",
        "这超出了我的范围。我负责训练和服务中的模型：部署、GPU、日志、告警、任务和版本。",
    ),
    "negated": ("Understood, nothing will be done.", "明白，不会执行任何操作。"),
    "statement": ("Noted. Nothing was proposed.", "知道了，没有提议任何变更。"),
    "nothing": (
        "I did not understand a request in that. Say what to look at or what to change, for example:",
        "我没有从中看出具体请求。请说明要看什么或改什么，例如：",
    ),
}


def say(what: str, lang: Lang) -> str:
    """A fixed reply in the language of the question."""
    if what == "help":
        return capabilities(lang)
    en, zh = _SAYS[what]
    return (zh if lang == "zh" else en) + ("\n" + _examples(lang) if what == "nothing" else "")


def _examples(lang: Lang) -> str:
    if lang == "zh":
        return "「ranker 为什么慢」「最近一小时的错误率」「把 ranker 扩到 3 个副本」「对比 digits 的 2 和 3」"
    return '"why is ranker slow", "error rate over the last hour", "scale ranker to 3", "compare digits 2 and 3"'


def capabilities(lang: Lang) -> str:
    """What can be asked, by example."""
    if lang == "zh":
        return (
            "我可以查看并解释：GPU 和主机、部署、日志和事件、告警和诊断、指标、任务、模型版本与漂移、状态汇总。\n"
            "我可以提议（由人批准后才执行）：发布、回滚、扩缩容、重启、暂停发布、封锁和排空节点、静默告警、"
            "训练、调参、剪枝、量化、蒸馏、导出、镜像、通知和定时汇总。\n例如："
            + _examples(lang)
            + "\n我是内置规划器，不是大语言模型。"
        )
    return (
        "I look and explain: GPUs and host, deployments, logs and events, alerts and diagnosis, metrics, jobs, model versions, drift, summaries.\n"
        "I propose, and a person approves: roll-outs, roll-backs, scaling, restarts, cordon and drain, silences, "
        "training, tuning, pruning, quantisation, distillation, export, images, notices, scheduled summaries.\nFor example: "
        + _examples(lang)
        + "\nI am the embedded planner, not a language model."
    )

"""Declarations of tools that have not landed yet, and the catalogue the tests understand with."""

from __future__ import annotations

import importlib
from typing import Annotated, Literal

from tools.contract import Phrases, Tool, reading
from tools.words import ActionNumber, Channel, Text, Window, Word

ROOMS = ("observe", "alerts", "models", "deployments", "images", "nodes", "notify", "actions")
State = Annotated[
    Literal["proposed", "approved", "applying", "applied", "verified", "rejected", "expired", "failed", "unknown", "undone", "stale"],
    Word("action_state"),
]


def _tool(name, summary, effect, phrases, /, **arguments):
    def f(world): ...

    import inspect

    parameters = [inspect.Parameter("world", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    for key, (annotation, default) in arguments.items():
        parameters.append(
            inspect.Parameter(
                key,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=annotation,
                default=inspect.Parameter.empty if default is ... else default,
            )
        )
    f.__signature__ = inspect.Signature(parameters)
    f.__annotations__ = {k: a for k, (a, _) in arguments.items()}
    f.__name__ = name
    f.__doc__ = summary
    tool = reading(phrases)(f)
    from dataclasses import replace

    from tools.contract import Effect

    return replace(tool, effect=Effect(effect))


STANDINS = (
    _tool(
        "status_summary",
        "Summarise what happened in a window: health, changes, alerts, jobs, what waits.",
        "read",
        Phrases(
            en=(
                "summary", "status summary", "give me a summary of the last {window}", "what happened in the last {window}",
                "how are we doing", "what did I miss", "what happened overnight", "handover summary", "sitrep",
                "catch me up on the last {window}", "how does everything look overall", "tldr of the last {window}",
                "anything I should know from last night?", "overall status of the fleet", "recap of the past {window}",
                "brief me", "what is new since {window}", "what went on", "how did the night go", "state of the fleet",
            ),
            zh=(
                "总结一下", "最近 {window} 的总结", "过去 {window} 发生了什么", "整体情况怎么样", "昨晚有什么大事吗",
                "给我一份状态汇总", "交接班摘要", "最近 {window} 的情况汇总", "简单说说 {window} 的情况", "我错过了什么",
                "大家都好吗，整体状态如何", "出个日报", "今天发生了什么",
            ),
        ),
        window=(Window, "24h"),
    ),
    _tool(
        "list_actions",
        "List proposed, approved and finished actions.",
        "read",
        Phrases(
            en=(
                "list actions", "show all actions", "what is waiting for approval", "pending proposals", "pending approvals",
                "which actions are {state}", "list {state} actions", "anything I have to sign off on", "what needs my approval",
                "what changes have you made", "what have you done so far", "action log", "show the approval queue",
                "which changes were proposed but not approved", "actions awaiting approval", "is anything waiting for me to approve",
                "what did you change today", "show the ledger", "is the request still waiting for approval",
            ),
            zh=(
                "列出操作", "有什么等着审批", "待审批的操作有哪些", "哪些变更还没批", "你都做过哪些操作", "操作列表", "操作记录",
                "有哪些 {state} 的操作", "还有什么需要我批准的", "今天执行了哪些变更", "审批队列", "申请批了没", "有没有等我确认的变更",
            ),
        ),
        state=(State | None, None),
    ),
    _tool(
        "show_action",
        "Show one action with its preview, decisions and outcome.",
        "read",
        Phrases(
            en=(
                "show action {id}", "what was action {id}", "details of action {id}", "what would action {id} do", "did action {id} succeed",
                "open proposal {id}", "who approved action {id}", "why was action {id} rejected", "status of action {id}", "action {id}",
                "tell me about proposal {id}", "was action {id} applied", "what happened with action {id}", "has change {id} been applied",
            ),
            zh=(
                "看下操作 {id}", "{id} 号操作是什么", "操作 {id} 的详情", "操作 {id} 成功了吗", "谁批准了操作 {id}", "如果批准操作 {id} 会发生什么",
                "显示操作 {id} 的内容", "{id} 号提议是什么", "操作 {id} 为什么被拒绝", "第 {id} 号操作执行了吗",
            ),
        ),
        id=(ActionNumber, ...),
    ),
    _tool(
        "schedule_summary",
        "Send the status summary to a channel on a schedule.",
        "change",
        Phrases(
            en=(
                "send a summary to {channel} {when}", "schedule a summary {when} to {channel}", "post the summary in {channel} {when}",
                "{when} drop a status summary into {channel}", "I would like a summary in {channel} {when}", "schedule a recurring report {when} in {channel}",
                "set up a recap {when} for {channel}", "deliver a digest to {channel} {when}", "schedule a digest {when}", "{when} summary to {channel}",
                "report the status to {channel} {when}", "send summaries to {channel}", "schedule a summary",
            ),
            zh=(
                "{when} 往 {channel} 发总结", "{when} 在 {channel} 发周报", "定时日报，{when}，发到 {channel}", "{when} summary 到 {channel}", "请{when}在 {channel} 发送摘要",
                "安排 {when} 发 {channel} 的日报", "{when} 在 {channel} 推送状态汇总", "定个总结", "设置定时摘要 {when} 发到 {channel}", "{when} 给 {channel} 发一份汇总",
            ),
        ),
        when=(Annotated[str, Word("when")], ...),
        channel=(Channel, ...),
    ),
    _tool(
        "unschedule_summary",
        "Stop a scheduled summary.",
        "change",
        Phrases(
            en=(
                "unschedule the summary {name}", "stop the scheduled summary {name}", "remove the {name} summary schedule", "cancel scheduled summary {name}",
                "drop the summary schedule {name}", "delete the recurring summary named {name}", "turn off the {name} scheduled summary", "no more {name} summaries",
                "stop sending the {name} summary", "unschedule {name}", "nobody reads the {name} summary, stop it", "end the recurring report {name}",
            ),
            zh=(
                "取消定时总结 {name}", "{name} 这个定时汇总不要了", "把 {name} 的定时摘要删掉", "停掉名为 {name} 的定期总结", "移除定时摘要 {name}",
                "不用再发 {name} 日报了", "关闭定时总结 {name}", "删除定时报告 {name}", "取消名为 {name} 的定时任务",
            ),
        ),
        name=(Annotated[str, Word("schedule")], ...),
    ),
    _tool(
        "send_notice",
        "Send a message to a channel, a mail address or a pager.",
        "change",
        Phrases(
            en=(
                "tell {target} that {text}", "send a notice to {target}: {text}", "page {target} with {text}", "post {text} in {target}", "let {target} know {text}",
                "notify {target}: {text}", "message {target} saying {text}", "drop a line in {target}: {text}", "email {target} that {text}", "write to {target}: {text}",
                "announce in {target} that {text}", "inform {target} that {text}", "ping {target}: {text}", "send {text} to {target}", "send a notice", "warn {target} that {text}",
            ),
            zh=(
                "告诉 {target}：{text}", "给 {target} 发通知：{text}", "呼叫 {target}：{text}", "在 {target} 里说一声 {text}", "通知 {target}：{text}", "跟 {target} 说 {text}",
                "往 {target} 发条消息：{text}", "发个通知", "给 {target} 发消息说 {text}", "在 {target} 发布公告：{text}", "提醒 {target} {text}",
            ),
        ),
        target=(Channel, ...),
        text=(Text, ...),
    ),
)


def catalogue() -> tuple[Tool, ...]:
    """Every tool that has landed, and a stand-in for each that has not."""
    landed: list[Tool] = []
    for room in ROOMS:
        try:
            landed += importlib.import_module(f"tools.{room}.catalog").TOOLS
        except ModuleNotFoundError:
            continue
    names = {tool.name for tool in landed}
    return (*landed, *(t for t in STANDINS if t.name not in names))

"""Arguments for a request whose tool is known: which words go where, with and without live names."""

from __future__ import annotations

from functools import cache

import pytest

from agent.offline import cues, declared
from agent.offline.fill import Filled, Filler, Material
from agent.offline.grammar import words
from agent.offline.mentions import find
from agent.offline.names import Gazetteer, Names
from agent.offline.text import read
from tests.understanding.fleet import NAMES
from tools.catalog import TOOLS

_TOOLS = {tool.name: tool for tool in TOOLS}


@cache
def filler(name: str) -> Filler:
    placed = cues.collect([declared.label(_TOOLS[name])]).get(name, {})
    return Filler(_TOOLS[name], placed, words("ordinary"))


def _filled(name: str, said: str, names: Names) -> Filled:
    text = read(said)
    mentions = find(text, Gazetteer(names), words("ordinary"))
    return filler(name).fill(Material(text, tuple(mentions)))


@pytest.mark.parametrize(
    ("tool", "said", "args"),
    [
        (
            "roll_out",
            "ship v12 of ranker gradually",
            {"deployment": "ranker", "version": "12", "strategy": "canary"},
        ),
        ("roll_out", "把 ranker 从 21 升到 22", {"deployment": "ranker", "version": "22"}),
        (
            "roll_out",
            "staging 的 llm-gateway 换成 16",
            {"deployment": "staging/llm-gateway", "version": "16"},
        ),
        ("restart", "restart the llm gateway in prod", {"deployment": "prod/llm-gateway"}),
        ("restart", "线上的 llm-gateway 重启", {"deployment": "prod/llm-gateway"}),
        ("scale", "把 ranker 从 3 个副本扩到 5 个", {"deployment": "ranker", "replicas": 5}),
        ("scale", "ranker x6", {"deployment": "ranker", "replicas": 6}),
        ("scale", "scale ranker and leave the rest", {"deployment": "ranker"}),
        ("roll_back", "v5 was a disaster, roll ranker back", {"deployment": "ranker"}),
        ("roll_back", "roll ranker back to revision 3", {"deployment": "ranker", "revision": 3}),
        (
            "compare_versions",
            "is ranker 14 any better than 13?",
            {"model": "ranker", "a": "14", "b": "13"},
        ),
        (
            "compare_versions",
            "champion versus v7 for ranker",
            {"model": "ranker", "a": "champion", "b": "7"},
        ),
        (
            "compare_versions",
            "v4 比 v3 慢? ranker 比一下 3 和 4",
            {"model": "ranker", "a": "3", "b": "4"},
        ),
        (
            "promote_version",
            "promote the staging version of ranker to production",
            {"model": "ranker", "version": "staging", "alias": "production"},
        ),
        (
            "remove_alias",
            "clear the canary label on ranker",
            {"model": "ranker", "alias": "canary"},
        ),
        (
            "remove_alias",
            "ranker: no version should carry 'blessed'",
            {"model": "ranker", "alias": "blessed"},
        ),
        (
            "distill_model",
            "用 ranker 做 teacher,训练 mobilefacenet 学生",
            {"model": "ranker", "student": "mobilefacenet"},
        ),
        (
            "distill_model",
            "distil ranker into ranker-tiny",
            {"model": "ranker", "student": "ranker-tiny"},
        ),
        (
            "import_model",
            "load /mnt/in/best_v3.pt into ranker",
            {"model": "ranker", "file": "/mnt/in/best_v3.pt"},
        ),
        (
            "explain_prediction",
            "what did ranker see in trip-20031",
            {"model": "ranker", "sample": "trip-20031"},
        ),
        (
            "explain_prediction",
            'why did ranker refuse "3 replicas for 2 hours"',
            {"model": "ranker", "sample": "3 replicas for 2 hours"},
        ),
        (
            "prune_model",
            "trim 20 % off ranker, max 1% accuracy loss",
            {"model": "ranker", "amount": 0.2, "max_loss": 1.0},
        ),
        (
            "prune_model",
            "ranker 瘦身,去掉 35% 权重,精度最多掉 1%",
            {"model": "ranker", "amount": 0.35, "max_loss": 1.0},
        ),
        (
            "tune_model",
            "optuna on ranker, 100 trials, 4 workers",
            {"model": "ranker", "trials": 100, "workers": 4},
        ),
        (
            "launch_training",
            "训练 digits,学习率设 0.001,20轮,8 个 worker",
            {"model": "digits", "params": {"lr": 0.001, "epochs": 20}, "workers": 8},
        ),
        (
            "quantize_model",
            "int8 version of ranker v23 please",
            {"model": "ranker", "version": "23"},
        ),
        (
            "set_alert_rule",
            "gpu 温度大于85持续10分钟",
            {"metric": "gpu_temperature", "op": ">", "threshold": 85, "duration": "10m"},
        ),
        (
            "set_alert_rule",
            "page me if p95 of ranker is over 500 for 5m",
            {"metric": "latency_p95", "op": ">", "threshold": 500, "duration": "5m"},
        ),
        (
            "metric_query",
            'rate(http_requests_total{code=~"5.."}[5m]) over 1h',
            {"query": 'rate(http_requests_total{code=~"5.."}[5m])', "window": "1h"},
        ),
        ("show_action", "details of 42", {"id": 42}),
        ("show_action", 'somebody mentioned "#318"', {"id": 318}),
        (
            "read_logs",
            "grep CUDA out of memory 在 ranker 里",
            {"target": "ranker", "pattern": "CUDA out of memory"},
        ),
        ("read_logs", "ranker 的日志，只要带 ERROR 的", {"target": "ranker", "pattern": "ERROR"}),
        ("read_logs", "ranker log, anything NVRM", {"target": "ranker", "pattern": "NVRM"}),
        ("list_actions", "anything that needs my thumbs up?", {"state": "proposed"}),
        ("list_actions", "which ones wait for my sign-off", {"state": "proposed"}),
        ("list_actions", "what is waiting on me", {"state": "proposed"}),
        ("quantize_model", "make ranker int8", {"model": "ranker"}),
        ("read_logs", "seeing 502s, show ranker logs", {"target": "ranker"}),
        (
            "record_cause",
            "withdraw the cause 'noisy neighbour' of ModelDrift",
            {"alert": "ModelDrift", "cause": "noisy neighbour", "withdraw": True},
        ),
        (
            "send_notice",
            "通知 #推荐组：今晚十点维护",
            {"target": "#推荐组", "text": "今晚十点维护"},
        ),
        (
            "model_lineage",
            "who trained what search-embedder serves",
            {"deployment": "search-embedder"},
        ),
        ("restart", "restart fraud detctor", {"deployment": "fraud-detector"}),
        ("scale", "ranker 3 replicas → 5", {"deployment": "ranker", "replicas": 5}),
        ("scale", "ranker 从 3 到 5", {"deployment": "ranker", "replicas": 5}),
        (
            "tune_model",
            "ranker 调参,trials 12 workers 2",
            {"model": "ranker", "trials": 12, "workers": 2},
        ),
        (
            "prune_model",
            "make ranker three times faster, structurally",
            {"model": "ranker", "speed_up": 3.0, "method": "structured"},
        ),
        (
            "prune_model",
            "ranker latest 版 0.55,掉点不超过 1.5",
            {"model": "ranker", "amount": 0.55, "version": "latest", "max_loss": 1.5},
        ),
        (
            "prune_model",
            "ranker 剪到只剩六成,2:4 不够狠 用magnitude",
            {"model": "ranker", "amount": 0.4, "method": "magnitude"},
        ),
        (
            "promote_version",
            "move staging of ranker to production, ok with 0.3 pts less",
            {"model": "ranker", "version": "staging", "alias": "production", "accept_loss": 0.3},
        ),
        (
            "set_alert_rule",
            "rule on sum(rate(dropped_total[5m])) >= 10",
            {"metric": "sum(rate(dropped_total[5m]))", "op": ">=", "threshold": 10},
        ),
        (
            "set_alert_rule",
            "if memory jumps quickly, rate type, more than 5",
            {"metric": "memory", "op": ">", "threshold": 5, "kind": "rate"},
        ),
        (
            "set_alert_rule",
            "建一条 cpu 超八成的规则,先不启用",
            {"metric": "cpu", "threshold": 80, "enabled": False},
        ),
        (
            "set_alert_rule",
            "gpu 超过 85 度就告警",
            {"metric": "gpu_temperature", "op": ">", "threshold": 85},
        ),
        (
            "set_alert_rule",
            "p95 over 2 seconds for 30s",
            {"metric": "latency_p95", "op": ">", "threshold": 2000, "duration": "30s"},
        ),
        ("gpu_status", "gpu 6 healthy enough for a 12h run?", {"gpu": 6}),
        (
            "status_summary",
            "what happened today, I have the standup in 5 min",
            {"window": "1d"},
        ),
        (
            "schedule_summary",
            'recurring summary, "30 16 * * 5", for #ml-oncall',
            {"when": "30 16 * * 5", "channel": "#ml-oncall"},
        ),
    ],
)
def test_arguments(tool, said, args):
    assert _filled(tool, said, NAMES).args == args


@pytest.mark.parametrize(
    ("tool", "said", "args"),
    [
        ("cancel_job", "kill rewriter-lora-17, loss is nan", {"job": "rewriter-lora-17"}),
        ("cancel_job", "写错了……embed-arc-31 撤了吧", {"job": "embed-arc-31"}),
        ("drain_node", "drain gpu-b03", {"node": "gpu-b03"}),
        ("drain_node", "gpu-sh02 节点排空", {"node": "gpu-sh02"}),
        (
            "silence_alert",
            "RewriterQueueBacklog quiet for 6 hours",
            {"alert": "RewriterQueueBacklog", "duration": "6h"},
        ),
        ("diagnose", "h100-b7 went NotReady, why?", {"target": "h100-b7"}),
        (
            "diagnose",
            "get to the bottom of RewriterQueueBacklog",
            {"alert": "RewriterQueueBacklog"},
        ),
        (
            "send_notice",
            "page duty-pager: gpu-syd-02 lost two cards",
            {"target": "duty-pager", "text": "gpu-syd-02 lost two cards"},
        ),
        ("restart", "restart staging/lead-scorer: it hangs", {"deployment": "staging/lead-scorer"}),
        ("restart", "restart the staging basket-recs", {"deployment": "staging/basket-recs"}),
        ("deployment_status", "eta_predict 状态", {"deployment": "eta_predict"}),
        (
            "model_lineage",
            "which job produced what's live on tagger-api?",
            {"deployment": "tagger-api"},
        ),
        (
            "model_lineage",
            "family tree of speech-tiny v8",
            {"model": "speech-tiny", "version": "8"},
        ),
        (
            "push_image",
            "they need toxicity-clf:12-d771b0. Send it",
            {"image": "toxicity-clf:12-d771b0"},
        ),
    ],
)
def test_arguments_that_nobody_lists(tool, said, args):
    assert _filled(tool, said, Names()).args == args


def test_a_name_in_two_namespaces_is_ambiguous_until_one_is_said():
    filled = _filled("restart", "restart llm-gateway", NAMES)
    assert filled.ambiguous == {"deployment": ("prod/llm-gateway", "staging/llm-gateway")}
    assert not _filled("restart", "restart llm-gateway in staging", NAMES).ambiguous


@pytest.mark.parametrize(
    ("tool", "said", "missing"),
    [
        ("scale", "give ranker a couple more", "replicas"),
        ("scale", "add two more replicas to ranker", "replicas"),
        ("scale", "scale ranker up by 2", "replicas"),
        ("scale", "ranker 再加两个副本", "replicas"),
        ("silence_alert", "mute ModelDrift", "duration"),
        ("roll_out", "roll out ranker", "version"),
        ("import_model", "import a checkpoint into ranker", "file"),
    ],
)
def test_what_is_not_said_stays_open(tool, said, missing):
    assert [p.name for p in _filled(tool, said, NAMES).missing] == [missing]


def test_the_end_of_one_name_is_that_name():
    nodes = Names(nodes=(("gpu-l4-07",), ("gpu-a100-07",)))
    assert _filled("cordon_node", "cordon the l4-07 box", nodes).args == {"node": "gpu-l4-07"}


# ---- names of rules, silences, states, targets, texts: told by their place and their shape ------


@pytest.mark.parametrize(
    ("tool", "said", "args"),
    [
        ("unsilence_alert", "drop silence s-204 off ModelDrift", {"silence": "s-204"}),
        ("unsilence_alert", "unmute ModelDrift, silence id 7c2", {"silence": "7c2"}),
        ("unsilence_alert", 'lift silence "q7" of ModelDrift', {"silence": "q7"}),
        ("unsilence_alert", "ModelDrift 取消屏蔽 silence 号是 9f2c", {"silence": "9f2c"}),
        ("unsilence_alert", "ModelDrift 只解 s-0042 那条静音", {"silence": "s-0042"}),
        ("unsilence_alert", "lift the 2h silence of ModelDrift", {}),
        ("remove_alert_rule", "rm rule SurgeErrs", {"name": "SurgeErrs"}),
        ("remove_alert_rule", 'delete "disk-90"', {"name": "disk-90"}),
        ("remove_alert_rule", "把 mem_hot 规则删了", {"name": "mem_hot"}),
        ("unschedule_summary", 'unschedule "fraud-daily"', {"name": "fraud-daily"}),
        ("set_alert_rule", "disk > 90, name IdleGpus", {"name": "IdleGpus", "metric": "disk"}),
        ("set_alert_rule", 'add alert "loss-jump" on loss', {"name": "loss-jump"}),
        ("set_alert_rule", "内存>0.92 规则名 mem_hot", {"name": "mem_hot", "metric": "memory"}),
        ("set_alert_rule", "disable rule mem-tight on memory", {"enabled": False}),
        ("set_alert_rule", "new rule p95_latency > 300", {"metric": "p95_latency"}),
        ("set_alert_rule", "loss above 5, rate type", {"kind": "rate"}),
        ("list_actions", "have any proposals expired", {"state": "expired"}),
        ("list_actions", "what went stale waiting for a yes", {"state": "stale"}),
        ("list_actions", "actions that could not be verified", {"state": "unverified"}),
        ("list_actions", "still-open actions?", {"state": "open"}),
        ("list_actions", "批了但还没动的", {"state": "approved"}),
        ("list_actions", "被拒掉的变更", {"state": "rejected"}),
        ("list_actions", "撤销过的动作", {"state": "undone"}),
        ("list_actions", "everything proposed or rejected", {}),
        ("prune_model", "ranker 2:4 不够狠 用 magnitude", {"method": "magnitude"}),
        ("list_events", "events of gpu:0", {"target": "gpu:0"}),
        ("list_events", "主機這邊有什麼事件", {"target": "host"}),
        ("read_logs", "gpu:5 的日志", {"target": "gpu:5"}),
        ("read_logs", "logs ranker, just the Traceback bits", {"pattern": "Traceback"}),
        ("read_logs", "logs of ranker for 503 please", {"pattern": "503"}),
        ("read_logs", "any timeout lines from ranker?", {"pattern": "timeout"}),
        ("read_logs", "grep 下 ranker 过去一小时的 OOM", {"pattern": "OOM"}),
        (
            "read_logs",
            "ranker 今天的日志 connection refused 相关的",
            {"pattern": "connection refused"},
        ),
        ("read_logs", r"ranker 报 5xx,正则 5\d\d 过滤下日志", {"pattern": r"5\d\d"}),
        ("read_logs", "kernel log, I think something with nvlink", {"target": "kernel"}),
        ("model_lineage", "what the ranker deployment came from", {"deployment": "ranker"}),
        ("model_lineage", "ranker 的血缘", {"model": "ranker"}),
        (
            "distill_model",
            "蒸馏 ranker student 选 digits",
            {"model": "ranker", "student": "digits"},
        ),
        ("distill_model", "let digits learn from ranker v9", {"student": "digits"}),
        ("promote_version", "move staging of ranker to prod", {"version": "staging"}),
        ("promote_version", "ranker latest → champion", {"version": "latest", "alias": "champion"}),
        (
            "send_notice",
            "tell #alerts that v18 goes live at 17:00",
            {"text": "v18 goes live at 17:00"},
        ),
        ("send_notice", "#alerts 喊一句 v8 已全量", {"text": "v8 已全量"}),
        ("send_notice", "ping #alerts with 'please don't drain'", {"text": "please don't drain"}),
        ("record_cause", "take back that verdict 'dead fan' on ModelDrift", {"withdraw": True}),
        ("push_image", "推 ctr_dcnv2:58-a9f31c", {"image": "ctr_dcnv2:58-a9f31c"}),
        ("diagnose", "what is behind the disk alert", {"alert": "DiskAlmostFull"}),
        ("silence_alert", "磁盘那个告警 mute 30 分钟", {"alert": "DiskAlmostFull"}),
    ],
)
def test_arguments_by_place_and_shape(tool, said, args):
    found = _filled(tool, said, NAMES).args
    about = args or {"silence": None, "state": None}
    assert {name: found.get(name) for name in about} == about


def test_a_name_listed_without_a_namespace_is_no_question():
    both = Names(deployments=(("staging/pricer",), ("pricer",)))
    assert _filled("restart", "restart pricer", both).args == {"deployment": "pricer"}
    staged = _filled("restart", "restart pricer in staging", both)
    assert staged.args == {"deployment": "staging/pricer"}


def test_the_end_of_a_name_may_be_said_in_chinese():
    names = Names(deployments=(("asr-gateway",), ("asr-batch",)))
    assert _filled("scale", "asr 网关扩到 6 个副本", names).args["deployment"] == "asr-gateway"


def test_a_channel_is_no_typing_error_of_a_model():
    names = Names(models=(("parcel-eta",),), channels=(("#parcel-team",),))
    said = _filled("send_notice", "announce in #parcel-team that we are back", names).args
    assert said == {"target": "#parcel-team", "text": "we are back"}


def test_every_code_of_a_list_is_asked_about():
    filled = _filled("explain_xid", "what are xids 13, 45 and 79", NAMES)
    assert (filled.args, filled.also) == ({"code": 13}, {"code": (45, 79)})

"""Values of closed arguments (strategies, states, formats) in the words people use for them.

A value that is not listed here is still understood by its own name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_SPOKEN: dict[str, str] = {
    "canary": r"canar(?:y|ies)(?:-style)?|gradual(?:ly)?|(?:a )?(?:few|couple of|handful of) (?:pods|replicas|instances) first|金丝(?:雀|鸟)?|灰度|小流量|先放一(?:点|部分)",
    "blue_green": r"blue[ _/-]?green|bluegreen|蓝绿",
    "rolling": r"rolling(?! out)|(?:pod|replica|one|instance) by (?:pod|replica|one|instance)|滚动|逐(?:个|台|步)|一(?:个个|点点|台台)",
    "firing": r"firing|going off|ringing|触发中|正在(?:响|触发|告警|报警)|(?<!现)在(?:响|报警|告警)|响着|触发的|[未没](?:有)?(?:恢复|消除|解决)的?",
    "silenced": r"silenced|muted|snoozed|suppressed|under silence|mute[sd]?|hushed|(?:被|已)?(?:静默|静音|屏蔽)(?:了)?的?|静默中",
    "resolved": r"resolved|recovered|cleared|already over|(?:went |gone |came |are |is )?back to normal|(?<![未没有])(?:已经?)?(?:恢复|解决|消除)(?:了)?的?",
    "proposed": r"proposed|proposals?|pending|(?:awaiting|wait(?:s|ing)? (?:for|on)|still need(?:s|ing)?|need(?:s|ing)?) (?:my |our |an? |the )?(?:approv(?:al|ed)|sign[- ]?off|thumbs?[- ]up|nod|go[- ]ahead|blessing|decision|yes|review|ok)|(?:waiting|sitting|waits?) .*(?:approv\w*|queue|me\b)|to be approved|unapproved|not (?:yet )?(?:approved|decided)|approval queue|approvals? .*outstanding|outstanding|open for approval|queue(?:d up)?(?= (?:of|for)\b)|(?:to|for me to) (?:validate|rubber-stamp|confirm|sign)|need (?:a human|somebody|someone|me)|stuck on .*\byes|sign off on|waiting (?:for|on) me|to approve|待(?:我们?)?(?:审批|批准|批|审|确认|处理|签核?)|卡在(?:审批|我)|(?:没|没人|未|还没)(?:点头|放行|签核?|处理|过(?!期))|(?:没|没人|未)点(?:头|同意|确认)|忘了(?:审批|批)|(?:要|等).{0,3}我.{0,2}(?:点头|确认|撳确认|签核?)|等(?:着|待|紧)?(?:我们?)?(?:的)?(?:审批|批准|批|确认|点头)|没批|未(?:审批|批准|批)|需要我?(?:审批|批准|确认)|提议",
    "approved": r"approved(?! or otherwise)|已经?批(?:准)?(?:了)?的?|批(?:准)?过(?:了)?的?|批准了的",
    "applying": r"applying|in progress|executing|being applied|执行中|正在执行",
    "applied": r"applied|executed|carried out|已执行|执行过的",
    "verified": r"verified|已验证|验证过的",
    "rejected": r"rejected|declined|refused|denied|turned down|被?(?:拒绝|驳回|否决)(?:了)?的?",
    "expired": r"expired|timed[- ]out|过期(?:了)?的?|超时(?:了)?的?",
    "failed": r"failed|failing|broken|失败(?:了)?的?",
    "unknown": r"unknown|结果不明|未知",
    "undone": r"undone|reverted|已撤销",
    "stale": r"stale|过时的?",
    "magnitude": r"magnitude(?:[- ]based)?|by magnitude|幅度|幅值|权重大小",
    "structured": r"structured|structural|channel(?:s|[- ]wise)?(?: pruning)?|结构化|通道",
    "2:4": r"2:4|two[- ](?:to|by|of|out of)[- ]four|2 of 4|n:m|二比四",
    "wanda": r"wanda",
    "onnx": r"onnx(?:[ -]?runtime)?",
    "torch_export": r"torch[ ._-]?export(?:ed)?|exported ?program|pt2|torchexport",
    "safetensors": r"safe ?-?tensors?",
    "static": r"static(?:ally)?|静态",
    "dynamic": r"dynamic(?:ally)?|动态",
    ">": r"(?:goes |is |gets |stays |rises |climbs |jumps |be )?(?:above|over|past|higher than|greater than|more than|larger than|exceed(?:s|ing)?|beyond|tops|hotter than|>)(?!=)|超过|超出|高于|大于|高过|多于|突破|(?<!不)超(?=\s*\d)|涨到|升到|达到|到了(?=\s*\d)",
    "<": r"(?:goes |is |gets |stays |falls |drops |dips |be )?(?:below|under|beneath|less than|lower than|fewer than|smaller than|<)(?!=)|低于|小于|少于|跌破|降到|掉到|不足|不到",
    ">=": r">=|at least|or more|no less than|大于等于|不低于|不少于|至少",
    "<=": r"<=|at most|or less|no more than|小于等于|不超过|不高于|至多",
    "critical": r"critical|page[- ]worthy|严重|紧急|致命",
    "warning": r"warnings?(?: level)?|警告(?:级别)?",
    "info": r"info(?:rmational)?(?: level)?|提示级别",
    "anomaly": r"anomal(?:y|ies|ous(?:ly)?)|unusual(?:ly)?|odd(?:ly)?|weird(?:ly)?|strange(?:ly)?|abnormal(?:ly)?|异常|反常",
    "rate": r"rate of change|grows? by|changes? (?:faster|by)|变化率|增速|涨幅",
    "peer": r"unlike its peers|outlier|differs? from (?:its|the) (?:peers|others)|与其他.{0,6}不同|离群",
}


@cache
def _pattern(value: str) -> re.Pattern[str]:
    spoken = _SPOKEN.get(value, re.escape(value).replace("_", "[ _-]"))
    return compiled(rf"(?<![a-z0-9_-])(?:{spoken})(?![a-z_-])(?!(?<=[a-z0-9])[0-9])")


def find(low: str, values: Sequence[str]) -> Iterator[tuple[Span, str]]:
    """Where a folded text names one of ``values``."""
    for value in values:
        for match in _pattern(value).finditer(low):
            if match.group():
                yield Span(*match.span()), value

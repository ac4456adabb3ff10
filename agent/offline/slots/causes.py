"""What somebody says was the cause of an alert, without the words around it."""

from __future__ import annotations

import re

from agent.offline.text import Span, lazily

_IT = "\ufffc"
"""Stands for the name of the alert."""
_WAS = (
    r"(?:(?:(?:was|is|were) )?(?:caused by|because of|due to)|came from|comes from|turned out to be"
    r"|was|is|were|=|:|：|——?|--?)"
)
_NOUN = r"(?:(?:confirmed |real |true |verified )*(?:root )?(?:cause|reason|culprit))"
_HAN_NOUN = r"(?:(?:confirmed |root )*cause|根因|根本原因|原因|真凶|元凶|病根|成因|(?:最终)?结论|結論|定论|归因(?!为|于))"
_HAN_WAS = (
    r"(?:(?:查实|查明|查清楚?|查出来|定位|坐实|实锤|破案|确认|確認|真正的原因|找到原因)(?:了|过了)?\s*[,，:：]?\s*)?"
    r"(?:确认|定|查明)?(?:了|过)?\s*[,，:：]?\s*(?:就是|是因为|是因為|系因为|系因為|是由于?|记成|记为|記成|(?:登记|登記|归档|写)(?:为|成|為)|归(?:因于|因为|结为)|記為|写成|写上?[:：]?|登[录錄][为為]|[落入归]档|就记|记(?!录|個|个|原|条|一[条笔])(?:一?下|上)?(?:是|为)?|填|定为|确认为|是|為|为|係|系|:|：|——?)"
)
_PATTERNS = tuple(
    lazily(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        rf"(?:mark|file|record|log|save|note|write down|put down|set down|register|store|put)\s+(?!down\b|that\b|it\b|this\b)(?P<t>\S.*?)\s+as\s+(?:the |an? |what |its )*(?:{_NOUN}|caused)",
        rf"{_IT}\s*(?:原来|之前|上次|上回)?(?:给)?(?:[记記定写登]了?|登记)的(?:原因|根因|结论)?\s*(?P<t>\S.*?)\s*(?:[,，。;；]|(?:是)?(?:不对|错的?|判错|误判|撤|收回|作废))",
        rf"(?:撤|收回|作废|改)[^{_IT}]{{0,8}}{_IT}\s*(?:上|下)?的?(?:原因|根因|结论|定论)?\s*(?P<t>\S.*?)\s*(?:[,，。;；]|(?:是)?(?:不对|错的?|判错|误判)|$)",
        rf"(?:take back|withdraw|retract|remove|drop)\s+(?:the |that )?{_NOUN}\s+(?P<t>\S.*?)\s+(?:for|of|from|on)\s+{_IT}",
        rf"{_IT}\s*(?:[-–—]+\s*)?(?:is |was |has been )?(?:confirmed|verified)\s*(?:=|:|：|,|as|to be|--?)\s*(?P<t>\S.*)",
        rf"{_IT}\s*[(（]\s*(?P<t>[^()（）]+)[)）]",
        rf"(?:{_NOUN}|{_HAN_NOUN})\s*(?:{_WAS}|{_HAN_WAS})?\s*(?P<t>[^,，。;；]+?)\s*[,，]?\s*(?:[(（]\s*{_IT}\s*[)）]|(?:(?:对应|关联|针对|挂在|归到)(?:的)?|[,，]\s*|\s(?=告警))(?:告警|alert)?(?:是|为)?\s*[:：]?\s*{_IT})\s*$",
        rf"{_IT}\s*,\s*(?P<t>[^,]+),\s*(?:was|is) wrong",
        rf"{_IT}\s+(?:happened|fired|went off|came up) (?:because(?: of)?|due to|from)\s+(?P<t>\S.*)",
        rf"{_NOUN}\s+(?:of|for|behind)\s+(?:the )?{_IT}\s*(?:(?:is |was )?(?:confirmed|verified)\s*)?(?:{_WAS}|to|as|,)\s+(?P<t>\S.*)",
        rf"(?P<t>[^,.:：，。;]+?)\s+(?:is |was )?(?:behind|caused|broke|triggered)\s+{_IT}",
        rf"{_IT}\s*[:：,，-]?\s*{_NOUN}\s*{_WAS}\s*(?P<t>\S.*)",
        rf"{_IT}[^,.，。]{{0,24}}?{_HAN_NOUN}\s*{_HAN_WAS}\s*(?P<t>\S.*)",
        rf"{_IT}\s*(?:的?锅)?(?:查实|查明白?|查清楚?|查出来|定位|坐实|实锤|破案|确认|找到)(?:了|过了)?(?!\s*(?:是|系|为|就是))[\s,，:：]+(?P<t>\S.*)",
        rf"(?:根因|原因|cause)(?:确认|登记|记录)?\s*[:：]\s*{_IT}\s*(?:——?|[-:：,，]|是)\s*(?P<t>\S.*)",
        rf"{_IT}\s*{_WAS}\s*(?P<t>\S.*)",
        rf"{_IT}\s*(?:这次|这回|已经?|最[后终])?\s*(?:{_HAN_WAS})\s*(?P<t>\S.*)",
        rf"{_IT}[^，,。.]{{0,16}}[,，]\s*(?:{_HAN_WAS})\s*(?P<t>\S.*)",
        rf"(?:{_HAN_NOUN})\s*{_HAN_WAS}?\s*(?P<t>\S.*)",
        r"[:：]\s*(?P<t>\S.*)",
        rf"\b(?:{_NOUN}\s+(?:was|is)|caused by|turned out to be|turns out (?:it was|to be)|because of|due to|it (?:was|came from)|was)\s+(?P<t>\S.*)",
        r"(?:是因为|查出来是|是由|就是|(?:确认|查明|查清)了?[\s,，]*是)\s*(?P<t>\S.*)",
    )
)
_TAIL = lazily(
    r"(?:\s*[.。;；!！]|\s*[,，]|\s+and)\s*(?:please|pls|plz|so\b|confirmed|that was|note|record|remember|log\b|save|store|"
    r"file (?:it|that|this)|register|write|keep|put (?:it|that)|add (?:it|that)|as the|thanks|thx|for next|next time|"
    r"帮|请|請|麻烦|记|記|你记|登记|归档|歸檔|存|备案|写|下次|以后|record|谢|已?确认过?|(?:we|i) (?:have )?(?:verified|confirmed|checked)|it'?s (?:verified|confirmed)|stick|could you|can you|标记|入[库档]|录入|给(?:它|系统|我)?(?:记|学)|(?:导师|老板|领导)?让我|(?:落|归|存|备)个?[档案])[^\n]*$"
    r"|\s+(?:落个?档|写进\S{1,4}|给?(?:记|記)(?:到|进|入|下|录|一)\S{0,8}|(?:归|存|备)个?[档案]|登记\S{0,2}|录?入[库档]|录入|note (?:it|that|this) (?:down|as)\b.*)$",
    re.IGNORECASE,
)
_NOTHING = frozenset(
    {
        "this",
        "that",
        "it",
        "wrong",
        "the cause",
        "record the cause",
        "note the cause",
        "错的",
        "误判",
        "了",
        "过了",
        "record it",
        "note it",
        "根因",
        "原因",
        "找到了",
        "来",
        "上",
        "下",
        "下来",
        "一下",
        "记下来",
        "进去",
        "找到",
        "查到了",
    }
)
_MADE = lazily(r"\s*(?:所?(?:引起|导致|造成|触发|導致)(?:了)?的?|那条|这条)\s*$")
_LEAD = lazily(
    rf"^(?:(?:请|麻烦|帮忙)?(?:录|记|落|存|登|写|归|来)[^\s:：,，]{{0,6}}[:：]|(?:and )?(?:please |pls )?(?:store|save|note|log|record|file|write) (?:it|that|this)(?: down)?\s*[:：]|(?:写|记|存|登)?(?:进去|下来|进|下|上)(?:吧|一下)?[,，:：]|登记(?:成|为|一下)?[:：\s]+|[^\s:：]{{0,6}}(?:[档案库]|下来|结论|原因|记录|备注)吧?[:：]|(?:was|were) (?=\S)|(?:帮忙|麻烦)?(?:记|記)(?:一下|下|录|录一下|一笔|上)?[:：]|(?:for the (?:records?|books|files?)|it'?s confirmed|confirmed|verified)\s*[,:，：]|that |(?:the |its )?(?:root )?(?:cause|reason) (?:was|is|being) |it (?:was|is) |is |about |,|，|:|：|——?|{_IT}|一声|一下|真正的原因是|就是|是|因为)\s*",
    re.IGNORECASE,
)


_ASKED = lazily(
    r"(?:请|你|我|麻烦|帮忙|给我|都|已经?|已)*(?:确认|登记|登記|记录?|記錄?|记下来?|存|写|录入?|归档|备案)(?:了|一下|下|上|进去|好)*"
    r"|(?:帮忙|麻烦|帮我)?分[析折]一?下?|.*\b(?:what|who|which)"
    r"|(?:please |pls |you can |can you )*(?:note|write|log|record|file|put) (?:it|that|this)(?: down)?(?: please)?",
    re.IGNORECASE,
)
"""What only asks for a cause to be kept and tells none."""


def cause(raw: str, alert: Span | None) -> str | None:
    """The cause told in ``raw``; ``alert`` is where the alert is named."""
    text = raw if alert is None else f"{raw[: alert.start]}{_IT}{raw[alert.end :]}"
    for pattern in _PATTERNS:
        match = pattern.search(text)
        said = trimmed(match["t"]) if match else ""
        if said and _IT not in said and said.lower() not in _NOTHING and not _ASKED.fullmatch(said):
            return said
    return None


def trimmed(said: str) -> str:
    """What was told, without the words that only ask for it to be kept."""
    text = _TAIL.sub("", said.strip())
    text = _MADE.sub("", text).strip()
    text = _LEAD.sub("", text)
    return text.strip(" \t,，。.!！;；\"'“”‘’「」`")

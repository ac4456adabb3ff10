"""What somebody says was the cause of an alert, without the words around it."""

from __future__ import annotations

import re

from agent.offline.text import Span

_IT = "\ufffc"
"""Stands for the name of the alert."""
_WAS = (
    r"(?:(?:(?:was|is|were) )?(?:caused by|because of|due to)|came from|comes from|turned out to be"
    r"|was|is|were|=|:|：|——?|--?)"
)
_NOUN = r"(?:(?:confirmed |real |true |verified )*(?:root )?(?:cause|reason|culprit))"
_HAN_NOUN = r"(?:(?:confirmed |root )*cause|根因|根本原因|原因|真凶|元凶|结论|結論)"
_HAN_WAS = (
    r"(?:(?:查实|查明|查清楚?|查出来|定位|坐实|确认|確認|真正的原因|找到原因)(?:了|过了)?\s*[,，:：]?\s*)?"
    r"(?:就是|是因为|是因為|系因为|系因為|是由于?|记成|记为|記成|(?:登记|登記|归档|写)(?:为|成|為)|归(?:因于|结为)|記為|写成|写|填|定为|确认为|是|為|为|係|系|:|：|——?)"
)
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        rf"(?:mark|file|record|log|save|note|write down|put down|set down|register|store|put)\s+(?!down\b|that\b)(?P<t>\S.*?)\s+as\s+(?:the |an? |what |its )*(?:{_NOUN}|caused)",
        rf"(?:take back|withdraw|retract|remove|drop)\s+(?:the |that )?{_NOUN}\s+(?P<t>\S.*?)\s+(?:for|of|from|on)\s+{_IT}",
        rf"{_NOUN}\s+(?:of|for|behind)\s+(?:the )?{_IT}\s*(?:{_WAS}|to|as)\s+(?P<t>\S.*)",
        rf"(?P<t>[^,.:：，。;]+?)\s+(?:is |was )?(?:behind|caused|broke|triggered)\s+{_IT}",
        rf"{_IT}\s*[:：,，-]?\s*{_NOUN}\s*{_WAS}\s*(?P<t>\S.*)",
        rf"{_IT}[^,.，。]{{0,24}}?{_HAN_NOUN}\s*{_HAN_WAS}\s*(?P<t>\S.*)",
        rf"(?:根因|原因|cause)(?:确认|登记|记录)?\s*[:：]\s*{_IT}\s*(?:——?|[-:：,，]|是)\s*(?P<t>\S.*)",
        rf"{_IT}\s*{_WAS}\s*(?P<t>\S.*)",
        rf"{_IT}\s*(?:这次|这回|已经?)?\s*(?:{_HAN_WAS})\s*(?P<t>\S.*)",
        rf"{_IT}[^，,。.]{{0,16}}[,，]\s*(?:{_HAN_WAS})\s*(?P<t>\S.*)",
        rf"(?:{_HAN_NOUN})\s*{_HAN_WAS}?\s*(?P<t>\S.*)",
        r"[:：]\s*(?P<t>\S.*)",
        rf"\b(?:{_NOUN}\s+(?:was|is)|caused by|turned out to be|turns out (?:it was|to be)|because of|due to|it was|was)\s+(?P<t>\S.*)",
        r"(?:是因为|查出来是|是由|就是)\s*(?P<t>\S.*)",
    )
)
_TAIL = re.compile(
    r"(?:\s*[.。;；!！]|\s*[,，]|\s+and)\s*(?:please|pls|plz|so\b|confirmed|that was|note|record|remember|log\b|save|store|"
    r"file (?:it|that|this)|register|write|keep|put (?:it|that)|add (?:it|that)|as the|thanks|thx|for next|next time|"
    r"帮|请|請|麻烦|记|記|你记|登记|归档|歸檔|存|备案|写|下次|以后|record|谢|已确认)[^\n]*$",
    re.IGNORECASE,
)
_NOTHING = frozenset({"this", "that", "it", "wrong", "错的", "误判"})
_MADE = re.compile(r"\s*(?:所?(?:引起|导致|造成|触发|導致)(?:了)?的?|那条|这条)\s*$")
_LEAD = re.compile(
    rf"^(?:(?:帮忙|麻烦)?(?:记|記)(?:一下|下|录|录一下)?[:：]|that |is |an? |the |about |,|，|:|：|——?|{_IT}|一声|一下|是|因为)\s*",
    re.IGNORECASE,
)


def cause(raw: str, alert: Span | None) -> str | None:
    """The cause told in ``raw``; ``alert`` is where the alert is named."""
    text = raw if alert is None else f"{raw[: alert.start]}{_IT}{raw[alert.end :]}"
    for pattern in _PATTERNS:
        match = pattern.search(text)
        said = _trimmed(match["t"]) if match else ""
        if said and _IT not in said and said.lower() not in _NOTHING:
            return said
    return None


def _trimmed(said: str) -> str:
    text = _TAIL.sub("", said.strip())
    text = _MADE.sub("", text).strip()
    text = _LEAD.sub("", text)
    return text.strip(" \t,，。.!！;；\"'“”‘’「」`")

"""Where a value stands in a change: the new one, the old one, a step, or beside the point."""

from __future__ import annotations

from agent.offline.mention import Mention
from agent.offline.text import Span
from agent.offline.text import pattern as compiled
from tools.contract import Parameter

_FROM = compiled(r"(?:\bfrom|从|由)(?: the)?(?: version)?[ v]*$")
_OLD = compiled(
    r"\s*(?:replicas|pods|个|副本|个副本)?\s*(?:→|->|=>|-->|to (?=v?\d)|(?:变|改|扩|升|缩|降)?到 ?(?=v?\d))"
)
"""What follows the old value: ``3 → 5``, ``3 to 5``."""
_AS_IT_IS = compiled(
    r"(?:现在|目前|当前|眼下|这会儿?)(?:是|有|才|只有|就|一?共|跑着|挂着)?\s*$|\b(?:currently|now|right now)(?: (?:at|has|have|on|with|only|runs?|running))*\s$"
)
"""What precedes a count that only tells how things are: ``现在 4 个副本顶不住``."""
_VERSION = compiled(
    r"\s*(?:version|build|one|model|candidate|那版|这版|那个|的?(?:版|模型))|\s+of\b"
)
_PLACE = compiled(r"\b(?:in|into|on)(?: the)? $")
_MORE_BEFORE = compiled(
    r"(?:\bby|\badd|\banother|\bextra|\bremove|\bdrop|再(?:多)?[加开起来]?|多[加开起]?|[增添]加|减少|加上?|减)\s*$"
)
_MORE = compiled(r" (?:more|extra|additional|fewer) ")
_MORE_AFTER = compiled(r" (?:more|extra|additional|fewer|less)\b")
_NEW = compiled(
    r"(?:\b(?:to|onto|into)|→|->|=>|换(?:成|到|用|上)?|升(?:级)?(?:到|至|成)?|改(?:成|到|用|为)?|弄成|调(?:成|到)|变成|切(?:到|成)|转(?:到|成|用)|[推提]到|标(?:成|为))(?: ?(?:the|version))*[ v第]*$"
)
"""Words before the new value of a change."""
_TOLD_SO = 0.5
"""Against an alias that a verb implies (``转正``) when one is named."""
_ABOUT = compiled(
    r"[ -](?:long )?(?:run|job|training|shift|outage|flight|meeting|maintenance|drive|trip)s?\b|(?:后|之后|以后)(?:要|有|开|就|上|发|我|会|做|得|来|问|去)|(?<=秒)(?:才|都)"
)
_PLANNED = compiled(r"(?:要|得|还要|准备|打算)")
_AHEAD = compiled(r"\b(?:in|within|after)(?: about| around| the next)? $")
_PAST = compiled(r"(?:the )?(?:last|past|previous)\b")
_COMING = compiled(
    r"\b(?:have|has|starts?|begins?|goes|going|launch\w*|leav\w*|meeting|stand-?up|demo|call|due|ends?|over|land\w*|arriv\w*|expires?|be back|draining|review)\b[^,.;]{0,30}$"
)
_OPERATOR = compiled(
    r"\s*(?:[<>]=?|(?:goes|is|gets|drops|falls)? ?(?:above|over|below|under|exceeds)\b|超|高于|低于|大于|小于|过 ?\d)"
)
_CALLED = compiled(r"(?:\bname[d=:]?|\bcalled|\bcall it|名字?(?:就|是|为|叫)*|叫做?)\W*$")
_DATED = compiled(
    r"(?:since |so far )*(?:yesterday|today|tonight|(?:this|last) (?:week|night|month))(?:'s)?|[昨今].{1,2}|[这上本]个?(?:周|星期|礼拜|月)"
)
_ONE = compiled(r"(?:one|a|一)")
_LIMIT = compiled(
    r"(?:\bover|\babove|\bbelow|\bunder|\bthan|\bexceeds?|\bat|\bto|\bthreshold|[<>=:]|于|过|超|到|破|阈值|不足)(?: of| is)?\s*$"
)


def gain(low: str, parameter: Parameter, mention: Mention) -> float:
    """What the place of a value in a change speaks for it, and against the old value."""
    before, after = low[: mention.span.start], low[mention.span.end :]
    if parameter.word == "metric":
        return 1.5 * bool(_OPERATOR.match(after)) - 3.0 * bool(_CALLED.search(before))
    score = -_against(low, parameter, mention, before, after)
    takes = parameter.word in ("count", "version", "number", "alias") and parameter.required
    return score + (3.0 if takes and _NEW.search(before) else 0.0)


def _against(low: str, parameter: Parameter, mention: Mention, before: str, after: str) -> float:
    """Against ``from 3`` in ``from 3 to 5``, ``3`` in ``3 → 5``, and ``in production``.

    ``the staging version`` is a version, not the alias to set.
    """
    if _FROM.search(before) or (parameter.word == "count" and _AS_IT_IS.search(before)):
        return 3.0
    if mention.kind != "alias":
        return 3.0 if parameter.required and _OLD.match(after) else 0.0
    if parameter.word == "alias":
        implied = str(mention.value) != low[mention.span.start : mention.span.end]
        return _TOLD_SO * implied + (2.0 if _VERSION.match(after) else 0.0)
    return 1.5 if _PLACE.search(before) else 0.0


def relative(low: str, span: Span) -> bool:
    """``two more``, ``再加两个``: how many that makes is not said."""
    return bool(
        _MORE_BEFORE.search(low[: span.start])
        or _MORE.search(low[span.start : span.end])
        or _MORE_AFTER.match(low[span.end :])
    )


def aside(low: str, span: Span) -> bool:
    """A duration of something else: ``for a 12h run``, ``I have the standup in 5 min``."""
    today = low[span.start : span.start + 1] == "今" and _PLANNED.match(low, span.end)
    if today or _ABOUT.match(low[span.end :]):
        return True
    ahead = None if _PAST.match(low, span.start) else _AHEAD.search(low[: span.start])
    return bool(ahead and _COMING.search(low[: ahead.start()]))


def dated(low: str, span: Span) -> bool:
    """A day or a week by its name, which is no duration: ``yesterday``, ``这周``."""
    return bool(_DATED.fullmatch(low[span.start : span.end]))


def article(low: str, span: Span) -> bool:
    """``one`` that counts nothing and is no limit: ``if one GPU's power …``."""
    return bool(_ONE.fullmatch(low[span.start : span.end])) and not _LIMIT.search(low[: span.start])

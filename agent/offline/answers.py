"""Short answers to our own questions: yes, no, the second one, 3, every day at nine."""

from __future__ import annotations

from collections.abc import Sequence

from agent.offline.slots import durations, fractions, numbers, schedule
from agent.offline.text import Text
from agent.offline.text import pattern as compiled
from tools.contract import Json, Parameter

_YES = compiled(
    r"^(?:yes|yeah|yep|yup|y|sure|ok(?:ay)?|do it|do that|go ahead|please do|correct|right|exactly|affirmative|propose it|that's right|please|of course|"
    r"是|是的|好|好的|对|对的|可以|行|嗯+|没错|确认|要|提议吧|来吧|当然|就这样做|就这么办)(?:[,.! ]+(?:please|do it|go ahead|do that|propose it|now|yes|thanks|吧|的|就这么办|提议吧))*[.! ]*$"
)
_NO = compiled(
    r"^(?:no|nope|nah|n|cancel|stop|never ?mind|nvm|forget (?:it|that|about it)|none(?: of them)?|neither|not now|abort|leave it|don'?t|do not|no thanks?(?: you)?|not anymore|scratch that|drop it|"
    r"不|不用了?|不要了?|不是|算了|取消|别|不必了?|没有|都不是|先不了?|不需要了?|作罢|停)(?:[,.! ]+(?:thanks?(?: you)?|it|that|leave it|forget it|never ?mind|don'?t|cancel(?: it| that)?|吧|了|谢谢|别弄了|不用了))*[.! ]*$"
)
_ALL = compiled(
    r"^(?:both|all|all of them|both of them|every one|each|every one of them|都|两个都|全部|所有|都要|两个都要|全都)(?:\b|[吧要了]|[.! ]*$)"
)
_FIRST = ("first", "former", "第一", "前一", "前者", "头一")
_LAST = ("last", "latter", "后一", "后者", "最后")
_ORDINAL = compiled(
    r"\b(?P<o>first|second|third|fourth|fifth|sixth|seventh|eighth|1st|2nd|3rd|4th|5th)\b|第\s*(?P<h>\d+|[一二三四五六七八九十])\s*(?:个|台|项|种)?"
    r"|^(?:number |no\.? ?|#|option )?(?P<n>\d)[.! ]*$"
)
_FILLER = compiled(
    r"\b(?:the|one|it's|its|it is|i mean|i meant|please|that|in|on|for|use|take|pick|namespace|of|course)\b|那个|就|是|的|吧|用|选|个|环境|命名空间|里|这|上|我(?:说|指)|[,.!? ]"
)


def agrees(low: str) -> bool:
    """A plain yes."""
    return bool(_YES.match(low.strip()))


def declines(low: str) -> bool:
    """A plain no, or taking it back."""
    return bool(_NO.match(low.strip()))


def everything(low: str) -> bool:
    """All of the candidates."""
    return bool(_ALL.match(low.strip()))


def option(low: str, options: Sequence[str], counted: bool) -> str | None:
    """The candidate meant by its place (``the second one``) or by a part of its name (``prod``)."""
    if not options:
        return None
    said = low.strip()
    exact = next((o for o in options if o.lower() == said.rstrip(".!")), None)
    if exact:
        return exact
    part = _FILLER.sub("", said)
    matching = [o for o in options if len(part) > 1 and part in o.lower()]
    if len(matching) == 1:
        return matching[0]
    place = _place(said, len(options)) if counted else None
    return options[place] if place is not None and 0 <= place < len(options) else None


def only_a_place(low: str) -> bool:
    """Nothing but ``the second one``: no request can be meant by that."""
    rest, places = _ORDINAL.subn("", low)
    return bool(places) and not _FILLER.sub("", rest)


def _place(low: str, count: int) -> int | None:
    match = _ORDINAL.search(low)
    if match:
        number = numbers.whole(match["o"] or match["h"] or match["n"] or "")
        return number - 1 if number else None
    if any(w in low for w in _FIRST):
        return 0
    return count - 1 if any(w in low for w in _LAST) else None


def value(parameter: Parameter, text: Text) -> Json:
    """A bare answer as the asked argument: ``3``, ``40``, ``an hour``, a name nobody knows."""
    said = text.raw.strip().rstrip(".!。！?？")
    low = text.low.strip().rstrip(".!?")
    match parameter.word:
        case "count" | "revision" | "gpu" | "xid" | "action":
            return numbers.whole(low.lstrip("#v"))
        case "number":
            return numbers.value(low)
        case "fraction":
            return _share(low)
        case "window":
            found = sorted(durations.find(low), key=lambda f: f[0].start - f[0].end)
            return found[0][1] if found else None
        case "when":
            moment = schedule.find(low)
            return moment[1] if moment else None
        case "text":
            return said or None
        case _:
            return said if _NAME.match(said) else None


_NAME = compiled(r"^[\w.#@:/+=-]{1,253}$")


def _share(low: str) -> float | None:
    found = next(iter(fractions.find(low)), None)
    if found:
        return found[1]
    number = numbers.value(low)
    if number is None:
        return None
    return number / 100 if number > 1 else number

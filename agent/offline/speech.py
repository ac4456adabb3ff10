"""What a clause does: asks for something, asks about something, tells, forbids, makes conditions.

Only grammar: function words, aspect, word order. No tool is known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum

from agent.offline.grammar import rule
from agent.offline.text import Span
from agent.offline.text import pattern as compiled


class Act(StrEnum):
    """The speech act of a clause."""

    REQUEST = "request"
    QUESTION = "question"
    GENERAL = "general"
    """A question about how things are in general: how long does, what is a, is it safe to."""
    STATEMENT = "statement"
    """Telling what somebody did or will do."""
    NEGATED = "negated"
    CONDITION = "condition"
    HEDGED = "hedged"


_MEASURES = compiled(r" m=[a-z0-9_]+")
_SPACES = compiled(r"\s+")


def _plain(clause: str) -> str:
    """One space between words, no marks at the ends; a question mark stays."""
    return _SPACES.sub(" ", _free(_MEASURES.sub("", clause))).strip(" ,.;:!")


def _free(clause: str) -> str:
    """Without what only sounds like a refusal: ``instead of 5``, ``精度别掉超过一个点``."""
    return rule("spared").sub(" ", _SPACES.sub(" ", clause))


def _says(name: str) -> Callable[[str], bool]:
    """Does a clause fit a rule of the grammar, wherever in it?"""

    def says(clause: str) -> bool:
        return bool(rule(name).search(_plain(clause)))

    return says


def act(clause: str, conditions: bool = True) -> Act:
    """The act of a folded clause (names masked); conditions may be left out of account."""
    text = _plain(clause)
    general = bool(rule("general").search(text))
    if rule("whether").search(text) and not rule("negation").search(text) and not general:
        return Act.QUESTION
    if conditions and rule("condition").search(text) and not general:
        return Act.CONDITION
    if rule("negation").search(text) and not text.endswith("?"):
        return Act.NEGATED
    if rule("polite_question").search(text) and not re.search(
        r"\bin general\b|\bhow (?:do|to)\b", text
    ):
        return Act.HEDGED if rule("hedge").search(text) else Act.REQUEST
    if general:
        return Act.GENERAL
    if rule("hedge").search(text):
        return Act.HEDGED
    if rule("question").search(text) or text.endswith("?"):
        return Act.QUESTION
    told = rule("told").search(text) or rule("reported").search(text)
    asked = rule("looks").search(text) or rule("please").search(text)
    return Act.STATEMENT if told and not asked else Act.REQUEST


_OPENERS = r"if|once|when|whenever|as soon as|unless|in case|after|assuming"
_BEFORE_CONDITION = compiled(rf"^(?P<main>.+?)[, ]*\b(?:{_OPENERS}|until|provided)\b")
_AFTER_CONDITION = compiled(
    rf"^.*?\b(?:{_OPENERS})\b[^,]*?(?:,\s*(?:then )?|\bthen )(?P<main>.+)$"
    r"|^.*?(?:就|自动|直接|的话,?|才|立刻|(?<=[完好后了]),?\s*再)(?P<han>.+)$"
)


_GOES_ON = frozenset(["and", "or", "nor", "和", "跟", "与", "或"])
_OPENING = compiled(
    rf"(?:but |and |so |only )*(?:{_OPENERS}|wait|until|等|如果|要是|一旦|除非|只有|若)"
)
_ONLY = compiled(r"\bonly (?:if|when|after|once)\b|才(?:能|行|可以)")


def main_clause(low: str) -> tuple[int, int] | None:
    """The range of a conditional sentence that says what to do."""
    after = _AFTER_CONDITION.search(low)
    if after:
        group = "main" if after["main"] else "han"
        return after.span(group)
    before = _BEFORE_CONDITION.search(low)
    return before.span("main") if before else None


def declares(clause: str) -> bool:
    """A plain statement of how things are: no order, no question."""
    text = _plain(clause)
    return (
        bool(rule("declares").search(text))
        and not rule("orders").search(text)
        and not text.endswith("?")
    )


afterthought = _says("afterthought")
"""Nothing but a time to come, or a doubt, about what was said before: ``tomorrow``, ``等等``."""
reports = _says("reported")
"""Tells that a deed is done, in the perfect tense: ``has been scaled``, ``已经扩到 6 个了``."""
orders = _says("orders")
"""Does it ask to look at something?"""
looks = _says("looks")
"""Does it begin by asking to be shown or told something?"""
subordinate = _says("subordinate")
"""A clause that only sets the scene: ``after the rollback``, ``上次发布之后``."""
assents = _says("assent")
"""``go``, ``do it``, ``thanks``: adds nothing to what was asked."""
refuses = _says("refuses")
"""Puts a whole deed off, whatever a phrase with the same words may ask for."""


def governs(sentence: str) -> bool:
    """May a sentence forbid or bind what another asks for: ``but only when …``, ``never mind``?"""
    text = _plain(sentence)
    opens = _OPENING.match(text) or _ONLY.search(text)
    return bool(opens or retracts(text) or rule("negation").search(text) or refuses(text))


dismisses = _says("dismisses")
"""Takes all back that was said before: ``never mind``, ``算了``."""
retracts = _says("retracts")
"""Takes back what was said, or forbids the deed by its name, whatever else the words say."""
stops = _says("stops")
"""Stops the change that was just asked for: ``abort``, ``wrong window``, ``别``."""
aborts = _says("aborts")
"""Stops what is going on, or what was just asked for: ``abort``, ``停``."""
forbids_all = _says("forbids_all")
"""Nothing but a refusal of all that follows: ``never, ever …``, ``do not, whatever …``."""
waits = _says("waits")
"""Holds everything up: ``hold on``, ``等一下``."""
states_not = _says("states_not")
"""Only states that something is not so: ``it has never seen them``."""
spares = _says("spares")
"""Wants something it names to be left as it is: ``leave NAME alone``, ``NAME 先不动``."""


def joins(joint: str) -> bool:
    """Is it a word that lets a refusal go on: ``don't restart NAME and drain NAME``?"""
    return joint.strip() in _GOES_ON


def negations(low: str) -> list[Span]:
    """The words that only forbid: ``don't``, ``no need to``, ``千万别``."""
    return [Span(*match.span()) for match in rule("negators").finditer(low)]


def courtesies(low: str) -> list[Span]:
    """Phrases that sound like conditions and bind nothing: ``if you can``, ``方便的话``."""
    return [Span(*match.span()) for match in rule("courtesy").finditer(low)]


counterfactual = _says("counterfactual")
"""Muses on what might have been: ``if only we had …``, ``要是当时…``."""
addressed = _says("addressed")
"""Speaks to somebody else: ``@mei could you …``; a name nobody knows is ``STRANGER``."""
likewise = _says("likewise")
"""Asks for the same as before for another thing: ``too``, ``也``."""
others = _says("others")
"""Speaks of what else there is: ``leave the others``, ``别的别动``."""
same_again = _says("same_again")
"""Nothing but another thing and a word for the same: ``and mast-1 too``, ``NAME 也一起``."""
timing = _says("timing")
"""Nothing but the time for what was asked before: ``both over TIME``, ``都要近 TIME``."""
fragment = _says("fragment")
"""Only a version by its name: ``staging 那一版``."""
watches = _says("watches")
"""Asks to be told when something comes to pass: ``ping me when …``, ``超过 … 就喊我``."""
later = _says("later")
"""Does it name a moment to come, for which nothing can wait here?"""
awaits = _says("awaits")
"""Does the whole message wait for something, so that its parts are no requests?"""
deferred = _says("deferred")
"""Does it put off the deed by a duration: ``in three hours``?"""
presently = _says("presently")
"""Does it ask for the deed at once, whatever is to come: ``现在就``, ``right now``?"""
either = _says("either")
"""One name or the other: somebody has to choose."""


def negated(clause: str) -> bool:
    """Does it forbid something?"""
    return bool(rule("negation").search(_free(clause)))


def conditional(clause: str) -> bool:
    """Does it make a condition?"""
    return bool(rule("condition").search(clause))

"""What people confirmed: find the cause they mean, keep it, see how the priors move."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tools.alerts.base import Feedback, alerts
from tools.alerts.library import playbooks
from tools.alerts.playbook import Cause, Playbook, Playbooks
from tools.alerts.priors import learnt
from tools.errors import BadArguments

if TYPE_CHECKING:
    from tools.world import World

_STOP = frozenset(
    [
        "a",
        "an",
        "the",
        "it",
        "was",
        "is",
        "were",
        "be",
        "of",
        "on",
        "in",
        "at",
        "to",
        "and",
        "or",
        "for",
        "with",
        "by",
        "that",
        "this",
        "its",
        "my",
        "our",
        "root",
        "cause",
        "caused",
        "reason",
        "problem",
        "issue",
        "because",
        "due",
        "just",
        "only",
        "really",
        "again",
        "bad",
    ]
)
_WORD = re.compile(r"[a-z0-9]+")
_HAN = re.compile(r"[\u4e00-\u9fff]+")
ENOUGH = 0.6


def record_cause(
    world: World,
    incident: int | None,
    cause: str,
    who: str,
    *,
    alert: str,
    action_id: str | None = None,
    weight: float = 1.0,
) -> Feedback:
    """Keep that ``cause`` (its identifier) was behind ``alert``; a negative weight withdraws it."""
    book = playbook_for(world, alert)
    verdict = Feedback(alert, book.name, cause, who, world.clock.now(), incident, action_id, weight)
    alerts(world).remember(verdict)
    return verdict


def playbook_for(world: World, alert: str) -> Playbook:
    """The playbook that a verdict about ``alert`` teaches."""
    library = playbooks(world)
    found = library.of(alert) or library.of(f"target/{alert}") or library.of("target/host")
    assert found is not None
    return found


def meant(library: Playbooks, book: Playbook, text: str) -> Cause:
    """The cause a person means by ``text``: its identifier, or words of its description.

    Raises:
        BadArguments: nothing fits well enough; names the causes of the playbook.
    """
    plain = text.strip().lower().replace(" ", "_").replace("-", "_")
    if plain in library.causes:
        return library.causes[plain]
    own = [library.causes[name] for name in book.priors]
    others = [c for name, c in library.causes.items() if name not in book.priors]
    wanted = _tokens(text)
    for group, enough in ((own, ENOUGH), (others, 0.8)):
        scored = sorted(((_fit(wanted, c), c.id) for c in group), reverse=True)
        if scored and scored[0][0] >= enough:
            return library.causes[scored[0][1]]
    listed = "; ".join(f"{c.id} ({c.words.en})" for c in own)
    raise BadArguments(
        f"Which cause is meant by {text!r}? {book.name} knows: {listed}.",
        f"“{text}”指哪个原因？{book.name} 包含："
        + "；".join(f"{c.id}（{c.words.zh}）" for c in own),
    )


def explains(library: Playbooks, book: Playbook, text: str) -> bool:
    """Whether ``text`` is one of the causes that this playbook itself lists."""
    wanted = _tokens(text)
    return any(_fit(wanted, library.causes[name]) >= ENOUGH for name in book.priors)


def _tokens(text: str) -> set[str]:
    words = {w.removesuffix("s") for w in _WORD.findall(text.lower()) if w not in _STOP}
    for run in _HAN.findall(text):
        words |= {run[i : i + 2] for i in range(max(1, len(run) - 1))}
    return words


def _fit(wanted: set[str], cause: Cause) -> float:
    """Share of the wanted words that the cause's description holds, its own words first."""
    if not wanted:
        return 0.0
    own = _tokens(f"{cause.id.replace('_', ' ')} {cause.words.en} {cause.words.zh}")
    wide = own | _tokens(" ".join(sign.text.replace("_", " ") for sign, _ in cause.signs))
    wide |= _tokens(f"{cause.remedy.words.en} {cause.remedy.words.zh}")
    exact = sum(1.0 for w in wanted if w in own)
    loose = sum(0.7 for w in wanted if w not in own and w in wide)
    return (exact + loose) / len(wanted)


def priors_of(world: World, book: Playbook, extra: Iterable[Feedback] = ()) -> Mapping[str, float]:
    """The playbook's priors after every verdict so far, and after ``extra`` ones."""
    verdicts = [*alerts(world).feedback(book.name), *extra]
    if not verdicts:
        return dict(book.priors)
    newest = max(v.at for v in verdicts)
    return learnt(book, verdicts, playbooks(world).causes, newest)

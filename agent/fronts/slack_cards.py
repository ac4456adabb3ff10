"""The approval card: Block Kit from an action. Pure.

Everything that comes from the world is raw text (``plain_text`` or preformatted rich text), which
Slack never interprets as markup; invisible characters are shown. The card is a view: the ledger is
the truth, and the card is rendered again whenever the action changes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from agent.events import Action, Progress, State
from agent.fronts.slack_card_words import words_in
from agent.fronts.slack_text import escape, safe, shorten
from agent.say import decided_why, outcome_line, state_words
from tools.actions.wording import rule_words
from tools.amounts import span
from tools.contract import Effect
from tools.words import Lang

Block = dict[str, Any]
TOO_RICH = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
"""Slack's words for blocks it does not take."""
PLAIN = 2_900
"""Characters of one text; Slack allows 3,000."""
_DECIDABLE = State.PROPOSED
_RUNNING = (State.APPROVED, State.APPLYING, State.APPLIED)


def card(action: Action, lang: Lang, progress: Progress | None = None) -> tuple[str, list[Block]]:
    """The fallback text and the blocks of an action's card."""
    words = words_in(lang)
    blocks: list[Block] = [
        _header(f"{words['action']} {action.number} · {state_words(action.state, lang)}"),
        _plain(safe(action.plan.words(lang).title)),
        *_raw(words["call"], call_text(action), words["cut"]),
    ]
    if action.done:  # what is over needs no preview; Details still has it
        blocks += [_plain(outcome_line(action, lang)), _plain(safe(_people(action, lang)))]
    else:
        blocks += _raw(words["diff"], action.plan.diff, words["cut"])
        blocks += [_plain(text) for text in _facts(action, lang)]
    if action.state in _RUNNING and progress is not None:
        blocks.append(_plain(progress_text(progress, lang)))
    blocks += [_when(action, lang), _buttons(action, lang)]
    return _fallback(action, lang), blocks


def details(action: Action, lang: Lang) -> Block:
    """A modal with all that the card had to shorten, and the whole history."""
    words = words_in(lang)
    blocks: list[Block] = [_plain(safe(action.plan.words(lang).title))]
    for title, text in (
        (words["call"], call_text(action)),
        (words["diff"], action.plan.diff),
        (words["details"], json.dumps(dict(action.plan.details), indent=1, ensure_ascii=False)),
    ):
        blocks += _raw(title, text, words["cut"], pieces=8)
    blocks += [_plain(text) for text in _facts(action, lang)]
    blocks += [_plain(text) for text in _history(action, lang)]
    blocks.append(_plain(f"{words['digest']} {action.digest}"))
    return {
        "type": "modal",
        "title": _text(f"{words['action']} {action.number}", 24),
        "close": _text(words["close"], 24),
        "blocks": blocks[:90],
    }


def call_text(action: Action) -> str:
    """The exact call, one argument a line, values as JSON."""
    given = {k: v for k, v in action.call.args.items() if v is not None}  # null is the default
    args = [f"  {k} = {json.dumps(v, ensure_ascii=False)}" for k, v in given.items()]
    return "\n".join([action.call.tool, *args])


def progress_text(progress: Progress, lang: Lang = "en") -> str:
    """Where a running action stands, in one line."""
    share = f" · {round(progress.fraction * 100)} %" if progress.fraction is not None else ""
    left = words_in(lang)["left"].format(time=span(progress.eta, lang)) if progress.eta else ""
    return f"{safe(progress.text)}{share}{left}"


def _facts(action: Action, lang: Lang) -> list[str]:
    plan, said, words = action.plan, action.plan.words(lang), words_in(lang)
    risk = words["destroy"] if plan.risk is Effect.DESTROY else words["change"]
    told = "verification fails" in plan.undo
    undo = f"{said.undo}{words['auto'] if plan.undo_on_failure and not told else ''}"
    facts = [
        f"{words['risk']}: {risk}\n{words['blast']}: {said.blast_radius}",
        f"{words['undo']}: {undo}\n{words['verify']}: {said.verification}",
        _people(action, lang),
    ]
    if said.warnings:
        facts.insert(0, "\n".join(f"! {w}" for w in said.warnings))
    if action.rule:
        facts.append(f"{words['rule']}: {rule_words(action.rule, lang)}")
    return [safe(fact) for fact in facts]


def _people(action: Action, lang: Lang) -> str:
    words = words_in(lang)
    lines = [f"{words['asked']}: {action.requester.name}"]
    if action.state is _DECIDABLE:
        who = ", ".join(action.approvers)
        lines.append(f"{words['may']}: {who} ({words['needed'].format(n=action.needed)})")
    yes = ", ".join(action.approved_by) or words["nobody"]
    lines.append(f"{words['yes']}: {yes} ({len(action.approved_by)}/{action.needed})")
    return "\n".join(lines)


def _history(action: Action, lang: Lang) -> list[str]:
    words = words_in(lang)
    lines = [f"{action.created_at:%H:%M:%S %Z} {words['asked']}: {action.requester.name}"]
    for said in action.decisions:
        verdict = words["said_yes"] if said.verdict == "approve" else words["said_no"]
        lines.append(
            f"{said.at:%H:%M:%S %Z} {said.who} {verdict} ({said.front}) {decided_why(said, lang)}"
        )
    if action.done:
        lines.append(f"{action.changed_at:%H:%M:%S %Z} {outcome_line(action, lang)}")
    return [safe(line) for line in lines]


def _when(action: Action, lang: Lang) -> Block:
    words = words_in(lang)
    waits = f"{words['expires']}: {_local(action.expires_at)} · "
    changed = f"{words['changed']}: {_local(action.changed_at)} · "
    text = (
        f"{waits if action.state is _DECIDABLE else changed}{words['digest']} {action.digest[:12]}"
    )
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}


def _local(at: datetime) -> str:
    """A time shown in the reader's own zone."""
    fallback = escape(f"{at:%Y-%m-%d %H:%M %Z}")
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"


def _buttons(action: Action, lang: Lang) -> Block:
    words = words_in(lang)
    value = json.dumps({"action": action.number, "digest": action.digest})
    elements: list[Block] = []
    if action.state is _DECIDABLE:
        approve = _button("steward_approve", words["approve"], value, "primary")
        if action.plan.risk is Effect.DESTROY:
            approve["confirm"] = {
                "title": _text(words["sure"], 90),
                "text": _text(safe(action.plan.words(lang).title), 290),
                "confirm": _text(words["approve"], 28),
                "deny": _text(words["close"], 28),
                "style": "danger",
            }
        elements += [approve, _button("steward_reject", words["reject"], value, "danger")]
    elements.append(_button("steward_details", words["more"], value))
    return {"type": "actions", "block_id": f"steward-{action.number}", "elements": elements}


def _button(id: str, text: str, value: str, style: str | None = None) -> Block:
    button: Block = {"type": "button", "action_id": id, "text": _text(text, 70), "value": value}
    return {**button, "style": style} if style else button


def _raw(title: str, text: str, note: str, pieces: int = 1) -> list[Block]:
    """Preformatted rich text: shown letter by letter, never interpreted."""
    shown = safe(text)
    parts: list[str] = []
    while len(shown) > PLAIN and len(parts) < pieces - 1:
        cut = shown.rfind("\n", PLAIN // 2, PLAIN) + 1 or PLAIN
        parts.append(shown[:cut])
        shown = shown[cut:]
    parts.append(shorten(shown, PLAIN, note)[0])
    return [_plain(title), *(_preformatted(part) for part in parts)]


def _preformatted(text: str) -> Block:
    element = {
        "type": "rich_text_preformatted",
        "elements": [{"type": "text", "text": text or " "}],
    }
    return {"type": "rich_text", "elements": [element]}


def _header(text: str) -> Block:
    return {"type": "header", "text": _text(text, 145)}


def _plain(text: str) -> Block:
    return {"type": "section", "text": _text(text, PLAIN)}


def _text(text: str, limit: int) -> Block:
    short = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return {"type": "plain_text", "text": short or " ", "emoji": False}


def _fallback(action: Action, lang: Lang) -> str:
    """What notifications and screen readers say; escaped, because it is markup to Slack."""
    words = words_in(lang)
    said = f"{words['action']} {action.number} {state_words(action.state, lang)}"
    return escape(shorten(f"{said}: {safe(action.plan.words(lang).title)}", 1_000, "…")[0])


def plainer(blocks: Sequence[Block]) -> list[Block]:
    """The same card of nothing but headers, sections and buttons, where richer ones are refused."""
    return [_plainer(block) for block in blocks]


def _plainer(block: Block) -> Block:
    if block["type"] == "rich_text":
        return _plain(str(block["elements"][0]["elements"][0]["text"]))
    if block["type"] == "context":
        return {"type": "section", "text": block["elements"][0]}
    return block


__all__: Sequence[str] = ["TOO_RICH", "call_text", "card", "details", "plainer", "progress_text"]

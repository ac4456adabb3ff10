"""The embedded planner at work: understand, look, propose, answer. No language model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from agent.conversations import Line
from agent.events import Action, Event, Looking, Notice, Proposed, Reply, Text
from agent.language import language_of
from agent.toolbox import Looked
from agent.turn import Turn
from tools.contract import Call, Finding, Json, as_json
from tools.errors import ToolError
from tools.words import Lang

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.offline.brain import Brain, Past, Pending, Understanding


@dataclass
class OfflinePlanner:
    """Answers with no language model: after a takeover, or because none is configured."""

    brain: Callable[[], Brain]

    def run(self, turn: Turn) -> Iterator[Event]:
        """One turn; what another planner had seen already is not looked at again."""
        understood = self.brain().understand(turn.message.text, pasts(turn.history))
        lang = understood.lang
        if not understood.calls:
            yield from self._without_calls(understood, turn)
            return
        looks = [c for c in understood.calls if not turn.toolbox.is_change(c.tool)]
        changes = [c for c in understood.calls if turn.toolbox.is_change(c.tool)]
        known = {_key(s.call): s for s in turn.seen}
        fresh = [c for c in looks if _key(c) not in known]
        for call in fresh:
            yield Looking(call)
        looked = [*turn.seen, *turn.toolbox.look_all(fresh, lang)]
        for one in looked[len(turn.seen) :]:
            yield one.seen
        said = _answer(looked, lang)
        actions: list[Action] = []
        held: list[Call] = []
        for event in self._changes(turn, changes, lang):
            if isinstance(event, Proposed):
                actions.append(event.action)
                yield event
            elif isinstance(event, Notice):
                said.append(event.text)
        if actions or not changes:
            held = changes[len(actions) :]
        said += [_proposal(a, lang) for a in actions]
        if actions and held:
            said.append(_held_line(held, actions[-1], lang))
        text = "\n\n".join(s for s in said if s)
        yield Text(text)
        failed = bool(changes) and not actions
        yield Reply(
            text,
            "offline",
            tuple(a.number for a in actions),
            failed=failed or (bool(looked) and not any(one.seen.ok for one in looked)),
            data=tuple(_data(one) for one in looked),
            facts=_facts(understood, actions, held),
        )

    def _without_calls(self, understood: Understanding, turn: Turn) -> Iterator[Event]:
        text = understood.clarify or understood.reply or ""
        if turn.seen:
            gathered = _answer(list(turn.seen), turn.lang)
            text = "\n\n".join([*gathered, text] if understood.clarify else gathered)
        yield Text(text)
        data = tuple(_data(one) for one in turn.seen)
        yield Reply(text, "offline", data=data, facts=_facts(understood, [], []))

    def _changes(self, turn: Turn, changes: Sequence[Call], lang: Lang) -> Iterator[Event]:
        """Propose the steps in order; one that builds on an earlier step waits for its outcome."""
        targets: set[str] = set()
        for number, call in enumerate(changes):
            if number and _builds_on(call, targets, turn):
                return
            try:
                action = turn.toolbox.propose(call, turn.message)
            except ToolError as error:
                if not number:
                    yield Notice(error.say(lang))
                return
            targets.update(str(v) for v in call.args.values() if isinstance(v, str))
            yield Proposed(action)


def pasts(history: Sequence[Line], limit: int = 12) -> list[Past]:
    """Earlier turns as the brain reads them: what was asked, called, proposed, asked back.

    What an action brought about (a version, a job) joins the arguments of its call, so that "roll
    it out" after a training means the version that the training registered.
    """
    from agent.offline.turns import Past

    turns: list[Past] = []
    calls: list[Call] = []
    text = ""
    for line in history[-10 * limit :]:  # a turn has a few lines; older ones cannot matter
        if line.role == "user":
            text, calls = line.text, []
        elif line.role == "assistant":
            turns.append(Past(text, tuple(calls), _pending(line.facts), language_of(text)))
        elif line.call and (line.role == "tool" or line.id.endswith("/proposed")):
            calls.append(line.call)
        elif line.call and line.facts.get("outcome"):
            made = cast("Mapping[str, Json]", line.facts["outcome"])
            turns.append(Past("", (_enriched(line.call, made),), None))
    return turns[-limit:]


SHARED = ("model", "version", "deployment", "job", "image")


def _enriched(call: Call, made: Mapping[str, Json]) -> Call:
    found = {k: str(made[k]) for k in SHARED if made.get(k) is not None}
    return Call(call.tool, {**call.args, **found})


def _pending(facts: Mapping[str, Json]) -> Pending | None:
    from agent.offline.turns import Pending

    kept = cast("Mapping[str, Any] | None", facts.get("pending"))
    if not kept:
        return None
    return Pending(
        Call(kept["call"]["tool"], kept["call"]["args"]),
        kept["ask"],
        tuple(kept["options"]),
        tuple(Call(c["tool"], c["args"]) for c in kept["rest"]),
        tuple(Call(c["tool"], c["args"]) for c in kept["before"]),
    )


def _answer(looked: Sequence[Looked], lang: Lang) -> list[str]:
    if not looked:
        return []
    from agent.offline.compose import compose

    results: list[tuple[Call, Finding | ToolError]] = [(one.call, one.result) for one in looked]
    from agent.redaction import mask, visible

    return [visible(mask(compose(results, lang)))]


def _proposal(action: Action, lang: Lang) -> str:
    from agent.say import proposal_line

    return proposal_line(action, lang)


def _held_line(held: Sequence[Call], after: Action, lang: Lang) -> str:
    names = ", ".join(call.tool for call in held)
    if lang == "zh":
        return f"操作 {after.number} 验证通过后，再提议下一步：{names}。"
    return f"Once action {after.number} is verified, the next step is proposed: {names}."


def _builds_on(call: Call, targets: set[str], turn: Turn) -> bool:
    named = {str(v) for v in call.args.values() if isinstance(v, str)}
    tool = turn.toolbox.tools.get(call.tool)
    return bool(tool and tool.lacking(call.args)) or bool(named & targets)


def _facts(
    understood: Understanding, actions: Sequence[Action], held: Sequence[Call]
) -> dict[str, Json]:
    facts: dict[str, Json] = {}
    if understood.pending:
        facts["pending"] = as_json(understood.pending)
    if actions and held:
        facts["after"] = actions[-1].number
        facts["held"] = [{"tool": c.tool, "args": dict(c.args)} for c in held]
    return facts


def _data(one: Looked) -> dict[str, Json]:
    args = dict(one.call.args)
    return {"tool": one.call.tool, "args": args, "ok": one.seen.ok, "result": one.seen.data}


def _key(call: Call) -> str:
    from agent.record import canonical

    return canonical([call.tool, dict(call.args)])

"""Where alert rules live: built in, in steward.yaml under ``alert_rules``, and set by people.

The later ones win by name. What people set, and how far each rule has come, is in the store, so
that a restart neither forgets a rule nor starts its ``for`` anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tools.contract import Happened
from tools.errors import BadArguments, unknown
from tools.observe.rules import COMPARE, Key, Rule, RuleState
from tools.words import parse_window

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

    from tools.world import World

_FILE = Path(__file__).parent / "data/rules.yaml"
_KINDS = ("threshold", "rate", "anomaly", "peer")
_SEVERITIES = ("info", "warning", "critical")


@dataclass(frozen=True, slots=True)
class Stored:
    """A rule a person set or removed (``rule`` is then ``None``)."""

    rule: Rule | None
    version: int
    action_id: str


@cache
def _tables() -> tuple[Any, Table, Table]:
    from sqlalchemy import BigInteger, Column, Float, Integer, MetaData, String, Table, Text

    data = MetaData()
    rules = Table(
        "observe_rules",
        data,
        Column("name", String(253), primary_key=True),
        Column("definition", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("action_id", String(100), nullable=False),
    )
    states = Table(
        "observe_rule_states",
        data,
        Column("rule", String(253), primary_key=True),
        Column("labels", String(1000), primary_key=True),
        Column("phase", String(20), nullable=False),
        Column("since", BigInteger, nullable=False),
        Column("value", Float(53), nullable=False),
    )
    return data, rules, states


class RuleStore:
    """The rules of a world. Durable, safe to use from several processes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._data, self._rules, self._states = _tables()
        world.store.ensure(self._data)

    def rules(self) -> Mapping[str, Rule]:
        """Every rule in force by name, disabled ones included."""
        found = dict(built_in())
        found |= {r.name: r for r in declared(self._world.fleet.sections.get("alert_rules"))}
        for name, stored in self._stored().items():
            if stored.rule is None:
                found.pop(name, None)
            else:
                found[name] = stored.rule
        return found

    def named(self, name: str) -> Rule:
        """One rule; ``BadArguments`` with the nearest names."""
        rules = self.rules()
        if name not in rules:
            raise unknown("alert rule", name, rules, "告警规则")
        return rules[name]

    def version(self, name: str) -> str:
        """Changes whenever a person changes the rule."""
        stored = self._stored().get(name)
        return "0" if stored is None else str(stored.version)

    def put(self, name: str, rule: Rule | None, action_id: str) -> None:
        """Set a rule, or remove it with ``None``; the same ``action_id`` does so once."""
        from sqlalchemy import insert, select, update

        text = "" if rule is None else json.dumps(asdict(rule))
        table = self._rules
        with self._world.store.write() as connection:
            query = select(table.c.version, table.c.action_id).where(table.c.name == name)
            row = connection.execute(query).first()
            if row is None:
                values = {"name": name, "definition": text, "version": 1, "action_id": action_id}
                connection.execute(insert(table).values(**values))
            elif row[1] != action_id:
                values = {"definition": text, "version": row[0] + 1, "action_id": action_id}
                connection.execute(update(table).where(table.c.name == name).values(**values))

    def happened(self, name: str, action_id: str, before: str) -> Happened:
        """Whether ``action_id`` changed ``name``, which stood at version ``before``.

        A later change of the same rule hides an earlier one: then it cannot be told.
        """
        stored = self._stored().get(name)
        if stored is not None and stored.action_id == action_id:
            return Happened.YES
        return Happened.NO if self.version(name) == before else Happened.UNSURE

    def _stored(self) -> dict[str, Stored]:
        from sqlalchemy import select

        table = self._rules
        with self._world.store.read() as connection:
            rows = connection.execute(
                select(table.c.name, table.c.definition, table.c.version, table.c.action_id)
            ).all()
        return {
            name: Stored(Rule(**json.loads(text)) if text else None, version, action)
            for name, text, version, action in rows
        }

    def states(self, rule: str) -> Mapping[Key, RuleState]:
        """How far a rule has come, per series."""
        from sqlalchemy import select

        table = self._states
        with self._world.store.read() as connection:
            rows = connection.execute(select(table).where(table.c.rule == rule)).all()
        return {
            tuple((str(k), str(v)) for k, v in json.loads(labels)): RuleState(
                phase, datetime.fromtimestamp(since / 1000, UTC), value
            )
            for _, labels, phase, since, value in rows
        }

    def keep(self, rule: str, states: Mapping[Key, RuleState]) -> None:
        """Replace what is known of a rule."""
        from sqlalchemy import delete, insert

        table = self._states
        rows = [
            {
                "rule": rule,
                "labels": json.dumps(key, ensure_ascii=False),
                "phase": state.phase,
                "since": int(state.since.timestamp() * 1000),
                "value": state.value,
            }
            for key, state in states.items()
        ]

        def replace_all(connection: Connection) -> None:
            connection.execute(delete(table).where(table.c.rule == rule))
            if rows:
                connection.execute(insert(table), rows)

        with self._world.store.write() as connection:
            replace_all(connection)


@cache
def built_in() -> Mapping[str, Rule]:
    """The rules that come with Steward."""
    import yaml

    rows: dict[str, dict[str, Any]] = yaml.safe_load(_FILE.read_text("utf-8"))
    return {name: _rule(name, row, "built in", _FILE.name) for name, row in rows.items()}


def declared(section: object) -> Iterable[Rule]:
    """The rules of a fleet: ``alert_rules`` maps a name to metric, op, threshold, duration, …

    Raises:
        BadArguments: names the rule and what is wrong with it.
    """
    if section is None:
        return ()
    if not isinstance(section, dict):
        raise BadArguments(
            "steward.yaml: alert_rules must map names to rules.",
            "steward.yaml：alert_rules 应为“名称: 规则”的映射。",
        )
    rows = cast("dict[str, Any]", section)
    return [_rule(name, row, "steward.yaml", "steward.yaml") for name, row in rows.items()]


def _rule(name: str, row: object, origin: str, file: str) -> Rule:
    def wrong(why: str) -> BadArguments:
        return BadArguments(
            f"{file}: alert rule {name}: {why}.", f"{file}：告警规则 {name}：{why}。"
        )

    if not isinstance(row, dict):
        raise wrong("must be a mapping with metric, op and threshold")
    given = cast("dict[str, Any]", row)
    known = {"metric", "op", "threshold", "duration", "kind", "severity", "enabled"}
    if strange := sorted(set(given) - known):
        raise wrong(f"{', '.join(strange)} is not known; it takes {', '.join(sorted(known))}")
    if not isinstance(given.get("metric"), str) or "threshold" not in given:
        raise wrong("needs a metric and a threshold")
    choices: Sequence[tuple[str, str, Sequence[str]]] = (
        ("op", ">", tuple(COMPARE)),
        ("kind", "threshold", _KINDS),
        ("severity", "warning", _SEVERITIES),
    )
    words: dict[str, Any] = {}
    for key, default, allowed in choices:
        words[key] = given.get(key, default)
        if words[key] not in allowed:
            raise wrong(f"{key} must be one of {', '.join(allowed)}")
    try:
        threshold = float(given["threshold"])
        duration = parse_window(str(given.get("duration", "5m"))).total_seconds()
    except (TypeError, ValueError) as error:
        raise wrong(str(error)) from None
    enabled = bool(given.get("enabled", True))
    return Rule(
        name, given["metric"], threshold=threshold, duration=duration, enabled=enabled,
        origin=origin, **words,
    )  # fmt: skip

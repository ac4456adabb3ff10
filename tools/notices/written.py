"""The ``notices`` section of steward.yaml: targets, routes, quiet hours, escalation.

    notices:
      targets:
        oncall-email: {url_env: ONCALL_MAIL_URL}     # or url: …, or url_file: /run/secrets/mail
        team-log: {file: notices/team.log}           # relative to STEWARD_HOME
      routes: {critical: [oncall-email, team-log], warning: [team-log]}
      quiet: {start: "22:00", end: "07:00", except: [critical]}
      escalation: {critical: {after: 10m, to: [boss]}}
      retry_for: 24h

Every complaint names the key and never shows a value that could hold a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import TYPE_CHECKING, cast

from tools.contract import Json
from tools.errors import BadArguments
from tools.notices.base import SEVERITIES, Severity
from tools.words import parse_window

if TYPE_CHECKING:
    from tools.fleet import Fleet

_KEYS = ("targets", "routes", "quiet", "escalation", "retry_for")


@dataclass(frozen=True, slots=True)
class Destination:
    """A target as written: exactly one of the four places is set."""

    name: str
    url: str | None = field(default=None, repr=False)
    url_env: str | None = None
    url_file: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which only the excepted severities are sent; may span midnight."""

    start: time
    end: time
    excepted: tuple[Severity, ...]


@dataclass(frozen=True, slots=True)
class Escalation:
    """Tell the next target of ``to`` each time ``after`` passes without an acknowledgement."""

    after: timedelta
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """The whole section."""

    destinations: Mapping[str, Destination]
    routes: Mapping[Severity, tuple[str, ...]]
    quiet: Quiet | None
    escalation: Mapping[Severity, Escalation]
    retry_for: timedelta


def rules(fleet: Fleet) -> Rules:
    """The section of a fleet; without one, a single target: the file ``notices.log``.

    Raises:
        BadArguments: a key is wrong; names it and says what is expected.
    """
    raw = _mapping("", fleet.sections.get("notices"))
    for key in raw:
        if key not in _KEYS:
            raise _fault(key, f"one of {', '.join(_KEYS)}")
    targets = {n: _destination(n, b) for n, b in _mapping("targets", raw.get("targets")).items()}
    targets = targets or {"file": Destination("file", file="notices.log")}
    known = {*targets}
    slack = "slack" in fleet.sections
    routes: dict[Severity, tuple[str, ...]] = {
        _severity("routes", s): _names(f"routes.{s}", names, known, slack)
        for s, names in _mapping("routes", raw.get("routes")).items()
    }
    escalation: dict[Severity, Escalation] = {
        _severity("escalation", s): _escalation(f"escalation.{s}", body, known, slack)
        for s, body in _mapping("escalation", raw.get("escalation")).items()
    }
    retry = _duration("retry_for", raw.get("retry_for") or "24h")
    return Rules(targets, routes, _quiet(raw.get("quiet")), escalation, retry)


def _destination(name: str, body: Json) -> Destination:
    where = f"targets.{name}"
    fields = _mapping(where, body)
    known = ("url", "url_env", "url_file", "file")
    given = {k: v for k, v in fields.items() if k in known and isinstance(v, str) and v.strip()}
    if len(given) != 1 or len(fields) != 1:
        raise _fault(where, "exactly one of url, url_env, url_file and file")
    return Destination(name, **given)


def _quiet(body: Json) -> Quiet | None:
    if body is None:
        return None
    fields = _mapping("quiet", body)
    excepted = fields.get("except", ["critical"])
    if not isinstance(excepted, list) or any(s not in SEVERITIES for s in excepted):
        raise _fault("quiet.except", f"a list of {', '.join(SEVERITIES)}")
    start, end = (_clock(f"quiet.{k}", fields.get(k)) for k in ("start", "end"))
    return Quiet(start, end, tuple(cast("list[Severity]", excepted)))


def _clock(where: str, value: Json) -> time:
    # YAML reads an unquoted 22:00 as the number 1320, which would pass for 13:20.
    if isinstance(value, str) and ":" in value:
        with suppress(ValueError):
            return time.fromisoformat(value)
    raise _fault(where, 'a time of day in quotes such as "22:00"')


def _escalation(where: str, body: Json, known: set[str], slack: bool) -> Escalation:
    fields = _mapping(where, body)
    after = _duration(f"{where}.after", fields.get("after"))
    return Escalation(after, _names(f"{where}.to", fields.get("to"), known, slack))


def _names(where: str, value: Json, known: set[str], slack: bool) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names:
        raise _fault(where, "a list of target names")
    for name in names:
        if name not in known and not (slack and str(name).startswith("#")):
            raise _fault(where, f"names of targets ({', '.join(sorted(known))})")
    return tuple(str(n) for n in names)


def _severity(where: str, name: str) -> Severity:
    for severity in SEVERITIES:
        if severity == name:
            return severity
    raise _fault(f"{where}.{name}", f"one of {', '.join(SEVERITIES)}")


def _duration(where: str, value: Json) -> timedelta:
    try:
        return parse_window(str(value))
    except ValueError:
        raise _fault(where, "a duration such as 10m or 24h") from None


def _mapping(where: str, value: Json) -> Mapping[str, Json]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _fault(where, "a mapping (name: value)")
    return value


def _fault(where: str, expected: str) -> BadArguments:
    name = f"notices.{where}".rstrip(".")
    return BadArguments(
        f"steward.yaml: {name} should be {expected}.", f"steward.yaml：{name} 应为 {expected}。"
    )

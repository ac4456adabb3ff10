"""steward.yaml: reading the fleet, and the embedded default when there is none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent.errors import Unreadable
from agent.yaml_node import Node, read
from tools.contract import Json
from tools.fleet import (
    DeploymentSpec,
    Fleet,
    Freeze,
    ModelSpec,
    Person,
    PolicySpec,
    PreApproved,
)
from tools.words import parse_window

SECTIONS = (
    "prometheus",
    "alertmanager",
    "notices",
    "schedules",
    "slack",
    "http",
    "mcp",
    "playbooks",
    "registry",
    "serve",
    "training",
    "alert_rules",
    "costs",
    "host",
    "depends_on",
)
"""Sections that other rooms read themselves."""


def load(path: Path | None, user: str) -> Fleet:
    """The fleet of ``path``, or the embedded default on this machine.

    Raises:
        Unreadable: file, line and what was expected.
    """
    if path is None:
        return embedded(user)
    root = read(path).only(
        "name", "language", "models", "deployments", "platforms", "people", "policy", *SECTIONS
    )
    base = path.resolve().parent
    people = {n: _person(n, node) for n, node in root.get("people").items()}
    platforms: dict[str, Mapping[str, Json]] = {"local": {}}
    for name, node in root.get("platforms").items():
        platforms[name] = cast("dict[str, Json]", node.plain() or {})
    fleet = Fleet(
        path=path,
        name=root.get("name").text(path.resolve().parent.name or "fleet"),
        models={n: _model(n, node, base) for n, node in root.get("models").items()},
        deployments=_deployments(root.get("deployments"), platforms),
        platforms=platforms,
        people=people,
        policy=_policy(root.get("policy"), people, user),
        language=_choice(root.get("language"), ("en", "zh"), "en"),
        sections={s: root.get(s).plain() for s in SECTIONS if root.get(s).value is not None},
    )
    _check_references(fleet, root)
    return fleet


def embedded(user: str) -> Fleet:
    """No steward.yaml: this machine, the digits example, and whoever is at the terminal."""
    example = Path(__file__).resolve().parent.parent / "examples" / "digits"
    model = ModelSpec("digits", "image-classifier", example, "model.py")
    deployment = DeploymentSpec("digits", "local", model="digits", replicas=2)
    return Fleet(
        path=None,
        models={"digits": model},
        deployments={"digits": deployment},
        platforms={"local": {}},
        policy=PolicySpec(approvers={"*": (user,)}, destroy_approvals=1),
    )


def _model(name: str, node: Node, base: Path) -> ModelSpec:
    node.only("kind", "root", "module", "aliases", "params")
    root = (base / node.get("root").text(".")).resolve()
    module = node.get("module").text("model.py")
    if not (root / module).is_file():
        raise node.get("module").fault(f"a Python file that exists ({root / module} does not)")
    return ModelSpec(
        name,
        node.get("kind").text("image-classifier"),
        root,
        module,
        node.get("aliases").texts(),
        cast("Mapping[str, Json]", node.get("params").plain() or {}),
    )


def _deployments(
    section: Node, platforms: Mapping[str, Mapping[str, Json]]
) -> dict[str, DeploymentSpec]:
    found: dict[str, DeploymentSpec] = {}
    for key, node in section.items():
        node.only("model", "platform", "namespace", "replicas", "port", "aliases", "options")
        namespace, _, bare = key.rpartition("/")
        platform = node.get("platform").text("local")
        if platform not in platforms:
            raise node.get("platform").fault(f"one of the platforms: {', '.join(platforms)}")
        port = node.get("port")
        found[key] = DeploymentSpec(
            name=bare,
            platform=platform,
            model=node.get("model").optional(),
            namespace=node.get("namespace").optional() or namespace or None,
            replicas=node.get("replicas").whole(2, 0, 1000),
            port=port.whole(0, 1, 65535) if port.value is not None else None,
            aliases=node.get("aliases").texts(),
            options=cast("Mapping[str, Json]", node.get("options").plain() or {}),
        )
    return found


def _person(name: str, node: Node) -> Person:
    node.only("groups", "slack", "unix", "token")
    return Person(
        name,
        node.get("groups").texts(),
        node.get("slack").optional(),
        node.get("unix").optional(),
        node.get("token").optional(),
    )


def _policy(node: Node, people: Mapping[str, Person], user: str) -> PolicySpec:
    node.only(
        "approvers",
        "self_approval",
        "destroy_approvals",
        "expiry",
        "freezes",
        "actions_per_hour",
        "gpu_hours_per_day",
        "breaker_failures",
        "preapproved",
    )
    approvers = {tool: names.texts() for tool, names in node.get("approvers").items()}
    return PolicySpec(
        approvers=approvers or {"*": tuple(people) or (user,)},
        self_approval=node.get("self_approval").flag(True),
        destroy_approvals=node.get("destroy_approvals").whole(2 if people else 1, 1, 10),
        expiry=_duration(node.get("expiry"), timedelta(hours=1)),
        freezes=tuple(_freeze(f) for f in node.get("freezes").nodes()),
        actions_per_hour=node.get("actions_per_hour").whole(30, 1),
        gpu_hours_per_day=node.get("gpu_hours_per_day").number(1000.0),
        breaker_failures=node.get("breaker_failures").whole(3, 1),
        preapproved=tuple(_preapproved(p) for p in node.get("preapproved").nodes()),
    )


def _freeze(node: Node) -> Freeze:
    node.only("name", "start", "duration", "timezone", "except")
    start = node.get("start")
    zone = node.get("timezone")
    from cronsim import CronSim, CronSimError

    try:
        CronSim(start.text(), datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError:
        raise start.fault('a cron line such as "0 18 * * 5"') from None
    try:
        ZoneInfo(zone.text("UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        raise zone.fault("a time zone such as Europe/Berlin") from None
    return Freeze(
        node.get("name").text("freeze"),
        start.text(),
        _duration(node.get("duration"), None),
        zone.text("UTC"),
        node.get("except").texts(),
    )


def _preapproved(node: Node) -> PreApproved:
    node.only("name", "tool", "author", "per_hour", "where")
    return PreApproved(
        node.get("name").text(),
        node.get("tool").text(),
        node.get("author").text(),
        node.get("per_hour").whole(1, 1),
        cast("Mapping[str, Json]", node.get("where").plain() or {}),
    )


def _duration(node: Node, default: timedelta | None) -> timedelta:
    if node.value is None and default is not None:
        return default
    try:
        return parse_window(node.text())
    except ValueError:
        raise node.fault("a duration such as 15m, 2h or 1d") from None


def _choice(node: Node, known: tuple[str, ...], default: str) -> str:
    value = node.text(default)
    if value not in known:
        raise node.fault(f"one of: {', '.join(known)}")
    return value


def _check_references(fleet: Fleet, root: Node) -> None:
    groups = {f"group:{g}" for p in fleet.people.values() for g in p.groups}
    known = set(fleet.people) | groups
    for tool, names in fleet.policy.approvers.items():
        for name in names:
            if fleet.people and name not in known:
                place = root.get("policy").get("approvers").get(tool)
                raise place.fault(f"people or group:NAME of this file ({name!r} is neither)")
    for rule in fleet.policy.preapproved:
        if rule.author not in fleet.people:
            place = root.get("policy").get("preapproved")
            raise Unreadable(
                f"{place.path}, line {place.line}: the pre-approved class {rule.name!r} needs an "
                f"author who stands under people ({rule.author!r} does not)."
            )

"""Rows of the tables to values and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tools.alerts.base import AlertRecord, Feedback, Incident, Silence
from tools.alerts.grouping import Group, key_of


def seconds(at: datetime) -> float:
    """A time as it is stored."""
    return at.timestamp()


def moment(value: float) -> datetime:
    """A stored time."""
    return datetime.fromtimestamp(value, UTC)


def text(document: Mapping[str, Any]) -> str:
    """A document as it is stored."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False)


def alert_row(alert: AlertRecord, incident: int | None) -> dict[str, Any]:
    """An alert to store."""
    return {
        "key": key_of(alert),
        "fingerprint": alert.fingerprint,
        "name": alert.name[:256],
        "severity": alert.severity[:64],
        "labels": text(alert.labels),
        "annotations": text(alert.annotations),
        "starts_at": seconds(alert.starts_at),
        "ends_at": None if alert.ends_at is None else seconds(alert.ends_at),
        "received_at": seconds(alert.received_at),
        "source": alert.source[:64],
        "firing": int(alert.state == "firing"),
        "incident": incident,
    }


def alert_of(row: Any) -> AlertRecord:
    """A stored alert."""
    return AlertRecord(
        row.fingerprint,
        row.name,
        "firing" if row.firing else "resolved",
        row.severity,
        json.loads(row.labels),
        json.loads(row.annotations),
        moment(row.starts_at),
        None if row.ends_at is None else moment(row.ends_at),
        moment(row.received_at),
        row.source,
        incident=row.incident,
    )


def group_row(group: Group) -> dict[str, Any]:
    """An incident to store."""
    return {
        "number": group.number,
        "root": group.root,
        "name": group.name[:256],
        "own": group.own,
        "level": group.level,
        "cluster": group.cluster[:256],
        "opened_at": seconds(group.opened_at),
        "updated_at": seconds(group.updated_at),
        "upstream": json.dumps(group.upstream),
        "roots": group.roots,
    }


def group_of(row: Any) -> Group:
    """A stored incident, ready for grouping."""
    return Group(
        row.number,
        row.root,
        row.name,
        row.own,
        row.level,
        row.cluster,
        moment(row.opened_at),
        moment(row.updated_at),
        tuple(json.loads(row.upstream)),
        row.roots,
    )


def incident_of(row: Any, firing: int, resolved: int) -> Incident:
    """A stored incident as people see it."""
    kind, _, name = str(row.own).partition(":")
    where = f"{row.roots} × {kind}" if row.roots > 1 else f"{kind} {name}"
    return Incident(
        row.number,
        row.root,
        f"{row.name} ({where})" if kind != "alert" else row.name,
        moment(row.opened_at),
        moment(row.updated_at),
        firing,
        resolved,
        (row.own, *json.loads(row.upstream)),
        row.cause,
        row.confirmed_by,
    )


def silence_of(row: Any) -> Silence:
    """A stored silence."""
    return Silence(
        row.id,
        json.loads(row.matchers),
        moment(row.starts_at),
        moment(row.ends_at),
        row.created_by,
        row.comment,
        row.action_id,
    )


def feedback_of(row: Any) -> Feedback:
    """A stored verdict."""
    return Feedback(
        row.alert,
        row.playbook,
        row.cause,
        row.who,
        moment(row.at),
        row.incident,
        row.action_id,
        row.weight,
    )

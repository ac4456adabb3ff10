"""Alertmanager's API, version 2, over HTTP: its alerts and its silences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from tools.alerts.base import AlertRecord, Silence
from tools.alerts.payload import fingerprint, parse_time
from tools.errors import Failed, Unavailable
from tools.fleet import Fleet

_MARK = "steward-action:"


class Alertmanager:
    """One Alertmanager (or its cluster's address)."""

    def __init__(self, url: str, *, timeout: float = 10.0, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def alerts(self, now: datetime) -> list[AlertRecord]:
        """Alerts it holds now, with the silences that hide them."""
        raw = self._call("GET", "/api/v2/alerts", params={"unprocessed": "true"})
        return [_alert(item, now) for item in cast("list[dict[str, Any]]", raw)]

    def silences(self) -> list[Silence]:
        """Silences in force or pending."""
        raw = cast("list[dict[str, Any]]", self._call("GET", "/api/v2/silences"))
        live = [s for s in raw if s.get("status", {}).get("state") in ("active", "pending")]
        return [_silence(item) for item in live]

    def silence(self, wanted: Silence) -> str:
        """Create a silence; the action's id goes into its comment. Returns Alertmanager's id."""
        for held in self.silences():
            if wanted.action_id and held.action_id == wanted.action_id:
                return held.id
        mark = f" [{_MARK}{wanted.action_id}]" if wanted.action_id else ""
        body = {
            "matchers": [
                {"name": k, "value": v, "isRegex": False, "isEqual": True}
                for k, v in sorted(wanted.matchers.items())
            ],
            "startsAt": wanted.starts_at.isoformat(),
            "endsAt": wanted.ends_at.isoformat(),
            "createdBy": wanted.created_by,
            "comment": wanted.comment + mark,
        }
        answer = cast("dict[str, Any]", self._call("POST", "/api/v2/silences", json=body))
        return str(answer["silenceID"])

    def expire(self, silence_id: str) -> None:
        """End a silence; one that is gone already is no error."""
        if any(s.id == silence_id for s in self.silences()):
            self._call("DELETE", f"/api/v2/silence/{silence_id}")

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
    ) -> object:
        import httpx

        try:
            response = httpx.request(
                method,
                self.url + path,
                params=params,
                json=json,
                headers=self._headers,
                timeout=self._timeout,
                trust_env=False,
            )
        except httpx.HTTPError as error:
            why = type(error).__name__
            raise Unavailable(
                f"Alertmanager at {self.url} does not answer ({why}); check the address in "
                "steward.yaml under alertmanager.url.",
                f"Alertmanager（{self.url}）无应答（{why}）；请检查 steward.yaml 的 alertmanager.url。",
            ) from None
        if response.status_code >= 400:
            said = response.text.strip()[:200]
            kind = Unavailable if response.status_code >= 500 else Failed
            raise kind(
                f"Alertmanager at {self.url} refused {method} {path} "
                f"({response.status_code}): {said}."
            )
        return cast("object", response.json()) if response.content else None


def _alert(item: Mapping[str, Any], now: datetime) -> AlertRecord:
    labels = {str(k): str(v) for k, v in item.get("labels", {}).items()}
    silenced: Sequence[str] = item.get("status", {}).get("silencedBy") or ()
    return AlertRecord(
        str(item.get("fingerprint") or fingerprint(labels)),
        labels.get("alertname", "unnamed"),
        "firing",
        labels.get("severity", ""),
        labels,
        {str(k): str(v) for k, v in item.get("annotations", {}).items()},
        parse_time(item.get("startsAt")) or now,
        None,
        now,
        silenced_by=silenced[0] if silenced else None,
    )


def _silence(item: Mapping[str, Any]) -> Silence:
    comment = str(item.get("comment", ""))
    said, _, rest = comment.partition(f" [{_MARK}")
    never = datetime.fromisoformat("9999-01-01T00:00:00+00:00")
    return Silence(
        str(item["id"]),
        {str(m["name"]): str(m["value"]) for m in item.get("matchers", ())},
        parse_time(item.get("startsAt")) or never,
        parse_time(item.get("endsAt")) or never,
        str(item.get("createdBy", "")),
        said,
        rest.rstrip("]") or None,
        "alertmanager",
    )


def from_fleet(fleet: Fleet) -> Alertmanager | None:
    """The Alertmanager of the fleet's ``alertmanager`` section, if there is one."""
    section = fleet.sections.get("alertmanager")
    if isinstance(section, str) and section:
        return Alertmanager(section)
    if not isinstance(section, dict):
        return None
    url, token = section.get("url"), section.get("token")
    if not isinstance(url, str) or not url:
        return None
    return Alertmanager(url, token=token if isinstance(token, str) else None)

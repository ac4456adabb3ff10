"""What the HTTP API accepts and answers, as the OpenAPI document shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Body(BaseModel):
    """A request body: unknown fields are refused, so that a typing error is not ignored."""

    model_config = ConfigDict(extra="forbid")


class AskBody(Body):
    """One message of a conversation."""

    text: str = Field(min_length=1, max_length=20_000, description="What a person would say.")
    conversation: str = Field(
        default="default", max_length=120, description="Messages of one conversation share it."
    )
    id: str | None = Field(
        default=None,
        min_length=1,
        max_length=120,
        description="Makes a retry harmless: the same id in a conversation is answered once.",
    )


class DecisionBody(Body):
    """One person's yes or no to exactly what they saw."""

    digest: str = Field(min_length=64, max_length=64, description="Digest of the action as seen.")
    verdict: Literal["approve", "reject"]
    reason: str = Field(default="", max_length=2_000)


class SettleBody(Body):
    """What a person found out about an action in state ``unknown``."""

    happened: bool


class ErrorDetail(BaseModel):
    """Why a request was refused."""

    code: str = Field(description="Stable word for programs.")
    message: str = Field(description="One sentence with the remedy, in English.")
    message_zh: str | None = Field(default=None, description="The same in Chinese.")


class ErrorView(BaseModel):
    """The one shape of every error."""

    error: ErrorDetail


class ActionView(BaseModel):
    """A proposed change and all that became of it. ``digest`` is what a decision names."""

    model_config = ConfigDict(extra="allow")

    number: int
    id: str
    state: str
    done: bool
    tool: str
    args: dict[str, Any]
    digest: str
    risk: str
    title: str
    diff: str
    blast_radius: str
    undo: str
    verification: str
    requested_by: str
    needed: int
    approvers: list[str]
    approved_by: list[str]
    created_at: str
    expires_at: str
    reason: str


class ActionsView(BaseModel):
    """Actions, newest first."""

    actions: list[ActionView]


class AnswerView(BaseModel):
    """The answer of a turn and the changes it proposed."""

    conversation: str
    id: str
    text: str
    failed: bool
    brain: str
    proposed: list[ActionView]
    notices: list[str]
    data: list[dict[str, Any]]


class AlertsView(BaseModel):
    """An acknowledgement: everything in the delivery is stored."""

    stored: bool


class IncidentView(BaseModel):
    """Alerts that fire together, and who has them."""

    number: int
    title: str
    state: Literal["firing", "resolved"]
    severity: str
    alerts: int
    opened_at: datetime
    escalates: bool = Field(description="Whether it calls further people until taken.")
    taken_by: str = Field(description="Who has it; empty while nobody does.")


class IncidentsView(BaseModel):
    """Incidents, newest first."""

    incidents: list[IncidentView]


class HealthView(BaseModel):
    """Whether the service lives, or can do its work."""

    ok: bool
    service: str = "steward"
    parts: dict[str, str] = Field(default_factory=dict)

"""Who calls over HTTP: a bearer token of steward.yaml, or the unix user behind the local socket."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from agent.assistant import Assistant, person_or
from agent.errors import Unreadable
from agent.events import Actor
from tools.contract import Json

Scope = Literal["ask", "read", "decide", "alerts", "admin"]
SCOPES: tuple[Scope, ...] = ("ask", "read", "decide", "alerts", "admin")


@dataclass(frozen=True, slots=True)
class Token:
    """One line of ``http.tokens``: the secret itself is nowhere, only its SHA-256."""

    name: str
    sha256: str
    scopes: frozenset[str]
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """A proven identity and what it may do."""

    actor: Actor
    scopes: frozenset[str]
    prefix: str
    """Conversations of this caller begin with it; a token never enters another's."""

    def conversation(self, named: str) -> str:
        """The conversation a caller means by ``named``."""
        return f"{self.prefix}{named}"


def read_tokens(section: Mapping[str, Json]) -> tuple[Token, ...]:
    """The tokens of the fleet section ``http``.

    Raises:
        Unreadable: a token lacks a name or a digest, or has a scope that does not exist.
    """
    return tuple(_token(entry) for entry in cast("list[Json]", section.get("tokens") or []))


def _token(entry: Json) -> Token:
    if not isinstance(entry, Mapping) or not entry.get("name"):
        raise Unreadable("http.tokens: every token needs a name.")
    name, digest = str(entry["name"]), str(entry.get("sha256") or "").lower()
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise Unreadable(
            f"http.tokens: {name!r} needs sha256, 64 hexadecimal digits: "
            "printf %s TOKEN | sha256sum"
        )
    scopes = [str(s) for s in cast("list[Json]", entry.get("scopes") or [])]
    wrong = sorted(set(scopes) - set(SCOPES))
    if wrong:
        raise Unreadable(f"http.tokens: {name!r} has scope {wrong[0]!r}; scopes are {SCOPES}.")
    person = entry.get("person")
    return Token(name, digest, frozenset(scopes), str(person) if person else None)


def bearer(header: str | None, tokens: Sequence[Token], assistant: Assistant) -> Caller | None:
    """The caller behind an ``Authorization`` header; every token is compared, in constant time."""
    scheme, _, secret = (header or "").partition(" ")
    given = hashlib.sha256(secret.strip().encode()).hexdigest()
    found: Token | None = None
    for token in tokens:
        if hmac.compare_digest(token.sha256, given):
            found = token
    if found is None or scheme.lower() != "bearer" or not secret.strip():
        return None
    name = found.person or assistant.person("http", found.name) or f"token:{found.name}"
    return Caller(Actor(name, "http", found.name), found.scopes, f"http:{found.name}:")


def local(peer: str, user: str, own_uid: int, assistant: Assistant) -> Caller | None:
    """The caller behind the unix socket: only the account the service itself runs as."""
    if peer != f"uid:{own_uid}":
        return None
    return Caller(person_or(assistant, "terminal", user), frozenset(SCOPES), "")


def missing(caller: Caller, scopes: Iterable[Scope]) -> list[str]:
    """The scopes a caller lacks; ``admin`` has them all."""
    if "admin" in caller.scopes:
        return []
    return sorted(set(scopes) - caller.scopes)

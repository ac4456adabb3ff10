"""How a release is written into a pod template: weights and configuration together."""

from __future__ import annotations

import copy
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from tools.contract import Json
from tools.errors import Refused
from tools.platforms.base import Release
from tools.platforms.kubernetes_objects import (
    ACTION,
    ARTIFACT,
    CONFIG,
    DIGEST,
    HASH,
    MODEL,
    PLACEHOLDER,
    VERSION,
    Obj,
    at,
    many,
    table,
)
from tools.platforms.kubernetes_view import main_container

_SHAPE = ("container", "image", "artifact", "min_ready", "command")
NOTES = (
    (MODEL, "model"),
    (VERSION, "version"),
    (DIGEST, "digest"),
    (ARTIFACT, "artifact"),
)


CARRIED: Mapping[str, str] = MappingProxyType(
    {
        "model": "STEWARD_MODEL",
        "version": "STEWARD_VERSION",
        "digest": "STEWARD_DIGEST",
        "artifact": "STEWARD_ARTIFACT",
        "config": "STEWARD_CONFIG",
    }
)
"""What a release tells its servers, and the variables that carry it unless ``env`` names others."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How releases are written into pod templates: the ``options`` of a deployment."""

    container: str | None = None
    image: str | None = None
    """``registry/{model}:{version}-{digest12}``; none keeps the image."""
    artifact: str | None = None
    """``/models/{model}/{version}``: where the container finds the artefact."""
    min_ready: int | None = None
    """Seconds a new replica must stay ready before an old one goes, at least; ``None``: 30, or as
    long as its liveness probe takes to end it."""
    env: Mapping[str, str] = field(default_factory=lambda: dict(CARRIED))
    """Part of a release → the variable that carries it."""
    command: Sequence[str] | None = None
    """What the container runs; ``None`` leaves it alone."""


def shape_of(options: Mapping[str, Json]) -> Shape:
    """The shape that a deployment's options ask for.

    ``env`` names variables for the parts of a release (:data:`CARRIED`); whatever else it holds is
    the server's own environment, which comes with the release's configuration.
    """
    given: dict[str, Any] = {k: v for k, v in options.items() if k in _SHAPE and v}
    env = options.get("env")
    names = {k: str(v) for k, v in env.items() if k in CARRIED} if isinstance(env, dict) else {}
    if isinstance(given.get("command"), str):
        given["command"] = shlex.split(given["command"])
    return Shape(**given, env={**CARRIED, **names})


def bare_template(obj: Obj) -> Obj:
    """The pod template of a Deployment or ReplicaSet, so that the two can be compared."""
    template: Obj = copy.deepcopy(table(obj, "spec", "template"))
    table(template, "metadata", "labels").pop(HASH, None)
    return template


def without_action(template: Obj) -> Obj:
    """A template without the action that wrote it."""
    bare: Obj = copy.deepcopy(template)
    table(bare, "metadata", "annotations").pop(ACTION, None)
    if not table(bare, "metadata", "annotations"):
        table(bare, "metadata").pop("annotations", None)
    return bare


def template_for(obj: Obj, release: Release, action_id: str, shape: Shape) -> Obj:
    """The pod template that serves ``release``: weights and configuration in one revision."""
    template: Obj = copy.deepcopy(table(obj, "spec", "template"))
    box = main_container(template, shape.container)
    if not box:
        raise Refused(f"{at(obj, 'metadata', 'name')} has no container to roll out to.")
    said = said_by(release, shape)
    image = release.image or _filled(shape.image, release)
    if image:
        box["image"] = image
    set_env(box, {shape.env[k]: v for k, v in said.items() if k in shape.env})
    if shape.command:
        box["command"] = list(shape.command)
    _configure(box, release.config)
    notes = template.setdefault("metadata", {}).setdefault("annotations", {})
    for key, field_name in NOTES:
        _put(notes, key, said.get(field_name))
    _put(notes, CONFIG, said.get("config"))
    notes.pop(PLACEHOLDER, None)
    notes[ACTION] = action_id
    return template


def said_by(release: Release, shape: Shape) -> dict[str, str | None]:
    """What a release tells its servers: model, version, digest, artifact, configuration."""
    config = json.dumps(release.config, sort_keys=True) if release.config else None
    return {
        "model": release.model,
        "version": release.version,
        "digest": release.digest,
        "artifact": _filled(shape.artifact, release) or release.artifact,
        "config": config,
    }


def _filled(pattern: str | None, release: Release) -> str | None:
    if not pattern or not release.version:
        return None
    digest = (release.digest or "").removeprefix("sha256:")
    return pattern.format(
        model=release.model, version=release.version, digest=digest, digest12=digest[:12]
    )


def _put(notes: dict[str, str], key: str, value: str | None) -> None:
    if value is None:
        notes.pop(key, None)
    else:
        notes[key] = value


def set_env(box: Obj, wanted: Mapping[str, str | None]) -> None:
    """Set these variables of a container; ``None`` removes one."""
    env = [e for e in many(box, "env") if e["name"] not in wanted]
    env += [{"name": k, "value": v} for k, v in wanted.items() if v is not None]
    if env or "env" in box:
        box["env"] = env


def _configure(box: Obj, config: Mapping[str, Json]) -> None:
    """``env``, ``args``, ``command`` and ``resources`` of a release's configuration."""
    env = config.get("env")
    if isinstance(env, dict):
        own = {k: v for k, v in env.items() if k not in CARRIED}
        set_env(box, {k: None if v is None else str(v) for k, v in own.items()})
    for key in ("args", "command", "resources"):
        if key in config:
            box[key] = config[key]

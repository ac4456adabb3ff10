"""A fleet of one deployment, a shelf of tiny versions, and the double or this machine below."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.serving.tiny import save
from tests.support import make_world
from tools.contract import Json
from tools.errors import BadArguments
from tools.fleet import DeploymentSpec, Fleet
from tools.models.base import ModelVersion
from tools.platforms.double import DoublePlatform
from tools.platforms.router import Router
from tools.world import Clock, World


class Shelf:
    """Versions of one model, as a registry holds them."""

    def __init__(self, home: Path, model: str = "digits") -> None:
        self._home, self._model = home, model
        self._versions: list[ModelVersion] = []

    def add(self, kind: str = "good", **changes: Any) -> ModelVersion:
        number = len(self._versions) + 1
        file = save(self._home / "shelf" / f"{kind}.onnx", kind)
        made = ModelVersion(
            model=self._model,
            number=number,
            digest=hashlib.sha256(file.read_bytes()).hexdigest(),
            format="onnx",
            path=file,
            size=file.stat().st_size,
            metrics={"accuracy": 0.95 + number / 1000},
            created_at=datetime(2026, 11, 23, tzinfo=UTC),
        )
        self._versions.append(replace(made, **changes))
        return self._versions[-1]

    def versions(self, model: str) -> list[ModelVersion]:
        return list(reversed(self._versions)) if model == self._model else []

    def resolve(self, model: str, ref: str | None = None) -> ModelVersion:
        for version in self.versions(model):
            if ref in (None, str(version.number), *version.aliases):
                return version
        raise BadArguments(f"There is no version {ref} of {model}.")


def fleet(options: Mapping[str, Json] | None = None, platform: str = "double") -> Fleet:
    spec = DeploymentSpec(
        "digits", platform, "digits", replicas=2, aliases=("numbers",), options=options or {}
    )
    return Fleet(path=None, deployments={"digits": spec}, platforms={platform: {}})


def double_world(
    home: Path, *, options: Mapping[str, Json] | None = None, clock: Clock, actions: Any = None
) -> tuple[World, DoublePlatform, Shelf]:
    """A world over the double."""
    shelf = Shelf(home)
    double = DoublePlatform("double", ["digits"], clock)
    world = make_world(
        home,
        fleet=fleet(options),
        platforms=lambda w: Router(w, {"double": lambda _w, _n, _o: double}),
        registry=lambda _w: shelf,
        clock=clock,
        actions=actions,
    )
    return world, double, shelf

"""All platforms of the fleet, and which one a deployment lives on. Knows no platform itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from tools.contract import Json
from tools.errors import BadArguments, Unavailable, unknown
from tools.platforms.base import Platform
from tools.world import World

Factory: TypeAlias = Callable[[World, str, Mapping[str, Json]], Platform]
"""Builds a platform from the world, its name in steward.yaml, and its options there."""


class Router:
    """The :class:`tools.platforms.base.Platforms` of a fleet; each platform is built once."""

    def __init__(self, world: World, factories: Mapping[str, Factory]) -> None:
        self._world = world
        self._factories = factories
        self._built: dict[str, Platform] = {}

    def all(self) -> Sequence[Platform]:
        """Every configured platform."""
        return [self.named(name) for name in self._world.fleet.platforms]

    def named(self, name: str) -> Platform:
        """A platform by its name in steward.yaml; its ``kind`` there, else its name, says what."""
        if name not in self._built:
            options = self._world.fleet.platforms.get(name)
            if options is None:
                raise unknown("platform", name, self._world.fleet.platforms, "平台")
            kind = str(options.get("kind", name))
            factory = self._factories.get(kind)
            if factory is None:
                known = ", ".join(sorted(self._factories))
                raise BadArguments(
                    f"platforms.{name}.kind is {kind!r} in steward.yaml; known kinds: {known}.",
                    f"steward.yaml 中 platforms.{name}.kind 为 {kind!r}；可用：{known}。",
                )
            self._built[name] = factory(self._world, name, options)
        return self._built[name]

    def of(self, deployment: str) -> tuple[Platform, str]:
        """The platform of a deployment and its full reference.

        A full reference wins over a bare name, the fleet's own words over what platforms list.
        """
        found = self._named_by_fleet(deployment)
        silent: list[str] = []
        known: list[str] = [spec.ref for spec in self._world.fleet.deployments.values()]
        if not found:
            found, live, silent = self._listed(deployment)
            known += live
        if len(found) == 1:
            platform, ref = found[0]
            return self.named(platform), ref
        if found:
            candidates = " or ".join(f"{ref} on {platform}" for platform, ref in found)
            zh = "、".join(f"{platform} 上的 {ref}" for platform, ref in found)
            raise BadArguments(
                f"{deployment!r} stands for several deployments: {candidates}. Say which one.",
                f"{deployment!r} 对应多个部署：{zh}。请指明是哪一个。",
            )
        if silent:
            raise Unavailable(
                f"No deployment named {deployment!r} is known, and {', '.join(silent)} does not "
                "answer now, where it may be.",
                f"没有找到名为 {deployment!r} 的部署，且 {'、'.join(silent)} 目前没有响应。",
            )
        raise unknown("deployment", deployment, known, "部署")

    def _named_by_fleet(self, word: str) -> list[tuple[str, str]]:
        specs = list(self._world.fleet.deployments.items())
        for names in (
            [(s, {key, s.ref}) for key, s in specs],
            [(s, set(s.aliases)) for _, s in specs],
            [(s, {s.name}) for _, s in specs],
        ):
            found = [(s.platform, s.ref) for s, accepted in names if word in accepted]
            if found:
                return found
        return []

    def _listed(self, word: str) -> tuple[list[tuple[str, str]], list[str], list[str]]:
        """``(matches, every reference seen, platforms that do not answer)``."""
        matches: list[tuple[str, str]] = []
        seen: list[str] = []
        silent: list[str] = []
        for platform in self.all():
            try:
                listed = platform.deployments()
            except Unavailable:
                silent.append(platform.name)
                continue
            seen += [status.ref for status in listed]
            matches += [(platform.name, s.ref) for s in listed if word in (s.ref, s.name)]
        exact = [m for m in matches if m[1] == word]
        return exact or matches, seen, silent

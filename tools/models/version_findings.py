"""What the registry holds, as findings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tools.amounts import ago, plural, size
from tools.models.numbers import percent

if TYPE_CHECKING:
    from tools.models.base import ModelVersion
    from tools.words import Lang

_SHOWN = 20
_SPARSE = 0.05
"""Fewer zeros than this are chance, not pruning."""


@dataclass(frozen=True, slots=True)
class ModelLine:
    """One model of the fleet or the registry."""

    name: str
    kind: str
    versions: int
    newest: int | None
    production: int | None
    accuracy: float | None
    """Of the production version, else of the newest."""


@dataclass(frozen=True, slots=True)
class ModelsFound:
    """Every model, trained or not."""

    models: tuple[ModelLine, ...]

    def say(self, lang: Lang) -> str:
        """How many, then one line each."""
        if not self.models:
            return {
                "en": "There is no model yet: name one under models: in steward.yaml.",
                "zh": "还没有模型：请在 steward.yaml 的 models: 下添加。",
            }[lang]
        head = {
            "en": f"{plural(len(self.models), 'model')}:",
            "zh": f"共 {len(self.models)} 个模型：",
        }[lang]
        return "\n".join([head, *(_model_line(m, lang) for m in self.models)])


def _model_line(model: ModelLine, lang: Lang) -> str:
    if not model.versions:
        none = {"en": "no version yet; train it", "zh": "还没有版本，请先训练"}[lang]
        return f"  {model.name} ({model.kind}): {none}"
    if lang == "zh":
        serving = f"production 是版本 {model.production}" if model.production else "没有 production"
        text = f"{model.versions} 个版本，最新 {model.newest}，{serving}，准确率 {percent(model.accuracy)}"
        return f"  {model.name}（{model.kind}）：{text}"
    serving = f"production is version {model.production}" if model.production else "no production"
    count = plural(model.versions, "version")
    text = f"{count}, newest {model.newest}, {serving}, accuracy {percent(model.accuracy)}"
    return f"  {model.name} ({model.kind}): {text}"


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version, short."""

    number: int
    accuracy: float | None
    parameters: int | None
    size: int
    technique: str
    parent: int | None
    aliases: tuple[str, ...]
    created_at: datetime
    gate_passed: bool | None
    zeros: float | None = None
    """Share of the weights that are zero, where it was counted."""


@dataclass(frozen=True, slots=True)
class VersionsFound:
    """The versions of one model, newest first."""

    model: str
    versions: tuple[VersionLine, ...]
    at: datetime

    def say(self, lang: Lang) -> str:
        """How many and which is in production, then one line each."""
        if not self.versions:
            return {
                "en": f"{self.model} has no version yet; say: train {self.model}.",
                "zh": f"{self.model} 还没有版本；可以说：训练 {self.model}。",
            }[lang]
        lines = [self._head(lang), *(self._line(v, lang) for v in self.versions[:_SHOWN])]
        if (more := len(self.versions) - _SHOWN) > 0:
            lines.append({"en": f"  … and {more} older", "zh": f"  …… 还有 {more} 个更早的"}[lang])
        return "\n".join(lines)

    def _head(self, lang: Lang) -> str:
        count, live = len(self.versions), [v for v in self.versions if "production" in v.aliases]
        if lang == "zh":
            serving = f"production 是版本 {live[0].number}" if live else "尚无 production"
            return f"{self.model} 有 {count} 个版本；{serving}。"
        serving = f"production is version {live[0].number}" if live else "none is production"
        return f"{self.model} has {plural(count, 'version')}; {serving}."

    def _line(self, line: VersionLine, lang: Lang) -> str:
        parts = [f"  {line.number}: {percent(line.accuracy)}", size(line.size)]
        origin = line.technique
        if line.parent is not None:
            origin += f" of {line.parent}" if lang == "en" else f"（来自 {line.parent}）"
        parts += [origin, ago(line.created_at, self.at, lang)]
        if line.aliases:
            parts.append(", ".join(line.aliases))
        if (line.zeros or 0) >= _SPARSE:
            share = f"{line.zeros:.0%}"
            parts.append(f"{share} zeros" if lang == "en" else f"{share} 为零")
        if line.gate_passed is False:
            parts.append("gate not passed" if lang == "en" else "未通过质量门")
        return ", ".join(parts) if lang == "en" else "，".join(parts)


def version_line(version: ModelVersion) -> VersionLine:
    """The short form of a version."""
    count, passed = version.metrics.get("parameters"), version.gate.get("passed")
    return VersionLine(
        version.number,
        version.metrics.get("accuracy"),
        int(count) if count is not None else None,
        version.size,
        version.technique,
        version.parent,
        version.aliases,
        version.created_at,
        passed if isinstance(passed, bool) else None,
        version.metrics.get("zeros"),
    )

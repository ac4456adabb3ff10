"""Moving aliases: promotion by compare-and-swap, behind the gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from tools.contract import Phrases, Plan, changing
from tools.errors import Refused, unknown
from tools.models.alias_moves import AliasMove, carrying, move_plan, refuse_loss
from tools.models.naming import known
from tools.models.numbers import percent
from tools.words import Alias, Model, Said, Version, Word
from tools.world import World


@dataclass(frozen=True, slots=True)
class PromoteVersionArgs:
    """Which version gets which alias; ``accept_loss`` names a loss the gate refused, in points."""

    model: Model
    version: Version
    alias: Alias
    accept_loss: Annotated[
        float | None,
        Word("points"),
        Field(ge=0, le=100, description="accuracy points knowingly given up"),
    ] = None


@changing(PromoteVersionArgs)
class PromoteVersion(AliasMove):
    """Give a version an alias such as production, moving it from the version that has it now."""

    phrases = Phrases(
        en=(
            "promote {model} version {version} to {alias}",
            "promote {model} {version} to {alias}",
            "make {model} {version} the {alias} version",
            "mark {model} {version} as {alias}",
            "set the {alias} alias of {model} to {version}",
            "tag version {version} of {model} as {alias}",
            "move {alias} of {model} to version {version}",
            "{model} {version} should become {alias}",
            "promote {model} {version} to {alias} and accept a loss of {accept_loss} points",
        ),
        zh=(
            "把 {model} 版本 {version} 提升为 {alias}",
            "将 {model} 的 {version} 设为 {alias}",
            "把 {model} {version} 标记为 {alias}",
            "{model} 的 {alias} 指向版本 {version}",
            "提升 {model} {version} 到 {alias}",
            "让 {model} {version} 成为 {alias} 版本",
            "接受 {accept_loss} 个点的损失，把 {model} {version} 提升为 {alias}",
        ),
    )

    def plan(self, world: World, args: PromoteVersionArgs) -> Plan:
        """Resolve the version, hold it against its gate, and show what the alias leaves."""
        model = known(world, args.model)
        version = world.registry.resolve(model, args.version)
        before = carrying(world, model, args.alias)
        if before == version.number:
            raise Refused(
                f"{model} version {version.number} already is {args.alias}.",
                f"{model} 版本 {version.number} 已经是 {args.alias}。",
            )
        if args.alias == "production":
            refuse_loss(version, args.accept_loss)
        world.registry.verified(version)
        score = version.metrics.get("accuracy")
        return move_plan(
            model,
            args.alias,
            before,
            version.number,
            title=Said(
                f"Promote {model} version {version.number} to {args.alias}"
                + (f" (accuracy {percent(score)})" if score is not None else ""),
                f"将 {model} 版本 {version.number} 提升为 {args.alias}"
                + (f"（准确率 {percent(score)}）" if score is not None else ""),
            ),
            loss=args.accept_loss,
        )


@dataclass(frozen=True, slots=True)
class RemoveAliasArgs:
    """Which alias of which model."""

    model: Model
    alias: Alias


@changing(RemoveAliasArgs)
class RemoveAlias(AliasMove):
    """Take an alias away from a model, so that no version carries it."""

    phrases = Phrases(
        en=(
            "remove the {alias} alias of {model}",
            "remove alias {alias} from {model}",
            "drop the {alias} tag of {model}",
            "delete the alias {alias} of {model}",
            "take {alias} away from {model}",
            "unset {alias} for {model}",
            "{model} should have no {alias} alias any more",
            "clear the alias {alias} on {model}",
        ),
        zh=(
            "移除 {model} 的 {alias} 别名",
            "删除 {model} 的别名 {alias}",
            "去掉 {model} 的 {alias} 标签",
            "取消 {model} 的 {alias} 别名",
            "把 {model} 的 {alias} 别名清掉",
            "{model} 不再需要 {alias} 别名",
        ),
    )

    def plan(self, world: World, args: RemoveAliasArgs) -> Plan:
        """Show which version loses the alias."""
        model = known(world, args.model)
        before = carrying(world, model, args.alias)
        if before is None:
            held = sorted({a for v in world.registry.versions(model) for a in v.aliases})
            raise unknown(f"alias of {model}", args.alias, held, f"{model} 别名")
        title = Said(
            f"Remove the {args.alias} alias of {model} (version {before})",
            f"移除 {model} 的 {args.alias} 别名（版本 {before}）",
        )
        return move_plan(model, args.alias, before, None, title=title)

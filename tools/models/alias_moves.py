"""The shared parts of alias changes: one compare-and-swap, recorded with the action."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from tools.contract import (
    Act,
    Call,
    Effect,
    Happened,
    Json,
    Outcome,
    Plan,
    PlanWords,
    Target,
    Verdict,
)
from tools.errors import Refused
from tools.models.wording import gate_sentence, named, points_zh
from tools.words import Said

if TYPE_CHECKING:
    from tools.models.base import ModelVersion
    from tools.world import World


def carrying(world: World, model: str, alias: str) -> int | None:
    """Which version carries the alias now."""
    for version in world.registry.versions(model):
        if alias in version.aliases:
            return version.number
    return None


def move_plan(
    model: str,
    alias: str,
    before: int | None,
    after: int | None,
    *,
    title: Said,
    loss: float | None = None,
) -> Plan:
    """The plan of moving ``alias``; its target's version is the version that carries it now."""
    undo = (
        f"{alias} goes back to version {before}" if before is not None else "the alias is removed"
    )
    warnings: tuple[str, ...] = ()
    if loss is not None:
        warnings = (f"a loss of up to {loss:g} points of accuracy is accepted",)
    return Plan(
        target=Target("alias", f"{model}/{alias}", f"{model}/{alias}", str(before or "none")),
        title=title.en,
        diff=f"- {alias}: {named(before).en}\n+ {alias}: {named(after).en}",
        blast_radius=f"what resolves {model} {alias} from now on; running deployments stay",
        undo=undo,
        verification=f"the registry answers {alias} with {named(after).en}",
        deadline=timedelta(seconds=10),
        warnings=warnings,
        zh=PlanWords(
            title.zh,
            f"此后解析 {model} {alias} 的一方；运行中的部署不受影响",
            f"{alias} 改回版本 {before}" if before is not None else "移除该别名",
            f"仓库中 {points_zh(alias, after)}",
            () if loss is None else (f"已接受最多 {loss:g} 个点的准确率损失",),
        ),
        details={"model": model, "alias": alias, "before": before, "after": after, "loss": loss},
    )


def _number(plan: Plan, key: str) -> int | None:
    value = plan.details[key]
    return value if isinstance(value, int) else None


def refuse_loss(version: ModelVersion, accepted: float | None) -> None:
    """Raise ``Refused`` when the gate held the version back and the loss is not named."""
    if version.gate.get("passed") is not False:
        return
    low = version.gate.get("low")
    loss = -100 * low if isinstance(low, int | float) else 0.0
    if accepted is not None and accepted + 1e-9 >= round(loss, 1):
        return
    raise Refused(
        f"{version.model} version {version.number} stays out of production. "
        f"{gate_sentence(version).en}. To promote it all the same, say: promote {version.model} "
        f"{version.number} to production and accept a loss of {loss:.1f} points.",
        f"{version.model} 版本 {version.number} 未通过质量门：与版本 {version.gate.get('against')} 相比"
        f"可能损失 {loss:.1f} 个点。若仍要提升，请说：接受 {loss:.1f} 个点的损失，"
        f"把 {version.model} {version.number} 提升为 production。",
    )


class AliasMove:
    """Apply, verify, undo and happened of a moved alias."""

    effect: ClassVar[Effect] = Effect.CHANGE

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Swap the alias if it still is where the plan saw it."""
        model, alias, after = *_names(plan), _number(plan, "after")
        loss = plan.details.get("loss")
        world.registry.set_alias(
            model,
            alias,
            after,
            expect=_number(plan, "before"),
            action_id=act.id,
            reason=plan.title + (f"; accepted loss {loss} points" if loss is not None else ""),
        )
        zh = f"{model} 的 {points_zh(alias, after)}。"
        return Outcome(f"{alias} of {model} is {named(after).en}.", zh=zh)

    def verify(self, world: World, plan: Plan, _outcome: Outcome, _act: Act) -> Verdict:
        """Ask the registry."""
        model, alias, after = *_names(plan), _number(plan, "after")
        now = carrying(world, model, alias)
        if now == after:
            zh = f"{model} 的 {points_zh(alias, now)}。"
            return Verdict(True, f"{alias} of {model} resolves to {named(now).en}.", zh=zh)
        return Verdict(
            False,
            f"{alias} of {model} is {named(now).en}, not {named(after).en}.",
            "moved by another",
            zh=f"{model} 的 {alias} 是{named(now).zh}，而不是{named(after).zh}。",
            cause_zh="被其他人移动",
        )

    def undo(self, world: World, plan: Plan, _outcome: Outcome) -> Call:
        """Give the alias back, or take it away where there was none."""
        model, alias, before = *_names(plan), _number(plan, "before")
        if before is None:
            return Call("remove_alias", {"model": model, "alias": alias})
        args: dict[str, Json] = {"model": model, "version": str(before), "alias": alias}
        low = world.registry.resolve(model, str(before)).gate.get("low")
        if isinstance(low, int | float) and low < 0:
            # A loss accepted once, when it got the alias, is not asked about again.
            args["accept_loss"] = round(-100 * low, 1)
        return Call("promote_version", args)

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """The move and its record are one transaction: the registry knows."""
        return world.registry.alias_happened(*_names(plan), action_id)


def _names(plan: Plan) -> tuple[str, str]:
    return str(plan.details["model"]), str(plan.details["alias"])

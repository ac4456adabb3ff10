"""Changes that make a version smaller or faster: prune and quantise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from tools.contract import Json, Phrases, changing
from tools.errors import BadArguments
from tools.models.launching import JobChange, Planned
from tools.models.preparing import prepare_from
from tools.words import Amount, Model, Said, Unless, Version, Word
from tools.world import World

Method = Annotated[
    Literal["structured", "magnitude", "2:4", "wanda"],
    Word("method"),
    Field(description="structured is the one that gets faster; the others only zero weights"),
]

MOST = 0.9
"""Share to try at most where only a target is named."""
ONLY_THERE = Said(
    "2:4 pruning makes GPUs with sparse tensor cores faster; elsewhere latency stays the same",
    "2:4 剪枝只在带稀疏张量核心的 GPU 上更快；其他设备延迟不变",
)


@dataclass(frozen=True, slots=True)
class PruneModelArgs:
    """What to prune and how much; with a target, ``amount`` is the most to try (0.9)."""

    model: Model
    amount: Annotated[Amount | None, Unless(("max_loss", "speed_up"))] = None
    version: Version | None = None
    method: Method | None = None
    max_loss: Annotated[
        float | None, Word("points"), Field(ge=0, le=100, description="most points to lose")
    ] = None
    speed_up: Annotated[
        float | None, Word("factor"), Field(gt=1, le=1000, description="times faster wanted")
    ] = None


@changing(PruneModelArgs)
class PruneModel(JobChange):
    """Prune a model, fine-tune what is left, and register it as a new version."""

    phrases = Phrases(
        en=(
            "prune {model} by {amount}",
            "prune {amount} of {model}",
            "prune {model} version {version} by {amount}",
            "remove {amount} of the weights of {model}",
            "cut {amount} of {model}'s channels with {method} pruning",
            "{method} prune {model} {amount}",
            "make {model} {amount} sparser with {method}",
            "use {method} to prune {amount} of {model} {version}",
            "prune {model} up to {amount} but lose at most {max_loss} points",
            "prune {model} up to {amount} until it is {speed_up} times faster",
        ),
        zh=(
            "把 {model} 剪枝 {amount}",
            "剪掉 {model} {amount} 的权重",
            "对 {model} 版本 {version} 剪枝 {amount}",
            "用 {method} 方法给 {model} 剪枝 {amount}",
            "给 {model} 做 {amount} 的 {method} 剪枝",
            "{model} 剪枝比例 {amount}",
            "裁剪 {model} 的 {amount}，最多损失 {max_loss} 个点",
        ),
    )

    def work(self, world: World, args: PruneModelArgs) -> Planned:
        """A pruning job of a version, with recovery."""
        model, said, training, parent = prepare_from(world, args.model, args.version, trained=True)
        method, amount = args.method or "structured", args.amount or MOST
        if args.speed_up is not None and method != "structured":
            raise BadArguments(
                f"{method} pruning only zeroes weights and makes nothing faster here; "
                "use structured.",
                f"{method} 剪枝只把权重置零，不会变快；请用 structured。",
            )
        if method == "2:4" and abs(amount - 0.5) > 1e-9:
            raise BadArguments(
                f"2:4 removes exactly half; {amount:.0%} is not possible. Use 50 %, or another "
                "method.",
                f"2:4 恰好去掉一半，无法做到 {amount:.0%}。请用 50% 或其他方法。",
            )
        options: dict[str, Json] = {"amount": amount, "method": method}
        most = ("", "") if args.max_loss is None and args.speed_up is None else ("up to ", "最多 ")
        how, zh = f"{method}, {most[0]}{amount:.0%}", f"{method}，{most[1]}{amount:.0%}"
        if args.speed_up is not None:
            options |= {"speed_up": args.speed_up}
            how += f", {args.speed_up:g} times faster"
            zh += f"，速度提升到 {args.speed_up:g} 倍"
        if args.max_loss is not None:
            options |= {"max_loss": args.max_loss}
            how += f", at most {_points(args.max_loss)} lost"
            zh += f"，最多损失 {args.max_loss:g} 个点"
        return Planned(
            model,
            said,
            training,
            "prune",
            _title(model.name, parent.number, how, zh),
            (f"+ a new version of {model.name}, from version {parent.number}", f"  {how}"),
            parent=parent,
            asked=args.version,
            options=options,
            warnings=_warnings(method),
        )


def _title(model: str, number: int, how: str, zh: str) -> Said:
    return Said(f"Prune {model} version {number} ({how})", f"对 {model} 版本 {number} 剪枝（{zh}）")


def _warnings(method: Method) -> tuple[Said, ...]:
    if method == "structured":
        return ()
    if method == "2:4":
        return (ONLY_THERE,)
    en = f"{method} pruning zeroes weights: the file compresses better, latency stays the same"
    return (Said(en, f"{method} 剪枝只把权重置零：文件更易压缩，延迟不变"),)


def _points(count: float) -> str:
    return f"{count:g} point{'' if count == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class QuantizeModelArgs:
    """Which version to quantise; static needs calibration data, dynamic does not."""

    model: Model
    version: Version | None = None
    scheme: Annotated[
        Literal["auto", "static", "dynamic"], Word("scheme"), Field(description="int8 scheme")
    ] = "auto"


@changing(QuantizeModelArgs)
class QuantizeModel(JobChange):
    """Quantise a version to int8 and register it as a new version."""

    phrases = Phrases(
        en=(
            "quantize {model}",
            "quantise {model} version {version}",
            "convert {model} to int8",
            "int8 {model}",
            "make an int8 version of {model} {version}",
            "run post-training quantization on {model}",
            "quantize {model} {version} with {scheme} quantization",
            "turn {model} {version} into 8 bit",
        ),
        zh=(
            "量化 {model}",
            "把 {model} 量化成 int8",
            "对 {model} 版本 {version} 做量化",
            "{model} 转成 8 位整数",
            "给 {model} {version} 做 int8 量化",
            "训练后量化 {model}",
            "把 {model} 的 {version} 量化一下",
        ),
    )

    def work(self, world: World, args: QuantizeModelArgs) -> Planned:
        """An int8 job of a version."""
        model, said, training, parent = prepare_from(world, args.model, args.version)
        if parent.technique.startswith("int8"):
            raise BadArguments(
                f"{model.name} version {parent.number} already is int8.",
                f"{model.name} 版本 {parent.number} 已经是 int8。",
            )
        how = "int8" if args.scheme == "auto" else f"int8 {args.scheme}"
        return Planned(
            model,
            said,
            training,
            "quantize",
            Said(
                f"Quantise {model.name} version {parent.number} to {how}",
                f"将 {model.name} 版本 {parent.number} 量化为 {how}",
            ),
            (f"+ a new version of {model.name}, {how}, from version {parent.number}",),
            parent=parent,
            asked=args.version,
            options={"scheme": args.scheme},
        )

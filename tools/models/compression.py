"""Changes that make a model smaller or faster: prune, quantise, distil, export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tools.contract import Phrases, changing
from tools.models.launching import JobChange
from tools.words import Amount, Model, Version, Word

Method = Annotated[
    Literal["structured", "magnitude", "2:4", "wanda"],
    Word("method"),
    Field(description="structured is the one that gets faster; the others only zero weights"),
]


@dataclass(frozen=True, slots=True)
class PruneModelArgs:
    """What to prune and how much; with a target, ``amount`` is the most to try."""

    model: Model
    amount: Amount
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


@dataclass(frozen=True, slots=True)
class DistillModelArgs:
    """The teacher's model; ``student`` names the model the student is registered under."""

    model: Model
    student: Model | None = None
    version: Version | None = None


@changing(DistillModelArgs)
class DistillModel(JobChange):
    """Train a smaller student from a model's version and register the better student."""

    phrases = Phrases(
        en=(
            "distill {model}",
            "distill {model} into {student}",
            "distil {model} version {version}",
            "train a smaller student of {model}",
            "make a student called {student} from {model}",
            "knowledge distillation of {model} into {student}",
            "teach a small model to imitate {model}",
            "use {model} {version} as a teacher for {student}",
        ),
        zh=(
            "蒸馏 {model}",
            "把 {model} 蒸馏成 {student}",
            "对 {model} 做知识蒸馏",
            "用 {model} 当老师训练一个小模型 {student}",
            "给 {model} 训练一个学生模型",
            "蒸馏 {model} 版本 {version}",
            "从 {model} 蒸馏出 {student}",
        ),
    )


def _format(text: str) -> str:
    return text.lower()


@dataclass(frozen=True, slots=True)
class ExportModelArgs:
    """Which version to write in which format."""

    model: Model
    format: Annotated[
        Literal["onnx", "torch_export", "safetensors"],
        Word("format"),
        AfterValidator(_format),
        Field(description="file format"),
    ]
    version: Version | None = None


@changing(ExportModelArgs)
class ExportModel(JobChange):
    """Export a version to ONNX, torch.export or safetensors and check it against the original."""

    phrases = Phrases(
        en=(
            "export {model} to {format}",
            "export {model} version {version} as {format}",
            "convert {model} to {format}",
            "save {model} {version} in {format}",
            "give me {model} {version} as {format}",
            "write a {format} file of {model}",
            "I need {model} in {format} format",
            "produce a {format} artefact from {model} {version}",
        ),
        zh=(
            "把 {model} 导出为 {format}",
            "导出 {model} 版本 {version} 成 {format}",
            "将 {model} 转换成 {format} 格式",
            "{model} {version} 导出 {format}",
            "生成 {model} 的 {format} 文件",
            "我需要 {model} 的 {format} 格式",
        ),
    )

"""Changes that give a version another form: a smaller student, another file format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from tools.contract import Phrases, changing
from tools.errors import BadArguments, Refused
from tools.models.launching import JobChange, Planned
from tools.models.preparing import prepare_from
from tools.words import Model, Said, Version, Word
from tools.world import World


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

    def work(self, world: World, args: DistillModelArgs) -> Planned:
        """A job that trains a student, with the teacher and without."""
        model, said, training, parent = prepare_from(world, args.model, args.version, trained=True)
        if not said.student:
            raise BadArguments(
                f"{model.name} does not say what its student is: add student = {{...}} "
                f"(parameters of a smaller network) to {said.file.name}.",
                f"{model.name} 没有定义学生模型：请在 {said.file.name} 中添加 student = {{...}}。",
            )
        name = args.student or model.name
        smaller = ", ".join(f"{k} {v}" for k, v in said.student.items())
        return Planned(
            model,
            said,
            {**training, **said.student},
            "distill",
            Said(
                f"Distil {model.name} version {parent.number} into {name}",
                f"将 {model.name} 版本 {parent.number} 蒸馏为 {name}",
            ),
            (f"+ a new version of {name}: a student with {smaller}",),
            parent=parent,
            asked=args.version,
            options={"register_as": name},
        )


def _format(text: object) -> object:
    """Formats as people write them: ``ONNX``, ``.onnx``, ``pt2``, ``torch.export``."""
    said = str(text).lower().strip(" .")
    return {
        "pt2": "torch_export",
        "torch.export": "torch_export",
        "torch-export": "torch_export",
    }.get(said, said)


@dataclass(frozen=True, slots=True)
class ExportModelArgs:
    """Which version to write in which format."""

    model: Model
    format: Annotated[
        Literal["onnx", "torch_export", "safetensors"],
        Word("format"),
        BeforeValidator(_format),
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

    def work(self, world: World, args: ExportModelArgs) -> Planned:
        """An export job of a version."""
        model, said, training, parent = prepare_from(world, args.model, args.version)
        if args.format == parent.format:
            raise Refused(
                f"{model.name} version {parent.number} already is {args.format}: {parent.path}",
                f"{model.name} 版本 {parent.number} 已经是 {args.format}：{parent.path}",
            )
        if args.format != "onnx" and parent.technique.startswith("int8"):
            raise BadArguments(
                f"{model.name} version {parent.number} is int8 and exists as ONNX only.",
                f"{model.name} 版本 {parent.number} 是 int8，只能为 ONNX 格式。",
            )
        return Planned(
            model,
            said,
            training,
            "export",
            Said(
                f"Export {model.name} version {parent.number} to {args.format}",
                f"将 {model.name} 版本 {parent.number} 导出为 {args.format}",
            ),
            (f"+ a new version of {model.name} as {args.format}, from version {parent.number}",),
            parent=parent,
            asked=args.version,
            options={"format": args.format},
        )

"""Importing a checkpoint a team trained elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from tools.contract import Phrases, changing
from tools.errors import BadArguments, Refused
from tools.models.artifacts import digest_of
from tools.models.launching import JobChange, Planned
from tools.models.preparing import prepare
from tools.models.untrusted import MOST, Rejected, check_archive
from tools.words import Model, Said, Text, Word
from tools.world import World


@dataclass(frozen=True, slots=True)
class ImportModelArgs:
    """Whose network the file holds weights for, and where it is."""

    model: Model
    file: Annotated[Text, Word("path"), Field(description="path of a .pt or .safetensors file")]


@changing(ImportModelArgs)
class ImportModel(JobChange):
    """Import a checkpoint file into the registry: read behind a fence and saved as safetensors."""

    phrases = Phrases(
        en=(
            "import {file} as {model}",
            "import {file} into the registry as a version of {model}",
            "import the checkpoint {file} for {model}",
            "register my file {file} under {model}",
            "load the weights {file} into {model}",
            "add {file} to the registry as {model}",
            "convert the pickle {file} to a safe version of {model}",
            "take {file} as a new version of {model}",
        ),
        zh=(
            "把 {file} 导入为 {model}",
            "导入检查点 {file} 到 {model}",
            "将文件 {file} 注册为 {model} 的新版本",
            "把权重 {file} 导入 {model}",
            "把 {file} 加入模型仓库，作为 {model}",
            "将 {file} 转换成 {model} 的安全版本",
        ),
    )

    def work(self, world: World, args: ImportModelArgs) -> Planned:
        """An import job, bound to the very bytes of the file."""
        model, said, training = prepare(world, args.model)
        file = Path(args.file).expanduser()
        if not file.is_file():
            raise BadArguments(f"There is no file at {file}.", f"{file} 处没有文件。")
        if file.suffix not in (".pt", ".pth", ".ckpt", ".bin", ".safetensors"):
            raise BadArguments(
                f"{file.name} is not a checkpoint: .pt, .pth, .ckpt, .bin or .safetensors.",
                f"{file.name} 不是检查点文件：应为 .pt、.pth、.ckpt、.bin 或 .safetensors。",
            )
        try:
            if file.stat().st_size > MOST:
                raise Rejected("it is above 8 GiB")
            if file.suffix != ".safetensors":
                check_archive(file)
        except Rejected as error:
            raise Refused(
                f"{file.name} is not imported: {error}.", f"未导入 {file.name}：{error}。"
            ) from None
        digest = digest_of(file)
        return Planned(
            model,
            said,
            training,
            "import",
            Said(
                f"Import {file.name} as a version of {model.name}",
                f"将 {file.name} 导入为 {model.name} 的一个版本",
            ),
            (f"+ a new version of {model.name}, weights from {file}", f"  sha256 {digest}"),
            options={"file": str(file.resolve()), "digest": digest},
            warnings=(
                Said(
                    "the file is read in a fenced process; only its tensors are kept",
                    "文件在隔离进程中读取，只保留其中的张量",
                ),
            ),
        )

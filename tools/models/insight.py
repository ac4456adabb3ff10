"""Looking into a model: why it predicted what it did, and whether its inputs changed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field

from tools.contract import Finding, Json, Phrases, reading
from tools.errors import Refused, Unavailable
from tools.models.asking import ASKING, ask
from tools.models.base import with_weights
from tools.models.drift_findings import Drift
from tools.models.drifting import Tested
from tools.models.insight_findings import Explained, Reason
from tools.models.labels import labelled
from tools.models.naming import known
from tools.serving.window import folder_of, recorded_version
from tools.words import Model, Text, Version, Window, Word, parse_window
from tools.world import World

Sample = Annotated[Text, Word("sample"), Field(description="test sample index, or the text itself")]


@reading(
    Phrases(
        en=(
            "explain the prediction of {model} for sample {sample}",
            "why did {model} predict that for sample {sample}",
            "explain {model} on sample {sample}",
            "which features drove {model} on {sample}",
            "show the attributions of {model} for {sample}",
            "what did {model} look at in sample {sample}",
            "explain sample {sample} of {model}",
            "why does {model} classify {sample} like this",
            "interpret the output of {model} for {sample}",
        ),
        zh=(
            "解释 {model} 对样本 {sample} 的预测",
            "{model} 为什么这样预测样本 {sample}",
            "{model} 在样本 {sample} 上看了什么",
            "样本 {sample} 为什么被 {model} 这样分类",
            "给出 {model} 对 {sample} 的归因",
            "{model} 判断 {sample} 的依据是什么",
            "解释一下 {model} 的样本 {sample}",
        ),
    ),
    seconds=ASKING,
)
def explain_prediction(
    world: World, model: Model, sample: Sample, version: Version | None = None
) -> Finding:
    """Explain one prediction by integrated gradients, with a check that it is faithful."""
    name = known(world, model)
    asked = world.registry.resolve(name, version)
    through = with_weights(world.registry, asked)
    if through is None:
        raise Refused(
            f"{name} version {asked.number} has no weights to look into.",
            f"{name} 版本 {asked.number} 没有可查看的权重。",
        )
    chart = world.home / "charts" / f"{name}-{asked.number}-explained.png"
    options: dict[str, Json] = {"sample": sample, "chart": str(chart)}
    said = ask(world, "explain", name, {"a": through}, options)
    return Explained(
        model=name,
        version=asked.number,
        explained_by=through.number,
        sample=sample,
        label=said["label"],
        probability=said["probability"],
        truth=said["truth"],
        runner_up=said["runner_up"],
        runner_up_probability=said["runner_up_probability"],
        reasons=tuple(Reason(r["what"], r["share"]) for r in said["reasons"]),
        deleted=said["deleted"],
        drop=said["drop"],
        random_drop=said["random_drop"],
        faithful=said["faithful"],
        chart=Path(said["chart"]) if said["chart"] else None,
    )


@reading(
    Phrases(
        en=(
            "check drift of {model}",
            "has the input of {model} drifted in the last {window}",
            "is there data drift in {model}",
            "drift {model} {window}",
            "do the inputs of {model} still look like the training data",
            "did the distribution for {model} change over the past {window}",
            "compare live inputs of {model} with its training data",
            "are the predictions of {model} shifting",
            "psi of {model} over {window}",
        ),
        zh=(
            "检查 {model} 的漂移",
            "{model} 最近 {window} 有数据漂移吗",
            "{model} 的输入分布变了吗",
            "过去 {window} {model} 的数据漂移情况",
            "{model} 的线上数据和训练数据还一致吗",
            "看看 {model} 有没有漂移",
            "{model} 的预测分布在 {window} 内变了没有",
        ),
    ),
    seconds=ASKING,
)
def check_drift(world: World, model: Model, window: Window = "1d") -> Finding:
    """Test served inputs and predictions of a window against test data; accuracy where labelled."""
    name = known(world, model)
    folder, labels = folder_of(world.home, name), labelled(world, name)
    since = (world.clock.now() - parse_window(window)).timestamp()
    asked = recorded_version(folder, since)
    if asked is None and not labels:
        raise Unavailable(
            f"No serving inputs of {name} are recorded in the last {window}; they are sampled while "
            "a deployment of it on this machine answers requests, and written within a minute.",
            f"最近 {window} 没有记录 {name} 的线上输入；本机部署响应请求时会自动采样，一分钟内写入。",
        )
    version = world.registry.resolve(name, asked)
    if asked is None:
        return Drift(name, version.number, window, accuracy=labels)
    options: dict[str, Json] = {"folder": str(folder), "since": since}
    said = ask(world, "drift", name, {"a": version}, options)
    tests = tuple(Tested(**test) for test in said["tests"])
    return Drift(
        model=name,
        version=version.number,
        window=window,
        rows=said["rows"],
        seen=said["seen"],
        reference=said["reference"],
        first=datetime.fromtimestamp(said["first"], UTC),
        last=datetime.fromtimestamp(said["last"], UTC),
        tests=tests,
        drifted=any(test.changed for test in tests),
        accuracy=labels,
    )

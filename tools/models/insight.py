"""Looking into a model: why it predicted what it did, and whether its inputs changed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tools.contract import Finding, Phrases, reading
from tools.errors import Unavailable
from tools.words import Model, Text, Version, Window, Word
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
    )
)
def explain_prediction(
    world: World, model: Model, sample: Sample, version: Version | None = None
) -> Finding:
    """Explain one prediction by integrated gradients, with a check that it is faithful."""
    raise Unavailable("explain_prediction is not ready.")


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
    )
)
def check_drift(world: World, model: Model, window: Window = "1d") -> Finding:
    """Test serving inputs and predictions of a window against the training reference."""
    raise Unavailable("check_drift is not ready.")

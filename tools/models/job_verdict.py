"""What an ended job amounts to: the version it registered, or the named cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.amounts import span
from tools.contract import Json, Verdict
from tools.models.base import JobStatus
from tools.models.numbers import percent
from tools.models.wording import STATES, cause_zh, gate_sentence

if TYPE_CHECKING:
    from tools.world import World


def verdict(world: World, status: JobStatus) -> Verdict:
    """What an ended job amounts to."""
    if status.state != "succeeded" or status.version is None:
        cause = status.cause or status.state
        why = cause_zh(cause)
        return Verdict(
            False,
            f"Job {status.name} {status.state}: {cause}.",
            cause,
            zh=f"任务 {status.name} {STATES[status.state]}：{why}。",
            cause_zh=why,
        )
    found = [v for m in _models(world, status) for v in world.registry.versions(m)]
    made = [v for v in found if v.job == status.name]
    if not made:
        zh = f"任务 {status.name} 没有注册任何版本。"
        en = f"Job {status.name} registered nothing."
        return Verdict(False, en, "not registered", zh=zh, cause_zh="未注册")
    version = made[0]
    text = f"{version.model} version {version.number} is registered ({version.technique})"
    zh = f"{version.model} 版本 {version.number} 已注册（{version.technique}）"
    if (score := version.metrics.get("accuracy")) is not None:
        samples = version.metrics.get("test_samples", 0)
        text += f": accuracy {percent(score)} on {samples:.0f} test samples"
        zh += f"：{samples:.0f} 个测试样本上的准确率为 {percent(score)}"
    if status.ended_at:
        took = status.ended_at - status.created_at
        text += f", after {span(took)}"
        zh += f"，历时 {span(took, 'zh')}"
    if status.kind == "export":
        text += f"; its file is {version.path}"
        zh += f"；文件为 {version.path}"
    if version.gate.get("passed") is False:
        gate = gate_sentence(version)
        text, zh = f"{text}. {gate.en}", f"{zh}。{gate.zh}"
    made_of: dict[str, Json] = {"model": version.model, "version": str(version.number)}
    return Verdict(True, text.rstrip(".") + ".", details=made_of, zh=f"{zh}。")


def _models(world: World, status: JobStatus) -> list[str]:
    return [status.model, *(m for m in world.registry.models() if m != status.model)]

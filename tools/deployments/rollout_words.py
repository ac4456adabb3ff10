"""What the plan of a roll-out says, in English and Chinese. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tools.contract import PlanWords
from tools.deployments.finding import Found, quality
from tools.deployments.wording import replicas
from tools.models.base import ModelVersion
from tools.platforms import base
from tools.words import Said

HOW = {"rolling": "rolling", "canary": "canary", "blue_green": "blue/green"}
_HOW_ZH = {"rolling": "滚动更新", "canary": "灰度", "blue_green": "蓝绿"}


def radius(
    found: Found,
    wanted: int,
    edit: base.RollOut,
    fewest: int | None,
    now: ModelVersion | None,
    version: ModelVersion,
) -> Said:
    """Whose requests feel it, and how the qualities compare where they are known."""
    said = _traffic(found, wanted, edit, fewest)
    known = [q for q in (quality(now), quality(version)) if q]
    if not known:
        return said
    compared = " → ".join(known)
    return Said(f"{said.en}; {compared}", f"{said.zh}；{compared.replace('accuracy', '准确率')}")


def _traffic(found: Found, wanted: int, edit: base.RollOut, fewest: int | None) -> Said:
    ref = found.ref
    if not found.status.wanted:
        return Said(
            f"starts {replicas(wanted)}; nothing is served yet",
            f"启动 {wanted} 个副本；目前尚未提供服务",
        )
    if edit.strategy == "canary":
        shares = [f"{s:.0%}" for s in edit.steps]
        each = f"{edit.pause.total_seconds():g}"
        return Said(
            f"traffic of {ref} step by step ({', '.join(shares)}), {each} s each; rolled back by "
            "itself when a step fails",
            f"{ref} 的流量逐步切换（{'、'.join(shares)}），每步 {each} 秒；任一步失败时自动回滚",
        )
    fewest = min(wanted, found.status.wanted) if fewest is None else fewest
    least = f"never fewer than {fewest} serve" if fewest else "none serve for a while"
    least_zh = f"始终至少有 {fewest} 个在服务" if fewest else "会有一段时间没有副本服务"
    return Said(
        f"all traffic of {ref}, {replicas(wanted)}; {least}",
        f"{ref} 的全部流量，{wanted} 个副本；{least_zh}",
    )


def undoing(found: Found) -> Said:
    """What a failure, or a person, returns to."""
    status = found.status
    if status.wanted and status.revision:
        return Said(
            f"roll back to revision {status.revision} (version {status.release.version}), by "
            "itself if verification fails",
            f"回滚到修订 {status.revision}（版本 {status.release.version}），验证失败时自动执行",
        )
    return Said(
        "scale to 0 replicas, by itself if verification fails",
        "缩容到 0 个副本，验证失败时自动执行",
    )


def held_back(version: ModelVersion, accepted: float | None) -> tuple[Said, ...]:
    """That a loss was accepted, where the quality gate held the version back."""
    if version.gate.get("passed") is not False:
        return ()
    return (
        Said(
            f"its quality gate did not pass; a loss of {accepted:g} points was accepted",
            f"未通过质量门；已接受 {accepted:g} 个点的损失",
        ),
    )


def in_chinese(
    found: Found,
    version: ModelVersion,
    edit: base.RollOut,
    reach: Said,
    undo: Said,
    warnings: Sequence[Said],
) -> PlanWords:
    """The whole plan in Chinese."""
    count, soak = edit.replicas, f"{found.number('soak', 2.0):g}"
    return PlanWords(
        f"将 {version.model} 版本 {version.number} 发布到 {found.ref}"
        f"（{count} 个副本，{_HOW_ZH[edit.strategy]}）",
        reach.zh,
        undo.zh,
        f"版本 {version.number} 的 {count} 个副本全部就绪，旧副本已退出，真实请求由其应答，"
        f"{soak} 秒内错误率不超过 2 %",
        tuple(w.zh for w in warnings),
    )

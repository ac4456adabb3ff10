"""What serves, platform by platform: a platform that does not answer hides no other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tools.actions.wording import cut
from tools.amounts import plural
from tools.deployments.wording import phase
from tools.summary.part import Look, Part, Remark
from tools.words import Said

if TYPE_CHECKING:
    from tools.platforms.base import Platform, Status


def title(platform: str) -> Said:
    """The section's title."""
    return Said(f"Deployments on {platform}", f"{platform} 上的部署")


def collect(platform: Platform) -> Part:
    """Every deployment of one platform, the ill ones first."""
    found = sorted(platform.deployments(), key=lambda s: (s.phase == "complete", s.ref))
    ours = [s for s in found if _rolled_out(s)]
    ill = [s for s in ours if s.phase in ("degraded", "failed")]
    moving = [s for s in ours if s.phase in ("progressing", "paused")]
    lines = [Said(_line(s, "en"), _line(s, "zh")) for s in [*ill, *moving]]
    well = len(ours) - len(ill) - len(moving)
    if well:
        names = ", ".join(_short(s) for s in ours if s.phase == "complete")
        lines.append(Said(cut(f"healthy: {names}", 98), cut(f"正常：{names}", 98)))
    idle = [s for s in found if not _rolled_out(s)]
    if idle:
        names = ", ".join(s.ref for s in idle)
        lines.append(Said(f"nothing rolled out yet: {names}", f"尚未发布：{names}"))
    return Part(
        f"deployments:{platform.name}",
        title(platform.name),
        tuple(lines) or (Said("none.", "无。"),),
        tuple(_remark(s) for s in [*ill, *moving]),
        _all_well(well) if not ill and well else None,
        {
            "deployments": [
                {
                    "name": s.ref,
                    "phase": s.phase,
                    "ready": s.ready,
                    "wanted": s.wanted,
                    "version": s.release.version,
                }
                for s in found
            ]
        },
    )


def _rolled_out(status: Status) -> bool:
    release = status.release
    return bool(release.version or release.image or release.artifact or status.wanted)


def _all_well(count: int) -> Said:
    verb = "serves" if count == 1 else "serve"
    return Said(f"{plural(count, 'deployment')} {verb}", f"{count} 个部署正常服务")


def _short(status: Status) -> str:
    version = f" v{status.release.version}" if status.release.version else ""
    return f"{status.ref}{version} ({status.ready}/{status.wanted})"


def _line(status: Status, lang: str) -> str:
    word = phase(status.phase, "zh" if lang == "zh" else "en")
    why = f"{'：' if lang == 'zh' else ': '}{status.message}" if status.message else ""
    return cut(f"{_short(status)} {word}{why}", 98)


def _remark(status: Status) -> Remark:
    ready = f"{status.ready} of {status.wanted} replicas ready"
    why = f"; {status.message}" if status.message else ""
    why_zh = f"；{status.message}" if status.message else ""
    said = Said(
        cut(f"{status.ref} is {phase(status.phase, 'en')} ({ready}{why})", 160),
        cut(
            f"{status.ref} {phase(status.phase, 'zh')}（{status.ready}/{status.wanted} 副本就绪{why_zh}）",
            160,
        ),
    )
    ill = status.phase in ("degraded", "failed")
    return Remark("problem" if ill else "note", said)


def platforms(look: Look) -> Sequence[Platform]:
    """Every platform of the fleet."""
    return look.world.platforms.all()

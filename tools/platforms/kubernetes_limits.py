"""Which edits a workload takes now: nothing is sent that would have no effect or overrun another."""

from __future__ import annotations

import time

from tools.errors import Refused
from tools.platforms import kubernetes_argo as argo
from tools.platforms import kubernetes_kserve as kserve
from tools.platforms.base import Edit, Pause, Restart, Resume, RollBack, RollOut, Scale
from tools.platforms.kubernetes_objects import Obj, at, name_of, namespace_of, number
from tools.platforms.kubernetes_reading import Reader
from tools.platforms.kubernetes_status import rolled_out, status
from tools.platforms.kubernetes_view import complete, counts

_LOOKS = 15
"""How often the controller is asked, five times a second, whether it has seen the last edit."""


class Limits:
    """Refuses edits."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def check(self, work: Obj, edit: Edit) -> None:
        """Raise ``Refused`` with the rule and the remedy."""
        name, kind = name_of(work), work["kind"]
        if kind == kserve.KIND:
            kserve.possible(work, edit)
        elif kind == argo.KIND:
            argo.possible(work, edit)
        else:
            self._built_in(work, edit, name, kind)

    def _built_in(self, work: Obj, edit: Edit, name: str, kind: str) -> None:
        match edit:
            case RollOut() | RollBack() | Pause() | Resume() if kind != "Deployment":
                raise Refused(
                    f"{name} is a {kind}; Steward reads, restarts and scales those, but rolls out"
                    " Deployments, Rollouts and InferenceServices only.",
                    f"{name} 是 {kind}；Steward 只能查看、重启和伸缩它，只有 Deployment 支持发布。",
                )
            case Pause() | Resume():
                self._in_progress(work, edit)
            case RollOut() | Restart() if at(work, "spec", "paused"):
                raise Refused(
                    f"The roll-out of {name} is paused, so nothing would happen; resume it first.",
                    f"{name} 的发布处于暂停状态，改动不会生效；请先恢复。",
                )
            case RollOut() | Restart() if kind == "Deployment":
                self._free(work)
            case Scale() if kind == "DaemonSet":
                raise Refused(
                    f"{name} is a DaemonSet: it runs once on every node, it has no count."
                )
            case Scale(replicas=replicas):
                self._unscaled(work, replicas)
            case _:
                pass

    def _in_progress(self, work: Obj, edit: Pause | Resume) -> None:
        name, held = name_of(work), bool(at(work, "spec", "paused"))
        if isinstance(edit, Resume) and not held:
            raise Refused(f"The roll-out of {name} is not paused.", f"{name} 的发布没有暂停。")
        if isinstance(edit, Pause) and (held or complete(counts(work))):
            raise Refused(
                f"{name} has no roll-out in progress to pause.",
                f"{name} 没有正在进行的发布可以暂停。",
            )

    def _free(self, work: Obj) -> None:
        """A roll-out in progress is not overrun; one that failed may be replaced."""
        for _ in range(_LOOKS):
            if counts(work).seen:
                break
            time.sleep(0.2)  # the controller looks at an edit within moments
            work = {**self._reader.again(work), "kind": work["kind"]}
        if complete(counts(work)):
            return
        view = self._reader.view(work)
        seen = status(view, "")
        if seen.phase == "progressing" and not rolled_out(view, counts(work)):
            ref = f"{namespace_of(work)}/{name_of(work)}"
            raise Refused(
                f"A roll-out of {ref} is in progress ({seen.message}); wait for it, or abort it.",
                f"{ref} 的发布正在进行（{seen.message}）；请等待其完成或先中止。",
            )

    def _unscaled(self, work: Obj, replicas: int) -> None:
        scaler = self._reader.autoscaler(work)
        if scaler is not None:
            low = number(scaler, "spec", "minReplicas") or 1
            high = number(scaler, "spec", "maxReplicas")
            raise Refused(
                f"The HorizontalPodAutoscaler {name_of(scaler)} keeps {name_of(work)} between {low}"
                f" and {high} replicas and would undo {replicas}; change its bounds instead.",
                f"HorizontalPodAutoscaler {name_of(scaler)} 将 {name_of(work)} 控制在 {low} 到"
                f" {high} 个副本，手动设置的 {replicas} 会被覆盖；请修改其上下限。",
            )

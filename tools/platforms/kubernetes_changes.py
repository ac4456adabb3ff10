"""Edits of workloads: previewed by the server, applied once, refused when somebody was faster."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tools.contract import Act
from tools.errors import BadArguments, Refused, Unavailable
from tools.platforms import kubernetes_argo as argo
from tools.platforms import kubernetes_edits as edits
from tools.platforms import kubernetes_kserve as kserve
from tools.platforms.base import (
    Edit,
    Pause,
    Preview,
    Restart,
    Resume,
    Revision,
    RollBack,
    RollOut,
    Scale,
)
from tools.platforms.kubernetes_diff import diff
from tools.platforms.kubernetes_edits import PREVIEW_ID
from tools.platforms.kubernetes_errors import Broken, Conflict
from tools.platforms.kubernetes_limits import Limits
from tools.platforms.kubernetes_objects import (
    ACTION,
    PLACEHOLDER,
    REVISION,
    Obj,
    actions_of,
    at,
    created,
    last_editor,
    name_of,
    note,
    number,
    table,
    template_note,
)
from tools.platforms.kubernetes_pace import pace
from tools.platforms.kubernetes_reading import OWN, Reader
from tools.platforms.kubernetes_template import Shape
from tools.platforms.kubernetes_view import complete, counts, release_in, revision_of
from tools.platforms.kubernetes_words import done, quota_warnings, rollout_warnings, told

_TRIES = 5


class Editor:
    """Changes workloads of one cluster."""

    def __init__(self, reader: Reader, shape: Callable[[Obj], Shape]) -> None:
        self._reader = reader
        self._shape = shape
        self._limits = Limits(reader)

    def preview(self, work: Obj, edit: Edit) -> Preview:
        """The server's dry run of the edit, as a diff; with its warnings and ours."""
        self._limits.check(work, edit)
        quotas = self._quotas(work, edit)
        ops = self._patch(work, edit, PREVIEW_ID, quotas)
        reply = self._reader.api.patch(self._reader.path(work), ops, dry_run=True)
        shown = told(work, edit) or diff(work, reply.object)
        warnings = (*self._warnings(work, edit), *reply.warnings)
        if isinstance(edit, RollOut):
            warnings = (*quota_warnings(reply.object, quotas), *warnings)
        rhythm = pace({**reply.object, "kind": work["kind"]})
        replaces = isinstance(edit, RollOut | RollBack | Restart)
        least = rhythm.least if replaces else None
        mark = edits.fingerprint(reply.object) if replaces and work["kind"] in OWN else ""
        return Preview(
            shown, warnings, least, rhythm.patience, rhythm.batches, rhythm.leaving, mark
        )

    def edit(self, work: Obj, edit: Edit, act: Act) -> str:
        """Send the edit once; a repeated call under the same action finds it done."""
        said = self.send(work, lambda now: self._checked(now, edit, act.id), act)
        if isinstance(edit, Resume) and work["kind"] == argo.KIND:
            argo.promote(self._reader.api, self._reader.path(work), self._reader.again(work))
        return said or done(work, edit)

    def _checked(self, work: Obj, edit: Edit, action_id: str) -> list[Obj]:
        self._limits.check(work, edit)
        return self._patch(work, edit, action_id, self._quotas(work, edit))

    def _quotas(self, work: Obj, edit: Edit) -> list[Obj]:
        asked = isinstance(edit, RollOut) and work["kind"] == "Deployment"
        return self._reader.quotas(work) if asked else []

    def send(self, work: Obj, patch: Callable[[Obj], list[Obj]], act: Act) -> str:
        """Apply ``patch(work)``; answers a sentence when it was there already, else nothing.

        Raises ``Refused`` when the desired state was edited since ``work`` was read, and
        ``Unavailable`` when the answer was lost and the server cannot be asked what happened.
        """
        api, began = self._reader.api, at(work, "metadata", "generation")
        lost: Broken | None = None
        for attempt in range(_TRIES):
            act.check()
            if act.id in actions_of(work):
                return f"{name_of(work)} carries this action already; nothing was sent twice."
            if at(work, "metadata", "generation") != began:
                raise Refused(
                    f"{name_of(work)} was edited by {last_editor(work)} in between; look again and"
                    " propose anew.",
                    f"{name_of(work)} 在此期间被 {last_editor(work)} 修改；请重新查看后再提议。",
                )
            try:
                api.patch(self._reader.path(work), patch(work))
                return ""
            except Conflict:
                time.sleep(0.1 * attempt)
            except Broken as error:
                lost = error
                time.sleep(0.3 * (attempt + 1))
            work = self._look(work, lost)
        raise lost or Refused(f"{name_of(work)} changes too fast to be edited; try again.")

    def _look(self, work: Obj, lost: Broken | None) -> Obj:
        try:
            return self._reader.again(work)
        except Unavailable as error:
            raise Unavailable(
                f"The answer to the change of {name_of(work)} was lost and the API server cannot be"
                f" asked whether it arrived. {lost or error}",
            ) from error

    def _patch(
        self, work: Obj, edit: Edit, action_id: str, quotas: Sequence[Obj] = ()
    ) -> list[Obj]:
        if work["kind"] == kserve.KIND:
            return kserve.patch(work, edit, action_id, self._shape(work))
        if work["kind"] == argo.KIND:
            sets = self._reader.replica_sets(work, full=True)
            if isinstance(edit, RollBack):
                self._known(work, edit.revision, sets)
            now = f"{self._reader.api.now():%Y-%m-%dT%H:%M:%SZ}"
            return argo.patch(work, edit, action_id, self._shape(work), sets, now)
        match edit:
            case RollOut():
                scaled = self._reader.autoscaler(work) is not None
                shape = self._shape(work)
                return edits.roll_out(work, edit, action_id, shape, scaled=scaled, quotas=quotas)
            case RollBack():
                return self._back(work, edit.revision, action_id)
            case Scale():
                return edits.scale(work, edit, action_id)
            case Restart():
                return edits.restart(work, action_id)
            case Pause():
                return edits.paused(work, True, action_id)
            case Resume():
                return edits.paused(work, False, action_id)

    def _back(self, work: Obj, revision: int, action_id: str) -> list[Obj]:
        sets = self._reader.replica_sets(work, full=True)
        wanted = [s for s in sets if _number(s) == revision]
        kept = edits.kept_template(work, revision)
        if not wanted and kept is None:
            self._known(work, revision, sets)
        old = wanted[0] if wanted else {"spec": {"template": kept}}
        intact = number(old, "status", "readyReplicas") >= counts(work).wanted
        return edits.roll_back(work, old, action_id, intact=intact)

    def _known(self, work: Obj, revision: int, sets: Sequence[Obj]) -> None:
        """Raise ``BadArguments`` where the cluster keeps no such revision."""
        if revision not in (known := sorted(map(_number, sets))):
            listed = "、".join(map(str, known)) or "-"
            raise BadArguments(
                f"{name_of(work)} has no revision {revision}; the cluster keeps {listed}.",
                f"{name_of(work)} 没有修订 {revision}；集群保留的修订：{listed}。",
            )

    def stable(self, work: Obj) -> int:
        """The revision that a roll-out in progress replaces; raises ``Refused`` without one."""
        if work["kind"] in (argo.KIND, kserve.KIND):
            return self._custom_stable(work)
        old = [
            (number(s, "status", "readyReplicas"), _number(s))
            for s in self._reader.replica_sets(work, full=True)
            if edits.bare_template(s) != edits.bare_template(work)
        ]
        done = complete(counts(work)) and not at(work, "spec", "paused")
        if not old or done:
            raise Refused(
                f"{name_of(work)} has no roll-out in progress; roll back to a revision instead.",
                f"{name_of(work)} 没有进行中的发布；请改为回滚到某个修订。",
            )
        return max(old)[1]

    def _custom_stable(self, work: Obj) -> int:
        if work["kind"] == kserve.KIND and kserve.phase(work)[0] != "complete":
            earlier = [r.number for r in kserve.history(work) if not r.current]
            return earlier[0] if earlier else 0
        if work["kind"] == argo.KIND and not argo.settled(work):
            return argo.stable(work, self._reader.replica_sets(work, full=True))
        raise Refused(
            f"{name_of(work)} has no roll-out in progress; roll back to a revision instead.",
            f"{name_of(work)} 没有进行中的发布；请改为回滚到某个修订。",
        )

    def _warnings(self, work: Obj, edit: Edit) -> tuple[str, ...]:
        if isinstance(edit, RollOut):
            return tuple(rollout_warnings(work, edit, self._reader.autoscaler(work)))
        if isinstance(edit, Scale) and edit.replicas == 0:
            return ("0 replicas: nothing will serve",)
        return ()

    def history(self, work: Obj) -> list[Revision]:
        """Revisions that the cluster keeps, newest first."""
        if work["kind"] == kserve.KIND:
            return kserve.history(work)
        current, container = revision_of(work), self._shape(work).container
        found = [
            Revision(
                number=_number(s),
                release=release_in(table(s, "spec", "template"), container),
                created_at=created(s),
                action_id=template_note(s, ACTION) or note(s, ACTION),
                current=_number(s) == current,
            )
            for s in self._reader.replica_sets(work, full=True)
            if template_note(s, PLACEHOLDER) != "true"
        ]
        return sorted(found, key=lambda r: -r.number)


def _number(replica_set: Obj) -> int:
    return number(replica_set, "metadata", "annotations", REVISION) or argo.revision(replica_set)

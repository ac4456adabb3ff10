"""The hands behind the door: apply an action that was approved and begun, then verify it.

Only :class:`agent.door.Door` calls this, after a person's yes was checked and APPLYING is written
down. Whatever goes wrong in the world becomes a state of the action, never an exception.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.events import Action, State
from agent.foresight import Foresight
from agent.ledger import Ledger
from agent.redaction import mask, mask_json
from agent.running import Running, Stuck
from agent.work import Work
from tools.contract import Happened, Json, Outcome, as_json
from tools.errors import ToolError, Unavailable
from tools.world import World


@dataclass(frozen=True, slots=True)
class Execution:
    """One process's hands."""

    foresight: Foresight
    world: World
    ledger: Ledger
    work: Work
    owner: str

    def finish(self, action: Action) -> Action:
        """From APPLYING or APPLIED to the outcome; any other state is left alone."""
        if action.state is State.APPLYING:
            action = self._carry_out(action)
        if action.state is State.APPLIED:
            action = self.verify(action)
        return action

    def _carry_out(self, action: Action) -> Action:
        """The only place where an effect begins. The intent is in the ledger already."""
        change = self.foresight.change(action.call.tool)
        with Running(action, self.ledger, self.work, self.world.clock) as act:
            try:
                outcome = act.bounded(lambda: change.apply(self.world, action.plan, act))
            except Stuck as error:
                return self._end(action, State.UNKNOWN, error.en)
            except Unavailable as error:
                return self._unanswered(action, error.en)
            except ToolError as error:
                return self._end(action, State.FAILED, error.en)
            except Exception as error:  # noqa: BLE001  a tool's bug must not hide what happened
                broke = (
                    f"{action.call.tool} broke: {type(error).__name__}: {mask(str(error))[:200]}"
                )
                return self._unanswered(action, f"{broke}.")
        body: dict[str, Json] = {"outcome": mask_json(as_json(outcome))}
        return self.ledger.move(action, State.APPLIED, self.owner, body)

    def _unanswered(self, action: Action, said: str) -> Action:
        """The world, or a tool's bug, swallowed the answer: only the world can say what is so."""
        if self.foresight.happened(action) is Happened.NO:
            return self._end(action, State.FAILED, f"{said} The world shows no effect.")
        return self._end(action, State.UNKNOWN, f"{said} Whether it took effect is not clear.")

    def verify(self, action: Action) -> Action:
        """Look until the change is there, or say that it could not be verified."""
        change = self.foresight.change(action.call.tool)
        outcome = action.outcome or Outcome("")
        with Running(action, self.ledger, self.work, self.world.clock) as act:
            try:
                verdict = act.bounded(lambda: change.verify(self.world, action.plan, outcome, act))
            except ToolError as error:
                return self._end(action, State.UNVERIFIED, f"Not verified: {error.en}")
            except Exception as error:  # noqa: BLE001  unknown is not verified, whatever broke
                said = f"{type(error).__name__}: {mask(str(error))[:200]}"
                return self._end(action, State.UNVERIFIED, f"Not verified, the check broke: {said}")
        body: dict[str, Json] = {"verdict": mask_json(as_json(verdict))}
        if not verdict.ok:
            told = verdict.cause in verdict.evidence  # an empty cause too
            said = verdict.evidence if told else f"{verdict.cause}: {verdict.evidence}"
            body["reason"] = mask(said)
        state = State.VERIFIED if verdict.ok else State.UNVERIFIED
        return self.ledger.move(action, state, self.owner, body)

    def _end(self, action: Action, state: State, reason: str) -> Action:
        return self.ledger.move(action, state, self.owner, {"reason": mask(reason)})

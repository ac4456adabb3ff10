"""The hands behind the door: apply an action that was approved and begun, then verify it.

Only :class:`agent.door.Door` calls this, after a person's yes was checked and APPLYING is written
down. Whatever goes wrong in the world becomes a state of the action, never an exception.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.events import Action, State
from agent.foresight import Foresight
from agent.ledger import Ledger
from agent.record import because
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
                return self._end(action, State.UNKNOWN, error.en, error.zh)
            except Unavailable as error:
                return self._unanswered(action, error.en, error.zh)
            except ToolError as error:
                return self._end(action, State.FAILED, error.en, error.zh)
            except Exception as error:  # noqa: BLE001  a tool's bug must not hide what happened
                said = f"{type(error).__name__}: {mask(str(error))[:200]}"
                tool = action.call.tool
                return self._unanswered(action, f"{tool} broke: {said}.", f"{tool} 出错：{said}。")
        body: dict[str, Json] = {"outcome": mask_json(as_json(outcome))}
        return self.ledger.move(action, State.APPLIED, self.owner, body)

    def _unanswered(self, action: Action, said: str, zh: str) -> Action:
        """The world, or a tool's bug, swallowed the answer: only the world can say what is so."""
        if self.foresight.happened(action) is Happened.NO:
            none = f"{said} The world shows no effect."
            return self._end(action, State.FAILED, none, f"{zh}环境中没有看到效果。")
        unclear = f"{said} Whether it took effect is not clear."
        return self._end(action, State.UNKNOWN, unclear, f"{zh}是否已生效尚不清楚。")

    def verify(self, action: Action) -> Action:
        """Look until the change is there, or say that it could not be verified."""
        change = self.foresight.change(action.call.tool)
        outcome = action.outcome or Outcome("")
        with Running(action, self.ledger, self.work, self.world.clock) as act:
            try:
                verdict = act.bounded(lambda: change.verify(self.world, action.plan, outcome, act))
            except ToolError as error:
                said, zh = f"Not verified: {error.en}", f"未能验证：{error.zh}"
                return self._end(action, State.UNVERIFIED, said, zh)
            except Exception as error:  # noqa: BLE001  unknown is not verified, whatever broke
                what = f"{type(error).__name__}: {mask(str(error))[:200]}"
                said, zh = f"Not verified, the check broke: {what}", f"未能验证，检查出错：{what}"
                return self._end(action, State.UNVERIFIED, said, zh)
        body: dict[str, Json] = {"verdict": mask_json(as_json(verdict))}
        if not verdict.ok:
            body |= because(verdict.why("en"), verdict.why("zh"))
        state = State.VERIFIED if verdict.ok else State.UNVERIFIED
        return self.ledger.move(action, state, self.owner, body)

    def _end(self, action: Action, state: State, reason: str, zh: str) -> Action:
        return self.ledger.move(action, state, self.owner, because(reason, zh))

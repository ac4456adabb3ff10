"""The tools of this room, for the catalogue."""

from __future__ import annotations

from tools.contract import Tool
from tools.deployments.history import deployment_history
from tools.deployments.listing import list_deployments
from tools.deployments.pausing import PauseRollout, ResumeRollout
from tools.deployments.restarting import Restart
from tools.deployments.rolling_back import RollBack
from tools.deployments.rolling_out import RollOut
from tools.deployments.scaling import Scale
from tools.deployments.status import deployment_status

TOOLS: tuple[Tool, ...] = (
    list_deployments,
    deployment_status,
    deployment_history,
    RollOut,
    RollBack,
    Scale,
    Restart,
    PauseRollout,
    ResumeRollout,
)

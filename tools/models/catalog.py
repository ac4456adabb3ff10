"""The tools of this room, for the catalogue."""

from __future__ import annotations

from tools.contract import Tool
from tools.models.cancelling import CancelJob
from tools.models.compression import PruneModel, QuantizeModel
from tools.models.conversion import DistillModel, ExportModel
from tools.models.importing import ImportModel
from tools.models.insight import check_drift, explain_prediction
from tools.models.job_queries import job_status, list_jobs
from tools.models.promotion import PromoteVersion, RemoveAlias
from tools.models.training import LaunchTraining
from tools.models.tuning import TuneModel
from tools.models.versions import compare_versions, list_models, list_versions, model_lineage

TOOLS: tuple[Tool, ...] = (
    list_models,
    list_versions,
    compare_versions,
    model_lineage,
    list_jobs,
    job_status,
    LaunchTraining,
    TuneModel,
    CancelJob,
    PromoteVersion,
    RemoveAlias,
    PruneModel,
    QuantizeModel,
    DistillModel,
    ExportModel,
    ImportModel,
    explain_prediction,
    check_drift,
)

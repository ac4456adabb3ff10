"""Where training runs besides this machine: a cluster, by the ``training`` part of steward.yaml.

::

    training:
      platform: kube                 # of kind kubernetes
      namespace: ml
      image: registry.example.org/trainer:1   # torch, onnx and Steward's tools package inside
      claim: steward-jobs            # a PersistentVolumeClaim that many may mount
      folder: /mnt/steward-jobs      # where the same storage is mounted on Steward's machine
      models: [digits]               # default: every model

The workers see the job's folder under the same path as Steward does, so that progress, checkpoints,
the wish to stop and the output travel through it, as they do on one machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from tools.contract import Json
from tools.errors import BadArguments

if TYPE_CHECKING:
    from tools.fleet import Fleet
    from tools.platforms.kubernetes_jobs import Trainings
    from tools.platforms.kubernetes_training import Training

_NEEDED = ("platform", "namespace", "image", "claim", "folder")
_TEXTS = ("cpu", "memory", "launcher", "queue")
_NUMBERS = ("gpus", "user")
_KNOWN = (*_NEEDED, *_TEXTS, *_NUMBERS, "models")
_ACCESS = ("kubeconfig", "context", "in_cluster", "timeout")


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster to train on; plain values, so that a job's spec can carry it."""

    platform: str
    namespace: str
    image: str
    claim: str
    folder: str
    access: Mapping[str, Json]
    """Kubeconfig, context, in_cluster, timeout: the platform's own options."""
    gpus: int = 0
    """Of each worker."""
    cpu: str = "1"
    memory: str = "2Gi"
    launcher: str = "torchrun"
    queue: str | None = None
    user: int | None = None

    @property
    def words(self) -> str:
        """``kube, namespace ml``."""
        return f"{self.platform}, namespace {self.namespace}"

    def training(
        self,
        name: str,
        root: Path,
        workers: int,
        env: Mapping[str, str] = MappingProxyType({}),
        retries: int = 0,
    ) -> Training:
        """The run of one job: its workers do what torchrun would start on this machine."""
        from tools.platforms.kubernetes_training import Training

        return Training(
            name=name,
            namespace=self.namespace,
            image=self.image,
            script=("-m", "tools.models.job_worker", str(root)),
            workers=workers,
            gpus=min(1, self.gpus),
            cpu=self.cpu,
            memory=self.memory,
            env=env,
            claim=self.claim,
            mount=self.folder,
            launcher=self.launcher,
            retries=retries,
            user=self.user,
            queue=self.queue,
        )

    def trainings(self) -> Trainings:
        """The cluster's training Jobs; connects at first use."""
        from tools.platforms.kubernetes_api import Api
        from tools.platforms.kubernetes_connection import Access
        from tools.platforms.kubernetes_jobs import Trainings
        from tools.platforms.kubernetes_reading import Reader

        said = cast("Mapping[str, Any]", self.access)
        access = Access(
            self.platform,
            said.get("kubeconfig"),
            said.get("context"),
            bool(said.get("in_cluster")),
            float(said.get("timeout") or 10.0),
        )
        api = Api(access)
        return Trainings(api, Reader(api, [self.namespace]))


def place_of(fleet: Fleet, model: str) -> Place | None:
    """Where ``model`` is trained by steward.yaml; ``None`` is this machine.

    Raises:
        BadArguments: a key that is missing, unknown, or of the wrong kind.
    """
    said = fleet.sections.get("training")
    if not isinstance(said, dict):
        return None
    chosen = said.get("models")
    if isinstance(chosen, list) and model not in chosen:
        return None
    missing = [key for key in _NEEDED if not isinstance(said.get(key), str) or not said[key]]
    unknown = [key for key in said if key not in _KNOWN]
    if missing or unknown:
        wrong = f"lacks {', '.join(missing)}" if missing else f"has no {', '.join(unknown)}"
        raise BadArguments(
            f"training in steward.yaml {wrong}; it has {', '.join(_KNOWN)}.",
            f"steward.yaml 的 training 有误（{', '.join(missing or unknown)}）；可用：{', '.join(_KNOWN)}。",
        )
    platform = fleet.platforms.get(str(said["platform"]), {})
    if platform.get("kind") != "kubernetes":
        raise BadArguments(
            f"training.platform in steward.yaml is {said['platform']!r}; name a platform of kind"
            " kubernetes.",
            f"steward.yaml 的 training.platform 为 {said['platform']!r}；应为 kubernetes 类型的平台。",
        )
    _refuse_absent(Path(str(said["folder"])))
    more: dict[str, Any] = {k: str(said[k]) for k in _TEXTS if said.get(k) is not None}
    more |= {k: int(cast("int", said[k])) for k in _NUMBERS if said.get(k) is not None}
    return Place(
        **{key: str(said[key]) for key in _NEEDED},
        access={k: platform[k] for k in _ACCESS if k in platform},
        **more,
    )


def _refuse_absent(folder: Path) -> None:
    if not folder.is_absolute() or not folder.is_dir():
        raise BadArguments(
            f"training.folder in steward.yaml is {folder}, which is no folder here; mount the"
            " claim's storage there.",
            f"steward.yaml 的 training.folder 为 {folder}，本机没有这个目录；请将存储挂载到该处。",
        )


def place_in(spec: Mapping[str, Any]) -> Place | None:
    """The cluster that a job's spec names."""
    said = spec.get("cluster")
    return Place(**cast("dict[str, Any]", said)) if isinstance(said, dict) else None

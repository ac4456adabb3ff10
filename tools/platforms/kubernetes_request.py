"""Addresses, kinds of requests and answers of an API server."""

from __future__ import annotations

import gc
import json
from collections.abc import Sequence
from dataclasses import dataclass

from tools.platforms.kubernetes_objects import Obj

PAGE = 500


METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"


JSON_PATCH = "application/json-patch+json"


MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Reply:
    """An object with the warnings the server attached."""

    object: Obj
    warnings: tuple[str, ...] = ()


def parsed(data: bytes) -> Obj:
    """JSON without the cyclic collector, which would walk a large page over and over."""
    if len(data) < 100_000 or not gc.isenabled():
        return json.loads(data)
    gc.disable()
    try:
        return json.loads(data)
    finally:
        gc.enable()


def api_path(group_version: str, namespace: str | None, plural: str, *rest: str) -> str:
    """``/apis/apps/v1/namespaces/ml/deployments/digits``; ``v1`` is the core group."""
    root = "/api/v1" if group_version == "v1" else f"/apis/{group_version}"
    middle: Sequence[str] = ("namespaces", namespace) if namespace else ()
    return "/".join((root, *middle, plural, *rest))

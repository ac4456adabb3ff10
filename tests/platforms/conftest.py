from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platforms.api_double import ApiDouble
from tools.platforms.kubernetes import Kubernetes
from tools.platforms.kubernetes_api import Api
from tools.platforms.kubernetes_connection import Access


@pytest.fixture
def cluster() -> Iterator[ApiDouble]:
    with ApiDouble(speed=50) as double:
        yield double


@pytest.fixture
def kube(cluster: ApiDouble, tmp_path: Path) -> Kubernetes:
    access = Access("kube", str(cluster.kubeconfig(tmp_path)), timeout=5)
    return Kubernetes("kube", Api(access), ["ml"])

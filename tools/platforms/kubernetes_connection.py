"""Connecting to an API server: the only file that knows the SDK."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tools.errors import BadArguments

MANAGER = "steward"
"""The field manager of everything Steward writes."""


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a cluster."""

    where: str
    """The platform's name, for sentences."""
    kubeconfig: str | None = None
    context: str | None = None
    in_cluster: bool = False
    timeout: float = 10.0
    """Seconds to wait for bytes of an answer; connecting gets a third of it."""


def connect(access: Access) -> Any:
    """The SDK's client of a cluster; raises ``BadArguments`` for an unusable kubeconfig."""
    from kubernetes import client, config
    from urllib3 import Retry

    load: Any = config
    settings: Any = client.Configuration()
    try:
        if access.in_cluster:
            load.load_incluster_config(client_configuration=settings)
        else:
            load.load_kube_config(access.kubeconfig, access.context, settings, persist_config=False)
    except (load.ConfigException, OSError, TypeError, KeyError) as error:
        raise BadArguments(
            f"The kubeconfig of {access.where} cannot be used: {error}; set kubeconfig and context"
            " in steward.yaml, or in_cluster: true.",
            f"{access.where} 的 kubeconfig 不可用：{error}；请在 steward.yaml 中设置 kubeconfig 与 context。",
        ) from error
    settings.retries = Retry(0, redirect=0)
    settings.connection_pool_maxsize = 8
    connected: Any = client.ApiClient(settings)
    connected.user_agent = MANAGER
    return connected


def why(error: Exception) -> str:
    """What happened to a connection, in a few words."""
    said = str(getattr(error, "reason", None) or error)
    for sign, word in (
        ("timed out", "timed out"),
        ("refused", "connection refused"),
        ("resolve", "its name cannot be resolved"),
        ("certificate", "its certificate is not trusted"),
        ("reset", "connection reset"),
        ("IncompleteRead", "the connection broke off"),
        ("Remote end closed", "the connection broke off"),
    ):
        if sign in said:
            return word
    return type(error).__name__

"""What an API server's refusal means, in one sentence that names the thing and the remedy.

The server answers errors with a ``Status`` object (reason, message, details, code); the meaning is
in the code *and* the message: a 403 may be a missing rule, a quota or a policy.
"""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

from tools.errors import BadArguments, Refused, ToolError, Unavailable
from tools.platforms.kubernetes_objects import many


class Missing(BadArguments):
    """404: the object is not there."""


class Conflict(Refused):
    """409, or a failed ``test`` of a JSON patch: somebody changed the object in between."""


class Exists(Refused):
    """409 AlreadyExists."""


class Forbidden(Refused):
    """403 of the authorizer: a rule is missing."""


class Gone(Unavailable):
    """410: the resource version or the continue token is too old."""


class Throttled(Unavailable):
    """429: too many requests, or a disruption budget that allows no eviction now."""

    def __init__(self, en: str, zh: str, after: float, budget: bool) -> None:
        super().__init__(en, zh)
        self.after = after
        self.budget = budget
        """Whether a disruption budget said no (and not the server's own flow control)."""


class Denied(Unavailable):
    """401: the credentials are not accepted (any more)."""

    passes: ClassVar[bool] = False


class Broken(Unavailable):
    """No usable answer: unreachable, cut off, too slow, or 5xx. A write may have happened."""


_RBAC = re.compile(
    r'cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)"| at the cluster scope)?'
)
_USER = re.compile(r'User "([^"]+)"')


def status_body(body: bytes) -> dict[str, Any]:
    """The ``Status`` object of an error answer; a made one where the body is something else."""
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return value  # pyright: ignore[reportUnknownVariableType]
    return {"message": body[:200].decode("utf-8", "replace").strip()}


def translate(where: str, code: int, body: bytes, after: float = 1.0) -> ToolError:
    """The error for an answer of the API server of platform ``where``."""
    status = status_body(body)
    said = " ".join(str(status.get("message") or status.get("reason") or f"HTTP {code}").split())
    if code == 401:
        return _denied(where)
    if code == 403:
        return _forbidden(where, said)
    if code == 404:
        return Missing(f"{where}: {said}.", f"{where}：{said}。")
    if code == 409:
        kind = Exists if status.get("reason") == "AlreadyExists" else Conflict
        return kind(f"{where}: {said}", f"{where}：对象已被更改：{said}")
    if code == 410:
        return Gone(f"{where}: the list has moved on; it is read again.")
    if code in (400, 422):
        return _invalid(where, said, status)
    if code == 429:
        return _throttled(where, said, status, after)
    return Broken(
        f"The API server of {where} answered {code}: {said[:160]}. Try again in a moment.",
        f"{where} 的 API 服务器返回 {code}：{said[:160]}。请稍后再试。",
    )


def unreachable(where: str, host: str, why: str) -> Broken:
    """The error for no answer at all."""
    return Broken(
        f"The API server of {where} at {host} does not answer ({why}); check the network, the"
        " context in the kubeconfig and the cluster.",
        f"{where} 的 API 服务器 {host} 没有响应（{why}）；请检查网络、kubeconfig 的 context 和集群。",
    )


def _denied(where: str) -> Denied:
    return Denied(
        f"The cluster {where} does not accept Steward's credentials (401): the token has expired"
        " or was revoked; renew the kubeconfig or the service account token.",
        f"集群 {where} 不接受 Steward 的凭据（401）：令牌已过期或被吊销；请更新 kubeconfig 或令牌。",
    )


def _forbidden(where: str, said: str) -> ToolError:
    rule = _RBAC.search(said)
    if rule is None:  # a quota or an admission policy, not the authorizer
        return Refused(f"{where} refuses it: {said[:300]}", f"{where} 拒绝：{said[:300]}")
    found = rule.groupdict()
    resource = found["resource"] + (f".{found['group']}" if found["group"] else "")
    scope = f"in namespace {found['namespace']}" if found["namespace"] else "cluster-wide"
    zh_scope = f"命名空间 {found['namespace']}" if found["namespace"] else "全集群"
    who = (_USER.search(said) or ["", "Steward"])[1]
    rights = "rbac-read.yaml" if found["verb"] in ("get", "list", "watch") else "rbac-change.yaml"
    return Forbidden(
        f"{where}: {who} may not {found['verb']} {resource} {scope}; an RBAC rule with verb"
        f" {found['verb']} on {resource} is missing (deploy/kubernetes/{rights} has it).",
        f"{where}：{who} 没有权限在{zh_scope}对 {resource} 执行 {found['verb']}；缺少相应的 RBAC"
        f" 规则（见 deploy/kubernetes/{rights}）。",
    )


def _invalid(where: str, said: str, status: dict[str, Any]) -> ToolError:
    # A JSON patch that does not apply is answered with "the server rejected our request due to an
    # error in our request"; which operation it was stands in the causes.
    causes = " ".join(str(c.get("message")) for c in many(status, "details", "causes"))
    rejected = "rejected our request" in said
    if "test" in causes if rejected and causes else rejected:
        return Conflict(
            f"{where}: somebody changed the object in between; look again.",
            f"{where}：对象在此期间被修改；请重新查看。",
        )
    detail = causes if rejected else said
    return Refused(f"{where} refuses it: {detail[:300]}", f"{where} 拒绝：{detail[:300]}")


def _throttled(where: str, said: str, status: dict[str, Any], after: float) -> Throttled:
    causes = many(status, "details", "causes")
    budget = any(c.get("reason") == "DisruptionBudget" for c in causes)
    detail = "; ".join(str(c.get("message")) for c in causes if c.get("message")) or said
    return Throttled(
        f"{where} says: not now: {detail[:240]}", f"{where} 暂不允许：{detail[:240]}", after, budget
    )

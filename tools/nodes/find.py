"""Which cluster a node belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from tools.errors import BadArguments, Refused, ToolError, unknown

if TYPE_CHECKING:
    from tools.contract import Plan
    from tools.platforms.base import Cluster, Node, Platform
    from tools.world import World


def is_cluster(platform: Platform) -> TypeGuard[Cluster]:
    """Whether ``platform`` has nodes."""
    return hasattr(platform, "set_schedulable") and hasattr(platform, "nodes")


def clusters(world: World) -> list[Cluster]:
    """Every platform with nodes; raises ``Refused`` when the fleet has none."""
    found = [p for p in world.platforms.all() if is_cluster(p)]
    if not found:
        raise Refused(
            "No platform of this fleet has nodes; add one of kind kubernetes under 'platforms'"
            " in steward.yaml.",
            "当前没有带节点的平台；请在 steward.yaml 的 platforms 中加入 kind: kubernetes。",
        )
    return found


def find_node(world: World, name: str) -> tuple[Cluster, Node]:
    """The cluster that has the node ``name`` (or ``platform/name``), and the node now.

    Raises ``BadArguments`` for a name that is unknown or stands for nodes of several clusters,
    and ``Unavailable`` when no cluster that answered has it and another did not answer.
    """
    wanted, _, bare = name.rpartition("/")
    hits: list[tuple[Cluster, Node]] = []
    names: list[str] = []
    silent: ToolError | None = None
    for cluster in clusters(world):
        if wanted and cluster.name != wanted:
            continue
        try:
            nodes = cluster.nodes()
        except ToolError as error:
            silent = error
            continue
        names += [n.name for n in nodes]
        hits += [(cluster, n) for n in nodes if n.name == bare]
    if len(hits) > 1:
        spelled = ", ".join(f"{c.name}/{n.name}" for c, n in hits)
        raise BadArguments(
            f"{bare} is a node of several clusters; say one of {spelled}.",
            f"有多个集群都有节点 {bare}；请写明：{spelled}。",
        )
    if hits:
        return hits[0]
    if silent is not None:
        raise silent
    raise unknown("node", name, names, "节点")


def planned(world: World, plan: Plan) -> tuple[Cluster, str]:
    """The cluster and node that ``plan`` was made for."""
    wanted = str(plan.details["platform"])
    for cluster in clusters(world):
        if cluster.name == wanted:
            return cluster, str(plan.details["node"])
    raise BadArguments(f"The platform {wanted} is no longer in steward.yaml.")

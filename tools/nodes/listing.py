"""Which machines the clusters have, and which take new work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.contract import Phrases, reading
from tools.errors import ToolError
from tools.nodes.find import clusters
from tools.platforms.base import Node

if TYPE_CHECKING:
    from tools.words import Lang
    from tools.world import World


@dataclass(frozen=True, slots=True)
class NodesFinding:
    """Nodes by cluster, and the clusters that did not answer."""

    nodes: tuple[tuple[str, Node], ...]
    silent: tuple[str, ...] = ()

    def say(self, lang: Lang) -> str:
        """Totals first, then one line for each node that is not taking work, then the rest."""
        ready = sum(n.ready for _, n in self.nodes)
        cordoned = sum(not n.schedulable for _, n in self.nodes)
        gpus = sum(n.gpus for _, n in self.nodes)
        if lang == "zh":
            head = f"共 {len(self.nodes)} 个节点，{ready} 个就绪，{cordoned} 个停止调度，{gpus} 块 GPU。"
        else:
            head = (
                f"{ready} of {len(self.nodes)} nodes are ready, {cordoned} cordoned,"
                f" {gpus} GPUs in all."
            )
        order = sorted(self.nodes, key=lambda p: (p[1].ready and p[1].schedulable, p[1].name))
        return "\n".join([head, *(_line(c, n, lang) for c, n in order[:40]), *self.silent])


def _line(cluster: str, node: Node, lang: Lang) -> str:
    zh = lang == "zh"
    state = ("就绪" if zh else "ready") if node.ready else ("未就绪" if zh else "not ready")
    if not node.schedulable:
        state += "，停止调度" if zh else ", cordoned"
    load = f"{node.pods} 个 Pod" if zh else f"{node.pods} pods"
    if node.gpus:
        load += f"，{node.gpus} 块 GPU" if zh else f", {node.gpus} GPUs"
    why = f" ({node.message})" if node.message else ""
    return f"  {cluster}/{node.name}: {state}; {load}{why}"[:100]


@reading(
    Phrases(
        en=(
            "list the nodes",
            "which nodes does the cluster have",
            "show me all nodes",
            "are all nodes ready",
            "which nodes are cordoned",
            "what is the state of the cluster nodes",
            "is any node not ready",
            "how many machines are in the cluster",
        ),
        zh=(
            "列出所有节点",
            "集群有哪些节点",
            "节点都就绪吗",
            "哪些节点停止调度了",
            "看看集群节点状态",
            "有没有节点不正常",
        ),
    )
)
def list_nodes(world: World) -> NodesFinding:
    """List the nodes of every cluster: ready or not, cordoned or not, pods and GPUs."""
    found: list[tuple[str, Node]] = []
    silent: list[str] = []
    for cluster in clusters(world):
        try:
            found += [(cluster.name, node) for node in cluster.nodes()]
        except ToolError as error:
            silent.append(str(error))
    return NodesFinding(tuple(found), tuple(silent))

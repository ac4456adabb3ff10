"""Cordon and uncordon: whether a node takes new pods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from tools.contract import (
    Act,
    Call,
    Effect,
    Happened,
    Outcome,
    Phrases,
    Plan,
    PlanWords,
    Target,
    Verdict,
    changing,
)
from tools.errors import BadArguments
from tools.nodes.find import find_node, planned
from tools.words import Node

if TYPE_CHECKING:
    from tools.world import World


@dataclass(frozen=True, slots=True)
class NodeArguments:
    """Which node."""

    node: Node


_STATES = {True: "可调度", False: "不可调度"}


class Schedulability:
    """The shared life of cordon and uncordon; a subclass says which way."""

    effect: ClassVar[Effect] = Effect.CHANGE
    wanted: ClassVar[bool]

    def plan(self, world: World, args: NodeArguments) -> Plan:
        """The node as it is, and the one line that changes."""
        cluster, node = find_node(world, args.node)
        words = ("unschedulable", "schedulable")
        if node.schedulable is self.wanted:
            raise BadArguments(
                f"Node {node.name} is already {words[self.wanted]}; there is nothing to change.",
                f"节点 {node.name} 已经是{'可调度' if self.wanted else '停止调度'}状态，无需更改。",
            )
        verb, inverse = ("Uncordon", "cordon") if self.wanted else ("Cordon", "uncordon")
        return Plan(
            target=Target("node", node.name, node.uid, node.generation),
            title=f"{verb} node {node.name} ({cluster.name})",
            diff=f"- {words[node.schedulable]}\n+ {words[self.wanted]}",
            blast_radius=f"{node.pods} pods keep running; only where new pods go changes",
            undo=f"{inverse} the node again",
            verification=f"the node says it is {words[self.wanted]}",
            deadline=timedelta(seconds=30),
            zh=PlanWords(
                f"解除节点 {node.name} 的封锁（{cluster.name}）"
                if self.wanted
                else f"封锁节点 {node.name}（{cluster.name}）",
                f"{node.pods} 个 Pod 继续运行；只影响新 Pod 的去向",
                "重新封锁该节点" if self.wanted else "解除该节点的封锁",
                f"节点显示为{_STATES[self.wanted]}",
            ),
            undo_on_failure=False,
            details={"platform": cluster.name, "node": node.name},
        )

    def apply(self, world: World, plan: Plan, act: Act) -> Outcome:
        """Set it; the node carries the action's id."""
        cluster, node = planned(world, plan)
        said = cluster.set_schedulable(node, self.wanted, act)
        way = "重新接收新 Pod" if self.wanted else "不再接收新 Pod"
        return Outcome(said, plan.details, zh=f"节点 {node} {way}。")

    def verify(self, world: World, plan: Plan, outcome: Outcome, act: Act) -> Verdict:
        """Look at the node until it says so."""
        end = world.clock.now() + plan.deadline
        while True:
            _, node = find_node(world, plan.target.name)
            word = "schedulable" if node.schedulable else "unschedulable"
            state = _STATES[node.schedulable]
            if node.schedulable is self.wanted:
                return Verdict(
                    True, f"Node {node.name} is {word}.", zh=f"节点 {node.name} {state}。"
                )
            if world.clock.now() >= end:
                return Verdict(
                    False,
                    f"Node {node.name} is still {word}.",
                    "changed by another",
                    zh=f"节点 {node.name} 仍{state}。",
                    cause_zh="被他人修改",
                )
            act.check()
            world.clock.sleep(0.5)

    def undo(self, world: World, plan: Plan, outcome: Outcome) -> Call:
        """The opposite tool on the same node."""
        tool = "cordon_node" if self.wanted else "uncordon_node"
        return Call(tool, {"node": plan.target.name})

    def happened(self, world: World, plan: Plan, action_id: str) -> Happened:
        """Does the node carry the action's id?"""
        cluster, node = planned(world, plan)
        return cluster.node_happened(node, action_id)


@changing(NodeArguments)
class CordonNode(Schedulability):
    """Cordon a node: it takes no new pods; the ones it runs stay."""

    wanted = False
    phrases: ClassVar[Phrases] = Phrases(
        en=(
            "cordon {node}",
            "cordon node {node}",
            "mark {node} unschedulable",
            "stop scheduling on {node}",
            "take {node} out of scheduling",
            "do not put new pods on {node}",
            "keep new work off {node}",
            "make {node} unschedulable",
            "no new pods on node {node} please",
        ),
        zh=(
            "封锁节点 {node}",
            "把节点 {node} 标记为不可调度",
            "停止向 {node} 调度",
            "{node} 不要再调度新的 Pod",
            "cordon 节点 {node}",
            "让 {node} 停止接收新任务",
        ),
    )


@changing(NodeArguments)
class UncordonNode(Schedulability):
    """Uncordon a node: it takes new pods again."""

    wanted = True
    phrases: ClassVar[Phrases] = Phrases(
        en=(
            "uncordon {node}",
            "uncordon node {node}",
            "mark {node} schedulable again",
            "put {node} back into scheduling",
            "let {node} take pods again",
            "allow new pods on {node}",
            "make {node} schedulable",
            "bring node {node} back into service",
            "undo the cordon of {node}",
        ),
        zh=(
            "解除节点 {node} 的封锁",
            "恢复节点 {node} 的调度",
            "把 {node} 标记为可调度",
            "让 {node} 重新接收 Pod",
            "uncordon 节点 {node}",
            "{node} 可以重新调度了",
        ),
    )

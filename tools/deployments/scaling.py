"""Changing how many replicas serve."""

from __future__ import annotations

from dataclasses import dataclass

from tools.contract import Phrases, changing
from tools.deployments.change import DeploymentChange
from tools.words import Deployment, Replicas


@dataclass(frozen=True, slots=True)
class ScaleArgs:
    """Which deployment, and how many replicas."""

    deployment: Deployment
    replicas: Replicas


@changing(ScaleArgs)
class Scale(DeploymentChange):
    """Set the number of replicas of a deployment."""

    phrases = Phrases(
        en=(
            "scale {deployment} to {replicas}",
            "scale {deployment} to {replicas} replicas",
            "run {replicas} replicas of {deployment}",
            "set {deployment} to {replicas} replicas",
            "give {deployment} {replicas} replicas",
            "scale up {deployment} to {replicas}",
            "scale {deployment} down to {replicas}",
            "change the replica count of {deployment} to {replicas}",
            "I want {replicas} copies of {deployment}",
            "resize {deployment} to {replicas}",
        ),
        zh=(
            "把 {deployment} 扩到 {replicas} 个副本",
            "{deployment} 扩容到 {replicas}",
            "{deployment} 缩容到 {replicas} 个",
            "将 {deployment} 的副本数设为 {replicas}",
            "{deployment} 改成 {replicas} 个副本",
            "让 {deployment} 跑 {replicas} 个副本",
            "把 {deployment} 伸缩到 {replicas}",
        ),
    )

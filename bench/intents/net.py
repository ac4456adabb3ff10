"""Trains the small networks that read a request, which are better together than each alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from agent.offline.features import features
from agent.offline.weights import ZERO
from bench.intents.corpus import CHANGE, SEVERAL
from bench.intents.fit import Example, Kept, positive

_NETWORKS, _WIDTH = 3, 64
"""How many, and the hidden units of each; a unit costs one byte a feature."""
_EPOCHS, _BATCH, _RATE, _DECAY = 8, 128, 4e-3, 1e-4
_FORGET, _DROP = 0.2, 0.3
"""Shares of features, and of hidden units, that one step does without."""


class Network(nn.Module):
    """A weighted sum of one vector for each feature, a rectifier, a linear layer."""

    def __init__(self, features_: int, outputs: int) -> None:
        super().__init__()
        self.rows = nn.EmbeddingBag(features_, _WIDTH, mode="sum")
        nn.init.normal_(self.rows.weight, std=0.1)
        self.bias = nn.Parameter(torch.zeros(_WIDTH))
        self.out = nn.Linear(_WIDTH, outputs)

    def forward(
        self, index: torch.Tensor, starts: torch.Tensor, weight: torch.Tensor
    ) -> torch.Tensor:
        """Log odds, (batch, outputs); the arguments are those of ``EmbeddingBag``."""
        hidden = F.relu(self.rows(index, starts, per_sample_weights=weight) + self.bias)
        return self.out(F.dropout(hidden, _DROP, self.training))


class Bags:
    """The features of many requests that are kept, as unit vectors of idf."""

    def __init__(self, examples: Sequence[Example], kept: Kept) -> None:
        at = {int(key): row for row, key in enumerate(kept.keys)}
        self._rows: list[np.ndarray] = []
        self._values: list[np.ndarray] = []
        for example in examples:
            row = np.array(sorted(at[f] for f in features(example.view) if f in at), dtype=np.int64)
            value = kept.idf[row]
            self._rows.append(row)
            self._values.append(value / (np.sqrt((value**2).sum()) or 1.0))

    def batch(
        self, numbers: Sequence[int], chance: np.random.Generator | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Index, starts and weights of some requests; with ``chance``, some features forgotten."""
        index = np.concatenate([self._rows[n] for n in numbers])
        weight = np.concatenate([self._values[n] for n in numbers])
        if chance:
            weight = weight * (chance.random(len(weight)) > _FORGET) / (1 - _FORGET)
        sizes = [len(self._rows[n]) for n in numbers]
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        return (
            torch.from_numpy(index),
            torch.from_numpy(starts),
            torch.from_numpy(weight.astype(np.float32)),
        )


@dataclass
class Trained:
    """Networks that differ only in chance, and the features that they read."""

    kept: Kept
    networks: list[Network]

    def margins(self, examples: Sequence[Example]) -> np.ndarray:
        """Log odds, the mean of all networks: (examples, labels)."""
        bags = Bags(examples, self.kept)
        numbers = [range(at, min(at + 512, len(examples))) for at in range(0, len(examples), 512)]
        with torch.no_grad():
            found = [[net(*bags.batch(n)) for n in numbers] for net in self.networks]
        return torch.stack([torch.cat(each) for each in found]).mean(0).numpy()


def train(examples: Sequence[Example], kept: Kept) -> Trained:
    """Train each network on all examples, in an order of its own."""
    bags = Bags(examples, kept)
    return Trained(kept, [_train(examples, kept, bags, seed) for seed in range(_NETWORKS)])


def _train(examples: Sequence[Example], kept: Kept, bags: Bags, seed: int) -> Network:
    """Labels compete with one another; the heads beside them stand alone."""
    torch.manual_seed(seed)
    chance = np.random.default_rng(seed)
    wanted = torch.tensor([[float(positive(name, e)) for name in kept.labels] for e in examples])
    weights = torch.tensor([e.weight for e in examples], dtype=torch.float32)
    alone = [kept.labels.index(SEVERAL), kept.labels.index(CHANGE)]
    labels = [n for n in range(len(kept.labels)) if n not in alone]
    network = Network(len(kept.keys), len(kept.labels))
    steps = len(examples) // _BATCH
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_DECAY)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=_EPOCHS * steps + 1)
    for _ in range(_EPOCHS):
        order = chance.permutation(len(examples))
        for step in range(steps):
            numbers = order[step * _BATCH : (step + 1) * _BATCH]
            odds, truth = network(*bags.batch(numbers, chance)), wanted[numbers]
            share = truth[:, labels] / truth[:, labels].sum(1, keepdim=True).clamp(min=1)
            loss = -(share * F.log_softmax(odds[:, labels], 1)).sum(1)
            loss = loss + F.binary_cross_entropy_with_logits(
                odds[:, alone], truth[:, alone], reduction="none"
            ).sum(1)
            part = weights[numbers]
            optimizer.zero_grad()
            ((loss * part).sum() / part.sum()).backward()
            optimizer.step()
            rate.step()
    return network.eval()


def packed(trained: Trained) -> tuple[dict[str, object], bytes]:
    """The networks side by side as one, for the file of weights: its head, one byte a weight."""
    kept, networks = trained.kept, trained.networks
    folded = np.concatenate([n.rows.weight.detach().numpy() for n in networks], axis=1)
    folded = folded * kept.idf[:, None]
    scale = float(np.quantile(np.abs(folded).max(axis=1), 0.999)) / 127
    rows = (np.clip(np.round(folded / scale), -127, 127) + ZERO).astype(np.uint8)
    bias = np.concatenate([n.bias.detach().numpy() for n in networks])
    out = np.concatenate([n.out.weight.detach().numpy() for n in networks], axis=1) / len(networks)
    tops = np.mean([n.out.bias.detach().numpy() for n in networks], axis=0)
    return {
        "scale": scale,
        "bias": [round(float(b), 4) for b in bias],
        "out": [[round(float(w), 4) for w in row] for row in out.T],
        "tops": [round(float(b), 4) for b in tops],
    }, rows.tobytes()

"""A text classifier: which subject is a message to the on-call team about?

The messages are generated, so the example needs no download: phrases of six subjects, fillers,
and distractors such as "the disk is fine but" that name a subject the message is *not* about; one
in fifty labels is wrong on purpose. The network is a small transformer encoder. Inputs are int64
word numbers of shape (n, length), padded with 0; 1 stands for an unknown word.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

labels = ("gpu", "disk", "network", "deployment", "data", "access")
defaults = {
    "epochs": 8,
    "lr": 0.002,
    "batch_size": 64,
    "seed": 0,
    "patience": 4,
    "threads": 1,
    "width": 64,
    "layers": 2,
    "heads": 4,
    "length": 32,
    "train_samples": 3000,
    "test_samples": 2000,
    "unlabelled_samples": 600,
    "kd_alpha": 0.7,
    "kd_temperature": 2.0,
}
search = {"lr": [0.0003, 0.01], "batch_size": [32, 64, 128], "width": [32, 64, 96]}
# A small network stands a higher rate than a wide one, and has to see the messages more often.
student = {"width": 32, "layers": 1, "lr": 0.003, "epochs": 20}

PHRASES = {
    "gpu": (
        "fell off the bus",
        "reports double bit errors",
        "runs out of memory on the card",
        "shows an xid in the kernel log",
        "is throttled by heat",
        "has a hung kernel",
        "lost its nvlink",
        "computes nan on one card",
    ),
    "disk": (
        "has no space left",
        "is mounted read only",
        "cannot write the checkpoint",
        "has slow reads from the volume",
        "fails with input output errors",
        "is out of inodes",
        "keeps old logs that fill the partition",
        "lost a raid member",
    ),
    "network": (
        "times out on connect",
        "drops packets between racks",
        "cannot resolve the name",
        "resets connections",
        "has a collective that never returns",
        "sees high latency",
        "is unreachable from the other zone",
        "has a certificate that expired",
    ),
    "deployment": (
        "is in a crash loop",
        "cannot pull the image",
        "fails its readiness probe",
        "is stuck at half of the rollout",
        "serves the old version",
        "is missing a replica",
        "was rolled back twice",
        "ignores the new configuration",
    ),
    "data": (
        "has columns that are empty",
        "was fed yesterday twice",
        "contains labels out of range",
        "has a schema that changed",
        "misses the last partition",
        "drifted since monday",
        "is full of duplicates",
        "arrives two hours late",
    ),
    "access": (
        "denies the service account",
        "refuses the token",
        "asks for a password again",
        "is forbidden for the team",
        "lost its role binding",
        "rejects the new key",
        "cannot read the secret",
        "locked the user out",
    ),
}
NAMES = {
    "gpu": ("the card", "node seven", "the accelerator", "worker three", "the a100"),
    "disk": ("the volume", "node seven", "the scratch space", "the bucket", "the checkpoint store"),
    "network": ("the gateway", "worker three", "the proxy", "the switch", "the endpoint"),
    "deployment": ("the classifier", "the service", "the canary", "the endpoint", "version nine"),
    "data": ("the training set", "the table", "the feature store", "the feed", "the bucket"),
    "access": ("the registry", "the service", "the notebook", "the bucket", "the login"),
}
FILLERS = (
    "please help",
    "since this morning",
    "again",
    "for the second time today",
    "on call please",
    "after the upgrade",
    "it looks like",
    "we think",
    "urgent",
    "not sure why",
    "can you check",
    "before the demo",
    "in production",
    "in staging",
    "the team noticed",
)


def _phrase(rng: np.random.Generator, subject: str) -> str:
    names, phrases = NAMES[subject], PHRASES[subject]
    return f"{names[rng.integers(len(names))]} {phrases[rng.integers(len(phrases))]}"


def _message(rng: np.random.Generator, subject: int) -> str:
    parts = [_phrase(rng, labels[subject])]
    for _ in range(rng.integers(0, 3)):
        place = rng.integers(0, len(parts) + 1)
        parts.insert(place, FILLERS[rng.integers(len(FILLERS))])
    if rng.random() < 0.6:
        other = labels[(subject + rng.integers(1, len(labels))) % len(labels)]
        if rng.random() < 0.5:
            parts.insert(0, f"nobody says {_phrase(rng, other)} but")
        else:
            parts.append(f"and no {_phrase(rng, other)}")
    words = " ".join(parts).split()
    return " ".join(word for word in words if rng.random() > 0.08)


def messages(split: str, params: dict[str, Any]) -> tuple[list[str], np.ndarray]:
    """Texts and subjects of a split; the same for ever."""
    seed = {"train": 1, "validation": 2, "test": 3, "unlabelled": 4}[split]
    rng = np.random.default_rng(seed)
    subjects = rng.integers(0, len(labels), int(params.get(f"{split}_samples", 600)))
    texts = [_message(rng, int(subject)) for subject in subjects]
    wrong = rng.random(len(subjects)) < 0.02
    return texts, np.where(wrong, rng.integers(0, len(labels), len(subjects)), subjects)


def vocabulary() -> list[str]:
    """Every word of the phrases, in a fixed order; the first two entries are reserved."""
    said = [*FILLERS, "nobody says but and no"]
    said += [text for group in (PHRASES, NAMES) for texts in group.values() for text in texts]
    return ["<pad>", "<unknown>", *sorted({word for text in said for word in text.split()})]


def encode(text: str, params: dict[str, Any]) -> np.ndarray:
    """A text as one row of inputs."""
    known = {word: number for number, word in enumerate(vocabulary())}
    words = re.findall(r"\w+", text.lower())[: int(params["length"])]
    row = np.zeros(int(params["length"]), dtype=np.int64)
    row[: len(words)] = [known.get(word, 1) for word in words]
    return row


def tokens(row: np.ndarray) -> list[str]:
    """The words of one row, without the padding."""
    words = vocabulary()
    return [words[number] for number in row if number]


def data(split: str, params: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Word numbers and subjects; an unknown split is a ``KeyError``."""
    texts, subjects = messages(split, params)
    known = {word: number for number, word in enumerate(vocabulary())}
    length = int(params["length"])
    rows = np.zeros((len(texts), length), dtype=np.int64)
    for row, text in zip(rows, texts, strict=True):
        words = text.split()[:length]
        row[: len(words)] = [known.get(word, 1) for word in words]
    return rows, subjects.astype(np.int64)


class Attention(nn.Module):
    """Self-attention whose head size follows its own weights, so that it can be pruned."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width)
        self.k = nn.Linear(width, width)
        self.v = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x: torch.Tensor, blank: torch.Tensor) -> torch.Tensor:
        """Shape (n, t, width); ``blank`` is 0, or very negative at padding, (n, 1, 1, t)."""
        n, t = x.shape[0], x.shape[1]
        size = self.q.out_features // self.heads
        q, k, v = (
            layer(x).view(n, t, self.heads, size).transpose(1, 2)
            for layer in (self.q, self.k, self.v)
        )
        weights = (q @ k.transpose(-2, -1) * size**-0.5 + blank).softmax(-1)
        return self.out((weights @ v).transpose(1, 2).reshape(n, t, self.heads * size))


class Layer(nn.Module):
    """Pre-normalised attention and feed-forward block."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor, blank: torch.Tensor) -> torch.Tensor:
        """Shape (n, t, width) to the same."""
        x = x + self.attention(self.attention_norm(x), blank)
        return x + self.down(functional.relu(self.up(self.norm(x))))


class Classifier(nn.Module):
    """Embeddings, encoder layers, the mean over words, one linear layer."""

    def __init__(self, width: int, layers: int, heads: int, length: int) -> None:
        super().__init__()
        self.words = nn.Embedding(len(vocabulary()), width)
        self.places = nn.Embedding(length, width)
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, len(labels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Word numbers (n, t) to logits (n, 6)."""
        return self.classify(self.embed(x), x)

    def embed(self, x: torch.Tensor) -> torch.Tensor:
        """Word numbers (n, t) to vectors (n, t, width)."""
        return self.words(x) + self.places(torch.arange(x.shape[1], device=x.device))

    def classify(self, vectors: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Vectors (n, t, width) to logits; padding of ``x`` is not attended to."""
        there = (x > 0).to(vectors.dtype)
        blank = ((1 - there) * -1e4)[:, None, None, :]
        for layer in self.layers:
            vectors = layer(vectors, blank)
        total = (self.norm(vectors) * there[:, :, None]).sum(1)
        return self.head(total / there.sum(1, keepdim=True).clamp(min=1))


def build(params: dict[str, Any]) -> nn.Module:
    """The untrained network."""
    return Classifier(
        int(params["width"]), int(params["layers"]), int(params["heads"]), int(params["length"])
    )


def pruning(model: nn.Module) -> dict[str, Any]:
    """Everything may shrink, the residual stream too; heads keep their number and lose size."""
    return {
        "heads": {
            m: layer.attention.heads
            for layer in model.layers  # type: ignore[union-attr]
            for m in (layer.attention.q, layer.attention.k, layer.attention.v)
        },
    }

"""Writes the file of the package: the networks, and what else was learnt from the corpus."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

import numpy as np

from agent.offline import cues, declared, weights
from bench.intents import corpus, net


def dumps(trained: net.Trained, learnt: Mapping[str, object]) -> bytes:
    """All of it, as :func:`agent.offline.weights.loads` reads it."""
    kept, known = trained.kept, corpus.labels()
    network, rows = net.packed(trained)
    head = {
        "labels": kept.labels,
        **learnt,
        "net": network,
        "cues": cues.collect(known),
        "declared": {item.name: declared.digest(item) for item in known},
        "corpus": corpus.digest(),
    }
    idf = np.round(kept.idf * weights.IDF_STEPS).astype(np.uint8)
    return weights.dumps(head, array("I", kept.keys.tolist()), idf.tobytes(), rows)

"""Trains the intent model and writes the weights; ``--held-out`` tests authors nobody learnt from.

``--whole`` scores the whole planner, arguments and questions included, on authors left out.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agent.offline import weights
from bench.intents import corpus, fit, framed, joined, net, packing, phrases, views, whole
from bench.intents.corpus import CHANGE, PHRASES, SEVERAL

_JOINED = 3500
"""Messages put together from two."""
_WRITTEN = 0.5
"""Weight of a view of a request that somebody wrote."""
_PREFACED = 1200
"""Remarks with a request."""
_FRAMED = 3000
"""Deeds that are not asked for."""


def main() -> int:
    """Train, or only test."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--held-out", nargs="*", help="authors to test on, all by default")
    options.add_argument("--whole", nargs="+", help="authors to leave out and score")
    options.add_argument("--verbose", action="store_true", help="show what was misread")
    options.add_argument("--without", nargs="*", default=[], help="authors to leave out")
    options.add_argument("--out", default=str(weights.PATH))
    chosen = options.parse_args()
    start = time.perf_counter()
    samples = [*corpus.samples(), *phrases.phrases()]
    left_out = {*chosen.without, *(chosen.whole or ())}
    samples = [s for s in samples if s.by not in left_out]
    words = views.vocabulary(samples)
    samples += [
        *joined.joined(samples, _JOINED),
        *joined.prefaced(samples, _PREFACED),
        *framed.framed(samples, _FRAMED),
    ]
    examples = views.examples(samples, views.lexicon(words))
    print(f"{len(samples)} requests, {len(examples)} views, {time.perf_counter() - start:.0f} s")
    by = fit.groups(examples)
    tested = chosen.held_out if chosen.held_out is not None else []
    tested = tested or ([a for a in by if a != PHRASES] if chosen.held_out is not None else [])
    for author in tested:
        _test(examples, by[author], author, chosen.verbose)
    if chosen.held_out is not None:
        return 0
    trained = net.train(examples, fit.keep(examples))
    data = packing.dumps(trained, {"vocabulary": words, "worded": views.worded(samples)})
    if chosen.whole:
        whole.report(data, chosen.whole, chosen.verbose)
        return 0
    Path(chosen.out).write_bytes(data)
    print(
        f"{len(trained.kept.labels)} labels, {len(trained.kept.keys)} features, "
        f"{len(data) / 1e6:.2f} MB, "
        f"{time.perf_counter() - start:.0f} s"
    )
    return 0


def _split(examples: Sequence[fit.Example], out: Sequence[int]) -> list[fit.Example]:
    held = set(out)
    return [e for n, e in enumerate(examples) if n not in held]


def _test(examples: Sequence[fit.Example], out: Sequence[int], author: str, verbose: bool) -> None:
    learnt = _split(examples, out)
    trained = net.train(learnt, fit.keep(learnt))
    keep = [n for n, label in enumerate(trained.kept.labels) if label not in (SEVERAL, CHANGE)]
    names = [trained.kept.labels[n] for n in keep]
    whole = [examples[n] for n in out if examples[n].weight >= _WRITTEN]
    tested = [e for e in whole if len(e.labels) == 1 and e.labels[0] in names]
    guessed = [names[n] for n in trained.margins(tested)[:, keep].argmax(axis=1)]
    right = [_same(e.labels[0], g) for e, g in zip(tested, guessed, strict=True)]
    print(f"{author:<8} {sum(right):>5} of {len(right):>5}  {np.mean(right):6.1%}", flush=True)
    if verbose:
        _wrong(tested, guessed, right)


def _wrong(tested: Sequence[fit.Example], guessed: Sequence[str], right: Sequence[bool]) -> None:
    pairs = [(e, g) for e, g, ok in zip(tested, guessed, right, strict=True) if not ok]
    for example, guess in pairs:
        print(f"    {example.labels[0]:<20} {guess:<20} {example.view.text}")


def _same(meant: str, guessed: str) -> bool:
    quiet = meant.startswith("@") and guessed.startswith("@")
    return meant == guessed or (quiet and "@conditional" not in (meant, guessed))


if __name__ == "__main__":
    sys.exit(main())

"""Anomaly detection and root ranking, measured.

    python bench/anomalies.py --nab DIR [--python PYTHON]

``DIR`` is a checkout of numenta/NAB (data, labels, scorer; not part of this project). Scores are
computed twice: by a sweep over its labels here, and, with ``--python`` naming an interpreter that
has pandas, by NAB's own ``run.py``. Without ``--nab`` only the generated service graphs are run.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.alerts.detectors.novelty import NoveltyDetector
from tools.alerts.topology import Symptom, rank_roots

NAME = "steward"


def warm_up(count: int) -> int:
    """NAB's probationary period: 15 % of a file, at most 750 points."""
    return int(min(math.floor(0.15 * count), 750))


def score_files(nab: Path, results: Path, *, known_range: bool) -> float:
    """Write one result file per data file, as NAB wants them; returns points per second."""
    spent, points = 0.0, 0
    for file in sorted((nab / "data").glob("*/*.csv")):
        with file.open() as handle:
            rows = list(csv.DictReader(handle))
        values = [float(row["value"]) for row in rows]
        begun = time.perf_counter()
        low, high = (min(values), max(values)) if known_range else (None, None)
        detector = NoveltyDetector(warm_up(len(values)), low=low, high=high)
        scores = [detector.update(value) for value in values]
        spent += time.perf_counter() - begun
        points += len(values)
        relative = f"{file.parent.name}/{file.name}"
        windows = json.loads((nab / "labels" / "combined_windows.json").read_text())[relative]
        folder = results / NAME / file.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{NAME}_{file.name}").open("w", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(["timestamp", "value", "anomaly_score", "label"])
            for row, score in zip(rows, scores, strict=True):
                inside = any(a[:19] <= row["timestamp"] <= b[:19] for a, b in windows)
                writer.writerow([row["timestamp"], row["value"], score, int(inside)])
    return points / spent


def nab_score(nab: Path, python: str, *, known_range: bool) -> tuple[dict[str, float], float]:
    """Run NAB's own optimise, score and normalise steps on a scratch copy."""
    scratch = Path(tempfile.mkdtemp(prefix="nab-"))
    for part in ("nab", "labels", "config", "data"):
        shutil.copytree(nab / part, scratch / part)
    shutil.copy(nab / "run.py", scratch / "run.py")
    rate = score_files(nab, scratch / "results", known_range=known_range)
    thresholds = scratch / "config" / "thresholds.json"
    held = json.loads(thresholds.read_text())
    shutil.copytree(nab / "results" / "null", scratch / "results" / "null")
    thresholds.write_text(json.dumps({"null": held["null"]}))
    command = [python, "run.py", "-d", NAME, "--optimize", "--score", "--normalize",
               "--skipConfirmation"]  # fmt: skip
    done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
    final = scratch / "results" / "final_results.json"
    if not final.exists():
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    return json.loads(final.read_text())[NAME], rate


def service_graph(
    rng: random.Random, size: int
) -> tuple[dict[str, list[str]], str, dict[str, Symptom]]:
    """A layered shop of ``size`` services with one fault that spreads upwards, losing strength."""
    names = [f"s{i}" for i in range(size)]
    calls: dict[str, list[str]] = {
        name: rng.sample(names[i + 1 :], k=min(len(names) - i - 1, rng.randint(1, 3)))
        for i, name in enumerate(names)
    }
    culprit = rng.choice(names[size // 4 :])
    symptoms = {n: Symptom(abs(rng.gauss(0, 1.0))) for n in names}
    strength = {culprit: rng.uniform(6, 20)}
    for name in reversed(names):
        hit = [strength[b] for b in calls[name] if b in strength]
        if hit and name != culprit:
            strength[name] = max(hit) * rng.uniform(0.7, 1.3)
    for name, value in strength.items():
        symptoms[name] = Symptom(value if rng.random() > 0.08 or name == culprit else 1.0)
    return calls, culprit, symptoms


def graphs(count: int = 500, size: int = 40, seed: int = 3) -> dict[str, float]:
    """Top-1 and top-3 hits with explain-away, and for the largest symptom alone."""
    rng = random.Random(seed)
    hits = {"explain-away top-1": 0, "explain-away top-3": 0, "largest symptom top-1": 0}
    for _ in range(count):
        calls, culprit, symptoms = service_graph(rng, size)
        ranked = [root.name for root in rank_roots(calls, symptoms)]
        hits["explain-away top-1"] += ranked[:1] == [culprit]
        hits["explain-away top-3"] += culprit in ranked[:3]
        hits["largest symptom top-1"] += max(symptoms, key=lambda n: symptoms[n].score) == culprit
    return {name: hit / count for name, hit in hits.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nab", type=Path)
    parser.add_argument("--python", default=sys.executable)
    chosen = parser.parse_args()
    if chosen.nab:
        for known in (False, True):
            final, rate = nab_score(chosen.nab.resolve(), chosen.python, known_range=known)
            told = "range given (as NAB offers)" if known else "range learnt from the first 15 %"
            print(f"NAB, {told}: {json.dumps(final)}  {rate:,.0f} points/s")
    for name, share in graphs().items():
        print(f"service graphs, {name}: {share:.1%}")


if __name__ == "__main__":
    main()

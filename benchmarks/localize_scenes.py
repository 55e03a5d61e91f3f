"""Toy scenes: how well a network points that saw tags alone, end to end, by the rule that pools its map.

    python benchmarks/localize_scenes.py --out OUT [--train 800] [--test 200] [--only max average]
        [--seeds 3] [--set KEY=VALUE]

Trains by the recipe ``localize-toy`` (``sayso train localize``), once for each rule and seed, and measures
on other scenes what ``sayso evaluate weak-localization`` does; of small things, at most a fifth of the
picture's side, the pointing alone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import sayso
from sayso.evaluation import evaluate
from sayso.toyworld.scenes import write_scenes

RECIPE = Path(__file__).parents[1] / "src" / "sayso" / "recipes" / "localize_toy.toml"
COLUMNS = ("classification", "pointing", "pointing, small", "CorLoc", "MaxBoxAccV2", "pixel AP")


def train(data: Path, run: Path, changes: list[str], threads: int) -> None:
    """Train a localiser by the command."""
    command = ["train", "localize", str(data), "--out", str(run), "--recipe", str(RECIPE), "--device", "cpu"]
    command += [part for change in changes for part in ("--set", change)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    subprocess.run(
        [sys.executable, "-m", "sayso", *command], check=True, env=environment, stdout=subprocess.DEVNULL
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="a folder for scenes and runs")
    parser.add_argument("--train", type=int, default=800)
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="+", default=["max", "average"], help="rules: max, average, lse")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    if not (asked.out / "scenes").exists():
        write_scenes(asked.out / "scenes", train=asked.train, test=asked.test, size=256)
    print(f"| pooling | {' | '.join(COLUMNS)} | trained, s |\n| --- |{' --: |' * (len(COLUMNS) + 1)}")
    for how in asked.only:
        runs = []
        for seed in range(asked.seeds):
            run, began = asked.out / f"{how}-{seed}", time.perf_counter()
            changes = [*asked.changes, f"pooling={how}", f"seed={seed}"]
            train(asked.out / "scenes" / "train", run, changes, asked.threads)
            took = time.perf_counter() - began
            model = sayso.load(str(run), device="cpu")
            found = evaluate("weak-localization", model, asked.out / "scenes" / "test")
            runs.append([*(found.rows["mean"][column] for column in COLUMNS), took])
            print(f"{how}, seed {seed}: " + " ".join(f"{value:.3f}" for value in runs[-1]), file=sys.stderr)
        means, spreads = np.mean(runs, 0), np.std(runs, 0, ddof=asked.seeds > 1)
        row = [f"{mean:.3f} ± {spread:.3f}" for mean, spread in zip(means[:-1], spreads[:-1], strict=True)]
        print(f"| {how} | {' | '.join(row)} | {means[-1]:.0f} |", flush=True)


if __name__ == "__main__":
    main()

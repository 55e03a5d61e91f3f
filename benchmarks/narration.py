"""What bags and hard negatives are worth when narration is misaligned: the toy world, several seeds.

    python benchmarks/narration.py --out runs/narration            # everything, about two hours on 2 cores
    python benchmarks/narration.py --out runs/narration --seeds 1 --only mil-nce nce

Draws a corpus whose narration is off by seconds and half about nothing visible, trains each
variant with ``sayso train mil-nce`` (recipes/toy.toml) for the same number of steps, and measures
retrieval among clips of pairs (verb, object) that training never shows or names. A run that
is finished is not repeated, one that was cut off is resumed. Chance is what an order at random scores.

The weights of the last step are measured, not the best of several checkpoints.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

RECIPE = Path(__file__).parent.parent / "recipes" / "toy.toml"
VARIANTS = {
    "mil-nce": ["candidates=5"],
    "nce": ["candidates=1"],
    "margin": ["loss=max_margin", "per_video=4", "intra=0.5"],
    "margin-across": ["loss=max_margin", "per_video=4", "intra=0"],
}
TITLES = {
    "mil-nce": "MIL-NCE, 5 lines a bag",
    "nce": "NCE, the nearest line",
    "margin": "max margin, negatives within and across videos",
    "margin-across": "max margin, negatives across videos only",
}


def sayso(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sayso", *arguments, "--progress", "off"]


def train(out: Path, variant: str, seed: int, steps: int) -> dict[str, float]:
    """Train, unless that is done, and return what the last step scores."""
    run, test = out / f"{variant}-{seed}", out / "toy" / "test" / "manifest.csv"
    last = run / f"step_{steps:08}" / "data.json"
    if not last.exists():
        flags = [f"--set={change}" for change in (*VARIANTS[variant], f"seed={seed}", f"steps={steps}")]
        resume = ["--resume"] if list(run.glob("step_*")) else []
        begun = ["train", "mil-nce", str(out / "toy" / "train"), "--out", str(run), "--test", str(test)]
        subprocess.run(
            sayso(*begun, "--recipe", str(RECIPE), *flags, *resume),
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
        )
    scores: dict[str, float] = json.loads(last.read_text(encoding="utf-8"))["scores"]
    seconds = [json.loads(line)["time"] for line in (run / "log.jsonl").read_text().splitlines()]
    print(f"{variant} seed {seed}: {scores}, {seconds[-1] - seconds[0]:.0f} s", file=sys.stderr)
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the corpus and the runs")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--videos", type=int, default=1600)
    parser.add_argument("--lag", type=float, default=3.0, help="spread of when a step is named, seconds")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, each on one core")
    parser.add_argument("--only", nargs="*", choices=list(VARIANTS), default=list(VARIANTS))
    asked = parser.parse_args()
    if not (asked.out / "toy" / "truth.json").exists():
        world = ["toyworld", str(asked.out / "toy"), "--videos", str(asked.videos), "--lag", str(asked.lag)]
        subprocess.run(sayso(*world), check=True)
    clips = len((asked.out / "toy" / "test" / "manifest.csv").read_text().splitlines()) - 1
    runs = [(variant, seed) for seed in range(asked.seeds) for variant in asked.only]
    with ThreadPoolExecutor(asked.jobs) as pool:
        scores = dict(zip(runs, pool.map(lambda run: train(asked.out, *run, asked.steps), runs), strict=True))
    print(f"{clips} held-out clips, {asked.steps} steps, {asked.seeds} seeds: mean ± standard deviation\n")
    print("| training | R@1 | R@5 | R@10 | median rank |\n| --- | --- | --- | --- | --- |")
    print(f"| chance | {1 / clips:.3f} | {5 / clips:.3f} | {10 / clips:.3f} | {(clips + 1) / 2:.1f} |")
    for variant in asked.only:
        row = [TITLES[variant]]
        for name in ("R@1", "R@5", "R@10", "median_rank"):
            values = np.array([scores[variant, seed][name] for seed in range(asked.seeds)])
            digits = 1 if name == "median_rank" else 3
            row.append(f"{values.mean():.{digits}f} ± {values.std(ddof=asked.seeds > 1):.{digits}f}")
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()

"""What bags and hard negatives are worth: two claims of the lecture on the toy world, several seeds.

    python benchmarks/narration.py --out runs/narration --only margin margin-across   # 15 minutes, 2 cores
    python benchmarks/narration.py --out runs/narration                               # all, over an hour

mil-nce, nce: narration is off by seconds and half of it about nothing visible; pixels to embedding
with ``sayso train mil-nce`` (src/sayso/recipes/mil_nce_toy.toml).

margin, margin-across: narration is nearly right, and all videos of a task are filmed in one place, so
that the place alone tells what words to expect; ``sayso train howto100m`` on what the offline encoder
sees each second.

Measured is retrieval among clips of pairs (verb, object) that training never shows or names, in
places that it never shows. A run that is finished is not repeated, one that was cut off is resumed.
The weights of the last step are measured, not the best of several checkpoints.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RECIPE = Path(__file__).parent.parent / "src" / "sayso" / "recipes" / "mil_nce_toy.toml"
WORLDS = {
    "late": ["--videos=1600", "--size=48", "--fps=5", "--lag=2"],
    "places": ["--videos=800", "--lag=0.5", "--chatter=0.3", "--places=task"],
}
PIXELS = ["mil-nce", f"--recipe={RECIPE}"]
FEATURES = [
    "howto100m",
    *(f"--set={change}" for change in ("dim=256", "lr=3e-4", "per_video=4", "steps=600", "save_every=600")),
]


@dataclass(frozen=True)
class Variant:
    """What to train on which world, and what to call it."""

    title: str
    world: str
    how: list[str]
    change: str


VARIANTS = {
    "mil-nce": Variant("MIL-NCE, 5 lines a bag", "late", PIXELS, "bag_size=5"),
    "nce": Variant("NCE, the nearest line", "late", PIXELS, "bag_size=1"),
    "margin": Variant("max margin, negatives within and across videos", "places", FEATURES, "intra=0.5"),
    "margin-across": Variant("max margin, negatives across videos only", "places", FEATURES, "intra=0"),
}


def sayso(*arguments: str) -> None:
    command = [sys.executable, "-m", "sayso", *arguments, "--progress", "off"]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL)


def prepare(out: Path, world: str) -> None:
    """Draw a world, and see it as the offline encoder does if features are learned from."""
    if not (out / world / "truth.json").exists():
        sayso("toyworld", f"--out={out / world}", *WORLDS[world])
    if world == "places":
        from sayso.encoders import load_encoder
        from sayso.engine.features import extract_features

        files = {path.stem: str(path) for path in sorted((out / world / "train").glob("*.mp4"))}
        extract_features(files, load_encoder("offline"), out / "features")


def train(out: Path, name: str, seed: int) -> dict[str, float]:
    """Train, unless that is done, and return what the last step scores."""
    variant, run = VARIANTS[name], out / f"{name}-{seed}"
    world = out / variant.world
    if not (run / "done").exists():
        run.mkdir(exist_ok=True)
        if variant.how is FEATURES and not (run / "features").exists():
            (run / "features").symlink_to((out / "features").resolve())
        resume = ["--resume"] if list(run.glob("step_*")) else []
        begun = [
            variant.how[0],
            str(world / "train"),
            f"--out={run}",
            f"--test={world / 'test' / 'manifest.csv'}",
        ]
        sayso("train", *begun, *variant.how[1:], f"--set={variant.change}", f"--set=seed={seed}", *resume)
        (run / "done").touch()
    last = max(run.glob("step_*")) / "data.json"
    scores: dict[str, float] = json.loads(last.read_text(encoding="utf-8"))["scores"]
    seconds = [json.loads(line)["time"] for line in (run / "log.jsonl").read_text().splitlines()]
    print(f"{name} seed {seed}: {scores}, {seconds[-1] - seconds[0]:.0f} s", file=sys.stderr)
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the worlds and the runs")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, each on one core")
    parser.add_argument("--only", nargs="*", choices=list(VARIANTS), default=list(VARIANTS))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for world in dict.fromkeys(VARIANTS[name].world for name in asked.only):
        prepare(asked.out, world)
    runs = [(name, seed) for seed in range(asked.seeds) for name in asked.only]
    with ThreadPoolExecutor(asked.jobs) as pool:
        scores = dict(zip(runs, pool.map(lambda run: train(asked.out, *run), runs), strict=True))
    columns = ("R@1", "R@5", "R@10", "median_rank")
    print(f"240 held-out clips, {asked.seeds} seeds: mean ± standard deviation\n")
    print("| training | R@1 | R@5 | R@10 | median rank |\n| --- | --- | --- | --- | --- |")
    print(f"| chance | {1 / 240:.3f} | {5 / 240:.3f} | {10 / 240:.3f} | {241 / 2} |")
    for name in asked.only:
        row = [VARIANTS[name].title]
        for column in columns:
            values = np.array([scores[name, seed][column] for seed in range(asked.seeds)])
            digits = 1 if column == "median_rank" else 3
            row.append(f"{values.mean():.{digits}f} ± {values.std(ddof=asked.seeds > 1):.{digits}f}")
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()

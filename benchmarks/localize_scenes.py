"""Toy scenes: how well a network points that saw tags alone, end to end, by the rule that pools places.

    python benchmarks/localize_scenes.py --out OUT [--train 800] [--test 200] [--only max average]
        [--seeds 3] [--set KEY=VALUE]

Trains by the recipe ``localize_toy``, once for each rule and seed, and measures on other scenes: mean average
precision of naming and of pointing (18 pixels of 256), and of pointing at classes whose things in the
picture are all small, at most a fifth of its side; there larger things are left out.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import torch

import sayso
from sayso.core.config import read_recipe, with_flags
from sayso.core.progress import reporter
from sayso.data.tags import Box, read_boxes, read_tagged
from sayso.metrics.localization import classification, pointing
from sayso.models.score_map_head import Pooling
from sayso.systems import localize
from sayso.toyworld.scenes import write_scenes

RECIPE = Path(__file__).parents[1] / "src" / "sayso" / "recipes" / "localize_toy.toml"
SIDE, SMALL = 256, 0.2


def small_only(labels: np.ndarray, boxes: tuple[tuple[Box, ...], ...]) -> np.ndarray:
    """Return labels (N, K) that leave out what a picture shows larger than ``SMALL``."""
    kept = labels.copy()
    for n, row in enumerate(boxes):
        for box in row:
            if max(box.x1 - box.x0, box.y1 - box.y0) > SMALL * SIDE:
                kept[n, box.label] = 0
    return kept


def measured(model: localize.Localizer, data: Path) -> list[float]:
    """Return the mean average precisions: naming, pointing, pointing at small things."""
    tagged = read_tagged(data)
    found = [located for located in model.locate([p.path for p in tagged.pictures]) if located is not None]
    boxes, labels = read_boxes(data, tagged), np.array([p.labels for p in tagged.pictures])
    columns = [model.names.index(name) for name in tagged.names]
    S, P = np.stack([f.scores for f in found])[:, columns], np.stack([f.points for f in found])[:, columns]
    small = pointing(S, P, small_only(labels, boxes), boxes)
    return [float(np.nanmean(ap)) for ap in (classification(S, labels), pointing(S, P, labels, boxes), small)]


def trained(data: Path, recipe: localize.Recipe, run: Path) -> localize.Localizer:
    """Train, and return the model that was saved."""
    with reporter("training", unit="steps", mode="auto") as bar:
        done = sayso.train("localize", data, run, recipe=recipe, device="cpu", progress=bar)
        return localize.load(done.folder, device="cpu")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="a folder for scenes and runs")
    parser.add_argument("--train", type=int, default=800)
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=get_args(Pooling), default=["max", "average"])
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    recipe = with_flags(read_recipe(localize.Recipe(), RECIPE), asked.changes)
    if not (asked.out / "scenes").exists():
        write_scenes(asked.out / "scenes", train=asked.train, test=asked.test, size=SIDE)
    print("| pooling | naming mAP | pointing mAP | small things | trained, s | of one core, s |")
    print("| --- | --: | --: | --: | --: | --: |", flush=True)
    for how in asked.only:
        runs = []
        for seed in range(asked.seeds):
            own, began, busy = (
                replace(recipe, pooling=how, seed=seed),
                time.perf_counter(),
                time.process_time(),
            )
            model = trained(asked.out / "scenes" / "train", own, asked.out / f"{how}-{seed}")
            took = [time.perf_counter() - began, time.process_time() - busy]
            runs.append([*measured(model, asked.out / "scenes" / "test"), *took])
            print(f"{how}, seed {seed}: " + " ".join(f"{value:.3f}" for value in runs[-1]), file=sys.stderr)
        means, spreads = np.mean(runs, 0), np.std(runs, 0, ddof=asked.seeds > 1)
        row = [f"{mean:.3f} ± {spread:.3f}" for mean, spread in zip(means[:3], spreads[:3], strict=True)]
        print(f"| {how} | {' | '.join(row)} | {means[3]:.0f} | {means[4]:.0f} |", flush=True)


if __name__ == "__main__":
    main()

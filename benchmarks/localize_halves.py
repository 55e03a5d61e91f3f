"""Pointing from tags alone on two sets of COCO pictures, learned from one, measured on the other, and back.

    python benchmarks/localize_halves.py ONE OTHER --out OUT [--seeds 5] [--least 10] [--only max average]
        [--set KEY=VALUE]

ONE and OTHER are in COCO's format. Classes are those that at least ``--least`` pictures of the set that is
learned from show; its boxes are not in the file that the training reads. Each rule of ``localize_coco.py`` is
trained with each seed, on features made once; all heads then look at each picture together. Beside the rules
stand the mean map of a rule's seeds, which is one model; the point of the average with the score of max; and
the middle of the picture with the score of the average. In brackets: 95 % of bootstrap samples of the
pictures measured on, seeds kept together, for the pointing and for what it has more than the average (CAM).
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from localize_coco import RULES, common, parsed, write_part
from numpy.typing import NDArray
from whole_runs import run, whole

import sayso
from sayso.core.progress import Progress
from sayso.data.tags import TaggedPictures
from sayso.data.tags_reader import read_boxes, read_tagged
from sayso.evaluation.localizer_answers import class_columns
from sayso.media.images import read_image
from sayso.metrics.average_precision import average_precision
from sayso.metrics.localization import pointed
from sayso.models.score_map_head import pool
from sayso.systems.localize.locate import Localizer, MultiScale, points, standardized_mean
from sayso.systems.localize.train import SYSTEM, Localize, Recipe

DRAWS = 1000
CAM = "average"
Array = NDArray[Any]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Direction:
    """What all rules say of the N pictures of one set, having learned from the other.

    Attributes:
        labels: (N, C) +1 there, -1 not, 0 left out.
        scores: rule -> (S, N, C), of S seeds.
        right: rule -> (S, N, C) whether the point is.
    """

    labels: Array
    scores: dict[str, Array]
    right: dict[str, Array]

    def mean(self, what: str, rule: str, sample: Array) -> Array:
        """Return the mean average precision over classes, (S,), of naming or pointing, in some pictures."""
        labels, scores = self.labels[sample], self.scores[rule][:, sample]
        found = np.broadcast_to(labels == 1, scores.shape)
        right = self.right[rule][:, sample] if what == "pointing" else found
        kept, positives = labels != 0, (labels == 1).sum(0).tolist()
        values = [
            average_precision(s[kept[:, k], k], r[kept[:, k], k], positives=positives[k], rule="area")
            for s, r in zip(scores, right, strict=True)
            for k in range(labels.shape[1])
        ]
        means: Array = np.nanmean(np.reshape(values, (len(scores), -1)), axis=1)
        return means


class SharedFeatures(type(SYSTEM)):  # type: ignore[misc]
    """The system, with the features of all runs in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def build(self, recipe: Recipe, data: TaggedPictures, folder: Path, progress: Progress) -> Localize:  # noqa: ARG002
        """Return the method."""
        return super().build(recipe, data, self.folder, progress)


class Heads(torch.nn.Module):
    """Heads whose maps stand one after the other."""

    def __init__(self, heads: list[torch.nn.Module]) -> None:
        super().__init__()
        self.heads = torch.nn.ModuleList(heads)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the score maps of all heads."""
        return torch.cat([head(features) for head in self.heads], 1)


def trained(data: Path, out: Path, rules: list[str], seeds: int, changes: list[str]) -> list[list[Localizer]]:
    """Train each rule with each seed to its last step; what is done is taken, and the rest goes on."""
    system = SharedFeatures(out / "features")
    found = []
    for rule in rules:
        found.append([])
        for seed in range(seeds):
            folder = out / f"{rule.replace(' ', '-')}-{seed}"
            given = parsed([*changes, *RULES[rule]])
            begun = folder.exists()
            whole(sayso.train(system, data, folder, resume=begun, device="cpu", seed=seed, **given))
            log.warning("%s is trained", folder)
            found[-1].append(sayso.load(str(folder), device="cpu"))
    return found


def looked(models: list[list[Localizer]], rules: list[str], data: Path) -> Direction:
    """Let all heads look at each picture of a set; its boxes are read when they have.

    Args:
        models: of each rule one a seed.
        rules: their names.
        data: pictures with boxes.
    """
    tagged, first = read_tagged(data), models[0][0]
    heads = Heads([model.head for row in models for model in row])
    names = [f"{number} {name}" for number in range(len(heads.heads)) for name in first.names]
    mirrored = replace(first.multi_scale, mirror=any(row[0].multi_scale.mirror for row in models))
    joint = Localizer(first.backbone, heads, names, mirrored)  # type: ignore[arg-type]
    columns = class_columns(first, tagged.names)
    scores: dict[str, list[Array]] = {}
    places: dict[str, list[Array]] = {}
    for picture in tagged.pictures:
        image = read_image(picture.path)
        with torch.inference_mode():
            maps = joint.scale_maps(image).unflatten(1, (len(rules), -1, len(first.names)))[:, :, :, columns]
            for scales, rule, row in zip(maps.unbind(1), rules, models, strict=True):
                looks = row[0].multi_scale
                own = join(scales, looks)
                for name, some in ((rule, own), (f"{rule}, mean map", own.mean(0, keepdim=True))):
                    found = pool(some, looks.pooling, None, looks.sharpness)
                    scores.setdefault(name, []).append(found.numpy())
                    where = points(some.flatten(0, 1), image.size)
                    places.setdefault(name, []).append(where.reshape(*found.shape, 2))
    boxes = read_boxes(data, tagged, split=None, task="objects")
    labels = np.array([picture.labels for picture in tagged.pictures])
    right = {
        name: np.stack([pointed(of, labels, boxes)[0] for of in np.stack(rows, 1)])
        for name, rows in places.items()
    }
    said = {name: np.stack(rows, 1) for name, rows in scores.items()}
    middles = [np.tile(np.array(read_image(one.path).size) / 2, (len(columns), 1)) for one in tagged.pictures]
    said["the middle"] = said[CAM]
    right["the middle"] = np.broadcast_to(pointed(np.stack(middles), labels, boxes)[0], said[CAM].shape)
    if "max" in rules:
        said["point of average, score of max"], right["point of average, score of max"] = (
            said["max"],
            right[CAM],
        )
    return Direction(labels, said, right)


def join(maps: torch.Tensor, looks: MultiScale) -> torch.Tensor:
    """Return the maps (S, C, h, w) of S seeds from all scales, plain and mirrored, (V, S, C, h, w)."""
    some = maps if looks.mirror else maps[: len(looks.scales)]
    if not looks.standardize:
        return some.mean(0)
    return standardized_mean(some.flatten(1, 2)).unflatten(0, some.shape[1:3])


def drawn(directions: list[Direction], rules: list[str]) -> Array:
    """Return the mean pointing (DRAWS, R) of R rules in bootstrap samples of the pictures."""
    rng = np.random.default_rng(0)
    values = []
    for _ in range(DRAWS):
        samples = [rng.integers(len(one.labels), size=len(one.labels)) for one in directions]
        pairs = list(zip(directions, samples, strict=True))
        values.append([np.mean([one.mean("pointing", rule, s).mean() for one, s in pairs]) for rule in rules])
    return np.array(values)


def table(directions: list[Direction], titles: list[str]) -> list[str]:
    """Return the lines of the table."""
    rules = list(directions[0].scores)
    draws = drawn(directions, rules)
    columns = [f"{title}: {what}" for title in titles for what in ("naming", "pointing")]
    head = ["rule", *columns, "pointing, both", "of seeds ±", "more than average (CAM)"]
    lines = [f"| {' | '.join(head)} |", f"| --- |{' --: |' * (len(head) - 1)}"]
    every = [np.arange(len(one.labels)) for one in directions]
    pointing = {
        rule: np.mean([one.mean("pointing", rule, a) for one, a in zip(directions, every, strict=True)], 0)
        for rule in rules
    }
    for k, rule in enumerate(rules):
        cells = [
            f"{one.mean(what, rule, a).mean():.3f}"
            for one, a in zip(directions, every, strict=True)
            for what in ("naming", "pointing")
        ]
        gain = pointing[rule].mean() - pointing[CAM].mean()
        low, high = np.percentile(draws[:, k], [2.5, 97.5])
        less, more = np.percentile(draws[:, k] - draws[:, rules.index(CAM)], [2.5, 97.5])
        cells += [f"{pointing[rule].mean():.3f} [{low:.3f}, {high:.3f}]", f"{pointing[rule].std():.3f}"]
        lines.append(f"| {' | '.join([rule, *cells, f'{gain:+.3f} [{less:+.3f}, {more:+.3f}]'])} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs=2, metavar="FOLDER")
    parser.add_argument("--out", type=Path, required=True, help="a folder for sets and runs")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--least", type=int, default=10)
    parser.add_argument("--only", nargs="+", choices=list(RULES), default=list(RULES))
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    rules = [CAM, *(rule for rule in asked.only if rule != CAM)]
    contents = [json.loads((one / "instances.json").read_text(encoding="utf-8")) for one in asked.folders]
    directions, titles = [], []
    for number in range(2):
        out = asked.out / f"from{number}"
        kept = common(contents[number], asked.least)
        for which, name in ((number, "train"), (1 - number, "test")):
            content = {**contents[which], "categories": kept}
            write_part(out / name, asked.folders[which], content, name == "test")
        models = trained(out / "train", out, rules, asked.seeds, asked.changes)
        directions.append(looked(models, rules, out / "test"))
        titles.append(" -> ".join(asked.folders[which].name for which in (number, 1 - number)))
    print("\n".join(table(directions, titles)))


if __name__ == "__main__":
    run(main)

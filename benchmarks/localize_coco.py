"""Pointing from tags alone on COCO pictures, k-fold: which rule should pool the places of a picture?

    python benchmarks/localize_coco.py FOLDER [--folds 4] [--least 10] [--backbone lite0] [--set KEY=VALUE]
        [--overlays OUT]

FOLDER is in COCO's format. Classes that fewer than ``--least`` pictures show are left out. Heads learn from
the tags of the other folds, on features of the frozen backbone, as ``sayso train localize`` does; all boxes
are read after all heads have answered. "Alone" is the rule as published; otherwise the recipe's share
of the loss asks the average as well. Every number is the mean over classes and folds. "Always the
centre" points there with the scores of the head above it. CAM's rules point at the middle of the largest
region above a fraction of the average-pooled map's range; the best fraction is chosen by the very
numbers that are reported, which favours them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sayso.core.config import with_flags
from sayso.core.progress import Silent
from sayso.data.batch import Example
from sayso.data.tags import TaggedPicture, TaggedPictures, read_boxes, read_tagged
from sayso.engine.train import Trainer
from sayso.media.images import read_image
from sayso.metrics.localization import classification, pointing
from sayso.metrics.regions import regions
from sayso.metrics.score_maps import unit
from sayso.models.score_map_head import MapHead, pool
from sayso.systems import localize
from sayso.systems.localize.locate import Located, points
from sayso.systems.localize.train import SYSTEM
from sayso.systems.localize.views import CellFeatures

CUTS = (0.2, 0.4, 0.6, 0.8)
RULES: dict[str, dict[str, Any]] = {
    "max": {"pooling": "max"},
    "max alone": {"pooling": "max", "gap_weight": 0.0},
    "average": {"pooling": "average"},
    "lse": {"pooling": "lse"},
    "lse alone": {"pooling": "lse", "gap_weight": 0.0},
}
Answers = dict[str, tuple[list[Any], list[Any]]]  # of each rule: scores (N, K), points (N, K, 2)


class Part:
    """Some of the pictures whose features were made."""

    group = 1

    def __init__(self, features: CellFeatures, numbers: Sequence[int]) -> None:
        self.features, self.numbers = features, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def name(self, item: int) -> str:
        """Return a picture's path."""
        return self.features.name(self.numbers[item])

    def sample(self, item: int, rng: np.random.Generator) -> list[Example]:
        """Return the features of one view."""
        return self.features.sample(self.numbers[item], rng)


class Side(torch.nn.Module):
    """Several heads side by side."""

    def __init__(self, heads: Sequence[MapHead]) -> None:
        super().__init__()
        self.heads = torch.nn.ModuleList(heads)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return their maps (B, heads x K, h, w)."""
        return torch.cat([head(features) for head in self.heads], 1)


def frequent(tagged: TaggedPictures, least: int) -> TaggedPictures:
    """Return pictures with the classes alone that at least so many of them show."""
    counts = (np.array([p.labels for p in tagged.pictures]) == 1).sum(0)
    kept = [k for k, count in enumerate(counts) if count >= least]
    pictures = tuple(TaggedPicture(p.path, tuple(p.labels[k] for k in kept), p.id) for p in tagged.pictures)
    return TaggedPictures(tuple(tagged.names[k] for k in kept), pictures)


def learned(method: localize.Localize, part: Part, recipe: localize.Recipe, folder: Path) -> MapHead:
    """Return a head that learned from a part, which is all it knows of how often classes are there."""
    labels = torch.tensor([part.features.pictures[n].labels for n in part.numbers])
    torch.manual_seed(recipe.seed)
    head = MapHead(method.backbone.dim, len(method.names), recipe.hidden, recipe.dropout)
    head.expect(((labels == 1).sum(0) + 1) / ((labels != 0).sum(0) + 2))
    method.model.head, method.dataset = head, part
    return localize.load(Trainer(method, recipe, folder, device="cpu").train().folder, device="cpu").head


def answer(answers: Answers, maps: torch.Tensor, recipe: localize.Recipe, size: tuple[int, int]) -> None:
    """Write down what all rules say of a picture, from the maps (heads x K, h, w) of its heads."""
    for how, own in zip(RULES, maps.chunk(len(RULES)), strict=True):
        scores = pool(own[None], RULES[how]["pooling"], None, recipe.sharpness)[0].numpy()
        told = {how: points(own, size), f"{how}, the centre": np.tile(np.array(size) / 2, (len(own), 1))}
        if how == "average":
            told |= {f"CAM's region above {cut}": middles(own.numpy(), cut, size) for cut in CUTS}
        for rule, where in told.items():
            rows = answers.setdefault(rule, ([], []))
            rows[0].append(scores)
            rows[1].append(where)


def middles(maps: np.ndarray, cut: float, size: tuple[int, int]) -> np.ndarray:
    """Return the middle of the largest region of each map (K, h, w) above a fraction of its range."""
    found = []
    for scores in maps:
        _, edges = regions(unit(scores) >= cut)
        sides = edges[:, 2:] - edges[:, :2]
        x0, y0, x1, y1 = edges[sides.prod(1).argmax()]
        found.append(((x0 + x1) / 2 * size[0] / scores.shape[1], (y0 + y1) / 2 * size[1] / scores.shape[0]))
    return np.array(found)


def draw(folder: Path, model: localize.Localizer, picture: TaggedPicture, maps: torch.Tensor) -> None:
    """Write what each head sees of the tags of a picture."""
    from sayso.export import overlay_png

    folder.mkdir(parents=True, exist_ok=True)
    image, K = read_image(picture.path), len(model.names)
    for how, own in zip(RULES, maps.chunk(len(RULES)), strict=True):
        found = Located(image.size, own.flatten(1).amax(1).numpy(), points(own, image.size), own.numpy())
        for k in (k for k in range(K) if picture.labels[k] == 1):
            boxes = [(box.x0, box.y0, box.x1, box.y1) for box in found.boxes(k)[:1]]
            point = float(found.points[k][0]), float(found.points[k][1])
            drawn = overlay_png(image, unit(found.maps[k]), point, boxes, f"{model.names[k]}, {how}")
            (folder / f"{picture.path.stem}.{model.names[k]}.{how}.png").write_bytes(drawn)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--least", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--overlays", type=Path, help="of the first pictures of each fold")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    began = time.perf_counter()
    recipe = with_flags(localize.Recipe(), asked.changes)
    everything = read_tagged(asked.folder)
    tagged = frequent(everything, asked.least)
    N, K = len(tagged.pictures), len(tagged.names)
    order = np.random.default_rng(recipe.seed).permutation(N)
    folds = [sorted(fold.tolist()) for fold in np.array_split(order, asked.folds)]
    answers: list[Answers] = [{} for _ in folds]
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        features = SYSTEM.build(recipe, tagged, work, Silent()).dataset
        print(f"{N} pictures, {K} classes; features made in {time.perf_counter() - began:.0f} s", flush=True)
        for n, fold in enumerate(folds):
            part = Part(features, [i for i in range(N) if i not in fold])
            heads = []
            for how, options in RULES.items():
                own = replace(recipe, **options)
                method = SYSTEM.build(own, tagged, work, Silent())
                heads.append(learned(method, part, own, work / f"{how}{n}"))
            model = method.export(method.model)
            model.head = Side(heads).eval()
            model.names = tuple(f"{how} {name}" for how in RULES for name in tagged.names)
            print(f"fold {n}: heads learned at {time.perf_counter() - began:.0f} s", flush=True)
            for i in fold:
                image = read_image(tagged.pictures[i].path)
                with torch.inference_mode():
                    maps = model.maps(image)
                answer(answers[n], maps, recipe, image.size)
                if asked.overlays and i in fold[:4]:
                    named = method.export(method.model)
                    draw(asked.overlays, named, tagged.pictures[i], maps)
    boxes = read_boxes(asked.folder, everything)
    tell(answers, folds, tagged, everything, boxes)
    print(f"\n{time.perf_counter() - began:.0f} s in all")


def tell(answers: list[Answers], folds: list[list[int]], tagged: Any, everything: Any, boxes: Any) -> None:
    """Print the means over folds, and of each class."""
    number = {everything.names.index(name): k for k, name in enumerate(tagged.names)}
    known = [[replace(b, label=number[b.label]) for b in row if b.label in number] for row in boxes]
    labels = np.array([picture.labels for picture in tagged.pictures])
    classes: dict[str, Any] = {}
    print("\n| rule | classification mAP | pointing mAP |\n| --- | --: | --: |")
    for rule in answers[0]:
        parts = []
        for fold, told in zip(folds, answers, strict=True):
            S, P = (np.stack(rows) for rows in told[rule])
            here = labels[fold], [known[i] for i in fold]
            parts.append((classification(S, here[0]), pointing(S, P, *here)))
        classes[rule] = np.nanmean(parts, axis=0)
        means = np.nanmean(parts, axis=2).mean(0)
        print(f"| {rule} | {means[0]:.3f} | {means[1]:.3f} |")
    rules = [*RULES, "max, the centre"]
    print(f"\n| pointing AP | pictures | {' | '.join(rules)} |\n| --- | --: |{' --: |' * len(rules)}")
    for k, name in enumerate(tagged.names):
        row = " | ".join(f"{classes[rule][1][k]:.3f}" for rule in rules)
        print(f"| {name} | {(labels[:, k] == 1).sum()} | {row} |")


if __name__ == "__main__":
    main()

"""Pointing from tags alone on COCO pictures, k-fold: which rule should pool the score map of a picture?

    python benchmarks/localize_coco.py FOLDER --out OUT [--folds 4] [--least 10] [--only max average]
        [--set KEY=VALUE]

FOLDER is in COCO's format. Classes that fewer than ``--least`` pictures show are left out. For each rule and
fold ``sayso train localize`` learns from the tags of the other folds (from files that hold no box), and
``sayso evaluate weak-localization`` measures on the fold. "Alone" is the rule as published; otherwise the
recipe's share of the loss asks the average as well; "names" start from the names of the tags; "few" is the
recipe localize-few, "names unmirrored" is it without mirrored pictures, "names lse" has only its score, and
"average joined" scores pictures as it does. Every number is the mean over classes and folds.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from whole_runs import run, whole

import sayso
from sayso.evaluation import EvaluationResult, evaluate

JOINED = ["score_pooling=lse", "sharpness=0.5", "standardize=true", "mirror=true"]
NAMES = ["pooling=average", "optimizer=sgd", "start=names"]
RULES = {
    "max": ["pooling=max"],
    "max alone": ["pooling=max", "gap_weight=0.0"],
    "average": ["pooling=average"],
    "lse": ["pooling=lse"],
    "lse alone": ["pooling=lse", "gap_weight=0.0"],
    "average joined": ["pooling=average", *JOINED],
    "names": NAMES,
    "names lse": [*NAMES, "score_pooling=lse", "sharpness=0.5"],
    "names unmirrored": [*NAMES, *JOINED, "mirror=false"],
    "few": [*NAMES, *JOINED],
}
COLUMNS = ("classification", "pointing", "CorLoc", "MaxBoxAccV2", "pixel AP")


def write_folds(folder: Path, out: Path, folds: int, least: int) -> list[Path]:
    """Write ``train``, without boxes, and ``test``, with them, of each fold; rare classes are left out."""
    content = json.loads((folder / "instances.json").read_text(encoding="utf-8"))
    kept = common(content, least)
    order = np.random.default_rng(0).permutation(len(content["images"]))
    places = []
    for number, part in enumerate(np.array_split(order, folds)):
        inside = {content["images"][i]["id"] for i in part.tolist()}
        places.append(out / f"fold{number}")
        for name in ("train", "test"):
            images = [image for image in content["images"] if (image["id"] in inside) == (name == "test")]
            write_part(
                places[-1] / name, folder, {**content, "images": images, "categories": kept}, name == "test"
            )
    return places


def common(content: dict[str, Any], least: int) -> list[dict[str, Any]]:
    """Return the categories that at least so many pictures show."""
    pairs = {(a["category_id"], a["image_id"]) for a in content["annotations"] if not crowd(a)}
    shown = Counter(category for category, _ in pairs)
    return [category for category in content["categories"] if shown[category["id"]] >= least]


def write_part(place: Path, folder: Path, content: dict[str, Any], boxes: bool) -> None:
    """Write the pictures and categories of ``content``, in COCO's format, with boxes or without any."""
    place.mkdir(parents=True, exist_ok=True)
    if not (place / "images").exists():
        (place / "images").symlink_to((folder / "images").resolve())
    images, known = ({one["id"] for one in content[key]} for key in ("images", "categories"))
    things = [a for a in content["annotations"] if a["image_id"] in images and a["category_id"] in known]
    if not boxes:
        things = [{key: value for key, value in a.items() if key != "bbox"} for a in things]
    text = json.dumps({**{key: content[key] for key in ("images", "categories")}, "annotations": things})
    (place / "instances.json").write_text(text, encoding="utf-8")


def crowd(annotation: dict[str, Any]) -> bool:
    """Return whether an annotation is of a crowd, which says nothing."""
    return bool(annotation.get("iscrowd"))


def measured(place: Path, rule: str, changes: list[str]) -> EvaluationResult:
    """Train on a fold by a rule to the last step, unless that is done, and measure."""
    folder, given = place / rule.replace(" ", "-"), parsed([*changes, *RULES[rule]])
    whole(sayso.train("localize", place / "train", folder, resume=folder.exists(), device="cpu", **given))
    return evaluate("weak-localization", sayso.load(str(folder), device="cpu"), place / "test")


def parsed(changes: list[str]) -> dict[str, Any]:
    """Return options of ``KEY=VALUE`` each; a value is a text unless it is one of JSON's."""
    return {key: _value(text) for key, _, text in (change.partition("=") for change in changes)}


def _value(text: str) -> Any:
    try:
        made = json.loads(text)
    except ValueError:
        return text
    return tuple(made) if isinstance(made, list) else made


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="a folder for folds and runs")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--least", type=int, default=10)
    parser.add_argument("--only", nargs="+", choices=list(RULES), default=list(RULES))
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    places = write_folds(asked.folder, asked.out, asked.folds, asked.least)
    print(
        f"| rule | {' | '.join(COLUMNS)} | pointing at the middle |\n| --- |{' --: |' * (len(COLUMNS) + 1)}"
    )
    classes: dict[str, dict[str, list[float]]] = {}
    for rule in asked.only:
        results = [measured(place, rule, asked.changes) for place in places]
        means = [np.mean([result.rows["mean"][column] for result in results]) for column in COLUMNS]
        middle = np.mean([result.published[0]["pointing"] for result in results])
        print(f"| {rule} | {' | '.join(f'{mean:.3f}' for mean in [*means, middle])} |", flush=True)
        for result in results:
            for name, row in result.rows.items():
                if row["pointing"] is not None:
                    classes.setdefault(name, {}).setdefault(rule, []).append(row["pointing"])
    print(f"\n| pointing AP | {' | '.join(asked.only)} |\n| --- |{' --: |' * len(asked.only)}")
    for name, rules in classes.items():
        print(f"| {name} | {' | '.join(f'{np.mean(rules[rule]):.3f}' for rule in asked.only)} |")


if __name__ == "__main__":
    run(main)

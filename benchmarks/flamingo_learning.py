"""What Flamingo or LLaVA learns on a real language model: emoji of two artists and stamps, names held out.

    python benchmarks/flamingo_learning.py --emoji DIR [DIR ...] --stamps DIR --coco captions.json --out OUT
        [--system flamingo] [--seeds 3] [--steps 300] [--pictures 4000] [--items 40] [--episodes 0]
        [--dialogues 0] [--set KEY=VALUE ...] [--only SEED]

DIR of ``--emoji`` is an npm package ``emoji-datasource-<artist>``, unpacked: ``emoji.json`` and
``img/<artist>/64``; of ``--stamps`` the folder of Debian's tuxpaint-stamps-default. A fifth of the names is
held out, of all artists: a part to test on, a part (``val``) by which the best step is kept. Trained with
the recipe of that name; measured with ``caption-choice`` on the names held out, and on COCO captions, which
nothing was trained on. With ``--episodes N`` pages of invented names are trained on too, and
``few-shot-naming`` is measured on N episodes of classes held out. With ``--dialogues N`` LLaVA goes on to
its second stage, N updates on dialogues and episodes, the language model still frozen; measured is what comes
of it, ``few-shot-naming`` on ``--episodes``. Printed are means over seeds, the spread. A seed that
is done is kept in OUT, and one that was interrupted goes on; ``--only`` makes one, beside others.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from whole_runs import run, whole

import sayso
from sayso.core.progress import Silent
from sayso.data.episodes import Episodes
from sayso.data.interleaved import IMAGE
from sayso.data.picture_pairs import read_picture_pairs
from sayso.evaluation.caption_choice import measure_choice
from sayso.evaluation.few_shot_naming import measure_episodes

SIDE, SHOTS, SPEAKERS = 384, 2, ("human", "gpt")
Rows = dict[str, dict[str, Any]]


def emoji(folder: Path) -> list[dict[str, str]]:
    artist = folder.name.removeprefix("emoji-datasource-").partition("-")[0]
    table = next(folder.rglob("emoji.json"))
    pictures = next(path for path in folder.rglob("64") if path.parent.name == artist)
    rows = []
    for one in json.loads(table.read_text(encoding="utf-8")):
        path = pictures / one["image"]
        if path.exists() and one["category"] not in ("Component", "Flags"):
            text = re.sub(r"\s+", " ", (one["name"] or one["short_name"]).lower())
            kinds = {"kind": artist, "class": one["subcategory"]}
            rows.append({"path": str(path.resolve()), "text": text, "key": one["unified"], **kinds})
    return rows


def stamps(folder: Path) -> list[dict[str, str]]:
    rows = []
    for beside in sorted(folder.rglob("*.txt")):
        first = beside.read_text(encoding="utf-8", errors="replace").splitlines()[:1]
        picture = beside.with_suffix(".png")
        if picture.exists() and first and first[0].strip() and "=" not in first[0]:
            text = first[0].strip().rstrip(".").lower()
            rows.append(
                {"path": str(picture.resolve()), "text": text, "key": text, "kind": "stamp", "class": ""}
            )
    return rows


def split(rows: list[dict[str, str]], out: Path, pictures: int) -> dict[str, Path]:
    """Write manifests by held-out names, and by held-out classes for episodes; return them by name."""
    keys = sorted({row["key"] for row in rows})
    random.Random(1).shuffle(keys)
    test, val = set(keys[: len(keys) * 3 // 20]), set(keys[len(keys) * 3 // 20 : len(keys) // 5])
    classes = sorted({row["class"] for row in rows if row["class"]})
    random.Random(2).shuffle(classes)
    held = set(classes[: len(classes) // 4])
    train = [row for row in rows if row["key"] not in test | val]
    random.Random(3).shuffle(train)
    parts = {"train": train[:pictures], "val": [row for row in rows if row["key"] in val]}
    for kind in sorted({row["kind"] for row in rows}):
        parts[kind] = [row for row in rows if row["key"] in test and row["kind"] == kind]
    taught = {row["path"] for row in parts["train"]}
    named = [{**row, "text": row["class"]} for row in rows if row["class"]]
    parts["classes"] = [row for row in named if row["class"] not in held and row["path"] in taught]
    parts["classes_held"] = [row for row in named if row["class"] in held]
    found = {}
    for name, part in parts.items():
        found[name] = out / f"{name}.jsonl"
        lines = (json.dumps({key: row[key] for key in ("path", "text")}) + "\n" for row in part)
        found[name].write_text("".join(lines), encoding="utf-8")
        print(f"{name}: {len(part)} pictures")
    return found


def items(path: Path, most: int) -> tuple[list[np.ndarray], list[str]]:
    pairs = read_picture_pairs(path)
    first: dict[str, int] = {}
    for number in np.random.default_rng(0).permutation(len(pairs)):
        first.setdefault(pairs.captions(int(number))[0], int(number))
    chosen = list(first.values())[:most]
    pictures = [np.asarray(pairs.read(number, SIDE).convert("RGB")) for number in chosen]
    return pictures, [pairs.captions(number)[0] for number in chosen]


def one_seed(seed: int, sets: dict[str, Path], options: argparse.Namespace) -> Rows:
    done = options.out / f"seed{seed}.json"
    if done.exists():
        return dict(json.loads(done.read_text(encoding="utf-8")))
    more = {"seed": seed, "steps": options.steps, "features": str((options.out / "tower").resolve())}
    if options.episodes and options.system == "flamingo":
        more |= {"episodes": str(sets["classes"]), "shares": (24, 8), "weights": (1.0, 1.0)}
    if not options.no_val:
        more |= {"test": sets["val"]}
    more |= tomllib.loads("\n".join(options.set))
    folder = trained(options.system, sets["train"], options.out / f"seed{seed}", more)
    if options.dialogues:
        second = {"seed": seed, "steps": options.dialogues, "features": more["features"], "init": str(folder)}
        data = dialogues(sets, options.out / "dialogues.jsonl")
        folder = trained("llava", data, options.out / f"seed{seed}-dialogues", second | {"batch_size": 8})
    rows = measured(folder, sets, options, options.out / f"seed{seed}-part.json")
    done.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return rows


def trained(system: str, data: Path, folder: Path, options: dict[str, Any]) -> Path:
    began = time.perf_counter()
    whole(sayso.train(system, data, folder, recipe=system, resume=folder.exists(), **options))
    print(f"{folder.name}: trained in {(time.perf_counter() - began) / 60:.1f} minutes", flush=True)
    return folder


def measured(folder: Path, sets: dict[str, Path], options: argparse.Namespace, part: Path) -> Rows:
    """Measure on each set; what is measured is kept, so that one that is interrupted goes on."""
    model = sayso.load(str(folder), device="cpu")
    rows: Rows = json.loads(part.read_text(encoding="utf-8")) if part.exists() else {}
    taught = ("train", "val", "classes", "classes_held")
    kinds = {name: path for name, path in {**sets, "coco": options.coco}.items() if name not in taught}
    for name, path in kinds.items():
        if path is not None and f"{name}, pictures" not in rows:
            found = measure_choice(model, *items(path, options.items), Silent())
            rows |= {f"{name}, {way}": dict(row) for way, row in found.items()}
            part.write_text(json.dumps(rows), encoding="utf-8")
            print(json.dumps({name: rows[f"{name}, pictures"]}), flush=True)
    if options.episodes:
        held = read_picture_pairs(sets["classes_held"])
        found = measure_episodes(model, held, SHOTS, options.episodes, Silent())
        rows |= {f"few-shot, {way}": dict(row) for way, row in found.items()}
    return rows


def dialogues(sets: dict[str, Path], out: Path) -> Path:
    """Write dialogues in LLaVA's format: a caption and the class of each drawing; as many episodes."""
    rng, records = np.random.default_rng(0), []
    classes = {row["path"]: row["text"] for row in lines(sets["classes"])}
    for row in lines(sets["train"]):
        turns = [(IMAGE, row["text"])]
        if row["path"] in classes:
            turns.append(("What kind of thing is it?", classes[row["path"]].replace("-", " ")))
        records.append(record([row["path"]], turns))
    pairs = read_picture_pairs(sets["classes"])
    drawn = Episodes(pairs, str, SHOTS)
    for n in range(len(records)):
        words, pictures = drawn.page(n, rng)
        turns = [(IMAGE, word) for word in words.split("\n")]
        records.append(record([pairs.name(number) for number in pictures], turns))
    out.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    return out


def record(pictures: list[str], turns: list[tuple[str, str]]) -> dict[str, Any]:
    said = [{"from": who, "value": text} for turn in turns for who, text in zip(SPEAKERS, turn, strict=True)]
    return {"image": pictures, "conversations": said}


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--emoji", type=Path, nargs="+", required=True)
    parser.add_argument("--stamps", type=Path)
    parser.add_argument("--coco", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--system", choices=("flamingo", "llava"), default="flamingo")
    parser.add_argument("--no-val", action="store_true", help="keep the last step")
    for name, value in (("seeds", 3), ("steps", 300), ("pictures", 4000), ("items", 40)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--episodes", type=int, default=0, help="measured of few-shot-naming")
    parser.add_argument("--dialogues", type=int, default=0, help="updates of LLaVA's second stage")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the recipe, TOML")
    parser.add_argument("--only", type=int, metavar="SEED")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = [row for folder in options.emoji for row in emoji(folder)]
    rows += stamps(options.stamps) if options.stamps else []
    sets = split(rows, options.out, options.pictures)
    seeds = range(options.seeds) if options.only is None else [options.only]
    found = [one_seed(seed, sets, options) for seed in seeds]
    (options.out / "results.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for name in found[0]:
        for key in ("two_way", "gain", "accuracy"):
            values = [one[name][key] for one in found if key in one[name]]
            if values:
                spread = statistics.stdev(values) if len(values) > 1 else 0.0
                print(f"{name:28}  {key:8}  {statistics.mean(values):7.3f} ± {spread:.3f}  {values}")


if __name__ == "__main__":
    run(main)

"""Data sets of tagged pictures as they are released, small: VOC, COCO, a CSV, folders of tags."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image


@dataclass
class Seen:
    """An object of a picture; edges are VOC's: from 1, the last pixel included."""

    name: str
    box: tuple[int, int, int, int] = (11, 21, 30, 60)
    difficult: int = 0
    actions: dict[str, int] = field(default_factory=dict)


def picture(path: Path, colour="grey", size=(120, 90)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def annotation(seen: list[Seen]) -> str:
    things = ""
    for thing in seen:
        sides = "".join(
            f"<{s}>{v}</{s}>" for s, v in zip(("xmin", "ymin", "xmax", "ymax"), thing.box, strict=True)
        )
        actions = "".join(f"<{name}>{done}</{name}>" for name, done in thing.actions.items())
        things += f"<object><name>{thing.name}</name><difficult>{thing.difficult}</difficult>"
        things += f"<actions>{actions}</actions>" if actions else ""
        things += f"<bndbox>{sides}</bndbox><part><name>head</name></part></object>"
    return f"<annotation><size><width>120</width><height>90</height></size>{things}</annotation>"


def voc(root: Path, seen: dict[str, list[Seen]], split="test", *, lists=True, draw=picture) -> Path:
    """Write a VOC folder with one split; ``lists``: with the lists of the classes."""
    (root / "Annotations").mkdir(parents=True, exist_ok=True)
    main = root / "ImageSets" / "Main"
    main.mkdir(parents=True, exist_ok=True)
    for id_, things in seen.items():
        draw(root / "JPEGImages" / f"{id_}.jpg")
        (root / "Annotations" / f"{id_}.xml").write_text(annotation(things))
    (main / f"{split}.txt").write_text("".join(f"{id_}\n" for id_ in seen))
    if lists:
        for name in {thing.name for things in seen.values() for thing in things}:
            lines = ""
            for id_, things in seen.items():
                hard = [thing.difficult for thing in things if thing.name == name]
                lines += f"{id_} {'-1' if not hard else ' 0' if all(hard) else ' 1'}\n"
            (main / f"{name}_{split}.txt").write_text(lines)
    return root


def voc_actions(root: Path, seen: dict[str, list[Seen]], split="val") -> Path:
    """Write a VOC 2012 folder with action lists: picture, number of the person, 1 or -1."""
    voc(root, seen, split, lists=False)
    folder = root / "ImageSets" / "Action"
    folder.mkdir(parents=True)
    (folder / f"{split}.txt").write_text("".join(f"{id_} 1\n" for id_ in seen))
    for action in {a for things in seen.values() for thing in things for a in thing.actions}:
        lines = [
            f"{id_}  {number}  {1 if thing.actions.get(action) else -1}\n"
            for id_, things in seen.items()
            for number, thing in enumerate(things, 1)
        ]
        (folder / f"{action}_{split}.txt").write_text("".join(lines))
    return root


def coco(path: Path, seen: dict[str, list[tuple[str, list[float], int]]], draw=picture) -> Path:
    """Write instances: of each file name, category, box (x, y, width, height) and whether it is a crowd."""
    names = sorted({name for things in seen.values() for name, _, _ in things})
    content = {
        "images": [{"id": 10 + i, "file_name": name} for i, name in enumerate(seen)],
        "categories": [{"id": 7 * i + 1, "name": name} for i, name in enumerate(names)],
        "annotations": [
            {"image_id": 10 + i, "category_id": 7 * names.index(name) + 1, "bbox": box, "iscrowd": crowd}
            for i, things in enumerate(seen.values())
            for name, box, crowd in things
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    for name in seen:
        draw(path.parent / "images" / name)
    return path


def table(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path

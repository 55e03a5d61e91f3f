"""``sayso localize``: where things are in pictures, by a model that was taught by tags alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sayso.cli.options import Device, ProgressMode
from sayso.core.errors import SaysoError

if TYPE_CHECKING:
    from sayso.systems.localize import Localizer, Located

SOME_FAILED = 3


def localize(
    run: Annotated[Path, typer.Argument(help="A run of sayso train localize.", show_default=False)],
    pictures: Annotated[
        list[Path], typer.Argument(help="Pictures, or folders of pictures.", show_default=False)
    ],
    tags: Annotated[
        str | None,
        typer.Option("--tags", help="Only these, comma-separated.", show_default="those that are likely"),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(
            "--threshold", min=0.0, max=1.0, help="Where a map is cut into boxes, from lowest to highest."
        ),
    ] = 0.5,
    overlays: Annotated[
        Path | None,
        typer.Option("--overlays", help="Folder for pictures with heat map, point and boxes, as PNG."),
    ] = None,
    coco: Annotated[
        Path | None, typer.Option("--coco", help="Write the boxes to this file as COCO results.")
    ] = None,
    instances: Annotated[
        Path | None,
        typer.Option("--instances", help="COCO's file with the ids of pictures and categories, for --coco."),
    ] = None,
    device: Device = "auto",
    progress: ProgressMode = "auto",
) -> None:
    """Say where tags are in pictures: JSON lines with score, point and boxes in pixels of the picture.

    A score above 0 means rather there than not. Without --tags, tags above 0 are told; with --tags,
    these, however unlikely. What cannot be read is told, and the exit code is then 3.

    Examples:

      sayso localize runs/where ~/Pictures --overlays shown

      sayso localize runs/where street.jpg --tags "bicycle, dog"
    """
    from sayso.core.progress import reporter
    from sayso.systems.localize import Localizer
    from sayso.systems.localize.locate import class_numbers

    model = Localizer.from_pretrained(run, device=device)
    asked = [tag for tag in (tags or "").split(",") if tag.strip()]
    wanted = class_numbers(model.names, asked) if asked else None
    paths = list(_files(pictures))
    ids = _Ids(instances, model.names) if coco else None
    results: list[dict[str, Any]] = []
    failed = 0
    with reporter("looking", unit="pictures", mode=progress) as bar:
        for path, found in zip(paths, model.locate(paths, progress=bar), strict=True):
            if found is None:
                failed += 1
                continue
            row = _row(path, model, found, wanted, threshold)
            print(json.dumps(row, ensure_ascii=False))
            if ids:
                results += ids.results(path, row)
            if overlays:
                _draw(overlays, path, model, found, row)
    if coco:
        coco.write_text(json.dumps(results) + "\n", encoding="utf-8")
    if failed:
        raise typer.Exit(SOME_FAILED)


def _files(places: list[Path]) -> Iterator[Path]:
    """Yield pictures, and those anywhere in folders.

    Raises:
        SaysoError: if a place is not there, or a folder holds no picture.
    """
    from sayso.media.kinds import kind_of

    for place in (place.expanduser() for place in places):
        if not place.exists():
            raise SaysoError(f"{place} is not there")
        if not place.is_dir():
            yield place
            continue
        inside = [file for file in sorted(place.rglob("*")) if file.is_file() and kind_of(file) == "picture"]
        if not inside:
            raise SaysoError(f"{place} holds no picture")
        yield from inside


def _row(
    path: Path, model: Localizer, found: Located, wanted: list[int] | None, threshold: float
) -> dict[str, Any]:
    """Return what is told of a picture, its tags by score."""
    chosen = [k for k, score in enumerate(found.scores) if score > 0] if wanted is None else wanted
    tags = [
        {
            "tag": model.names[k],
            "score": round(float(found.scores[k]), 4),
            "point": [round(float(v), 1) for v in found.points[k]],
            "boxes": [
                [*(round(v, 1) for v in (box.x0, box.y0, box.x1, box.y1)), round(box.score, 4)]
                for box in found.boxes(k, threshold)
            ],
        }
        for k in sorted(chosen, key=lambda k: -found.scores[k])
    ]
    return {"path": str(path), "width": found.size[0], "height": found.size[1], "tags": tags}


def _draw(folder: Path, path: Path, model: Localizer, found: Located, row: dict[str, Any]) -> None:
    """Write a picture for each tag that is told of: NAME.TAG.png."""
    from sayso.export import overlay_png
    from sayso.media.images import read_image
    from sayso.metrics.score_maps import unit

    folder.mkdir(parents=True, exist_ok=True)
    picture = read_image(path)
    for told in row["tags"]:
        boxes = [(x0, y0, x1, y1) for x0, y0, x1, y1, _ in told["boxes"]]
        heat = unit(found.maps[model.names.index(told["tag"])])
        label = f"{told['tag']} {told['score']:.2f}"
        tag = re.sub(r"[^\w-]+", "_", told["tag"])
        (folder / f"{path.stem}.{tag}.png").write_bytes(
            overlay_png(picture, heat, tuple(told["point"]), boxes, label)
        )


class _Ids:
    """Ids of pictures and categories: those of COCO's file; else the picture's number, and the tag's from 1.

    Args:
        path: COCO's file of instances, if there is one.
        names: of the tags.

    Raises:
        SaysoError: if it cannot be read, or lacks a tag.
    """

    def __init__(self, path: Path | None, names: tuple[str, ...]) -> None:
        self.pictures: dict[str, int] = {}
        self.tags = {name: k for k, name in enumerate(names, 1)}
        if path is None:
            return
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            self.pictures = {Path(image["file_name"]).name: int(image["id"]) for image in told["images"]}
            known = {category["name"]: int(category["id"]) for category in told["categories"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SaysoError(f"{path} cannot be read as COCO's instances: {error!r}") from error
        if lacking := [name for name in names if name not in known]:
            raise SaysoError(f"{path} has no category {lacking[0]!r}, which the model knows")
        self.tags = {name: known[name] for name in names}

    def results(self, path: Path, row: dict[str, Any]) -> list[dict[str, Any]]:
        """Return a picture's boxes as COCO's results.

        Raises:
            SaysoError: if the picture has no number.
        """
        digits = re.search(r"\d+$", path.stem)
        number = self.pictures.get(path.name)
        if number is None and (self.pictures or not digits):
            raise SaysoError(f"{path.name} has no id; name COCO's file that lists it with --instances")
        image = number if number is not None else int(digits[0]) if digits else 0
        return [
            {
                "image_id": image,
                "category_id": self.tags[told["tag"]],
                "bbox": [x0, y0, round(x1 - x0, 1), round(y1 - y0, 1)],
                "score": score,
            }
            for told in row["tags"]
            for x0, y0, x1, y1, score in told["boxes"]
        ]

"""From pictures to a result: which tags they show and where, and the files that other programs read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import MediaError
from sayso.core.io import write_atomic
from sayso.core.ownership import writing_as
from sayso.core.progress import Progress, Silent
from sayso.data.manifest import Failure
from sayso.data.picture_files import FilePath, picture_files
from sayso.export.coco import CocoIds, coco_results

if TYPE_CHECKING:
    from sayso.systems.localize.locate import Localizer, Located

Heat = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalizeOptions:
    """What can be chosen when tags are located.

    Args:
        tags: only these, however unlikely; empty: those with a score above 0.
        threshold: where a score map is cut into boxes, from 0, its lowest score, to 1, its highest.
        instances: COCO's file with the ids of pictures and categories; the result then has COCO results.
        device: where the model runs, if it is loaded here.
    """

    tags: Sequence[str] = ()
    threshold: float = 0.5
    instances: FilePath | None = None
    device: str = "auto"


@dataclass(frozen=True, eq=False)
class LocalizeResult:
    """Where tags are in pictures.

    Attributes:
        pictures: one row a picture, ready for JSON: ``path``, ``width``, ``height``, and ``tags``, the best
            first: ``name``, ``score`` (above 0: more likely there than not), ``point`` (x, y) and ``boxes``
            (``box``: x0, y0, x1, y1; ``score``), in pixels of the picture.
        heat_maps: for each picture and each of its tags the score map, (h, w), from 0 to 255.
        failures: pictures that could not be read.
        ids: of pictures and categories, where COCO's file was given.
    """

    pictures: tuple[dict[str, Any], ...]
    heat_maps: tuple[tuple[Heat, ...], ...]
    failures: tuple[Failure, ...] = ()
    ids: CocoIds | None = None

    def to_dict(self) -> dict[str, object]:
        """Return everything but the score maps, ready for JSON."""
        failures = [failure.to_dict() for failure in self.failures]
        return {"pictures": list(self.pictures), "failures": failures}

    def write(self, out: FilePath) -> list[Path]:
        """Write a folder: located.jsonl, overlays/PICTURE.TAG.png, and with ids coco.json.

        Returns:
            The paths; that of the rows first.

        Raises:
            SaysoError: if a file cannot be written, or a picture has no id.
        """
        with writing_as("localize"):
            return self._write(Path(out))

    def _write(self, folder: Path) -> list[Path]:
        rows = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.pictures)
        paths = [folder / "located.jsonl"]
        if self.ids is not None:
            paths.append(folder / "coco.json")
            write_atomic(paths[-1], json.dumps(coco_results(self.pictures, self.ids)) + "\n")
        write_atomic(paths[0], rows)
        for path, png in self._overlays(folder / "overlays"):
            write_atomic(path, png)
            paths.append(path)
        return paths

    def table(self) -> list[str]:
        """Return one line a tag for people: score, tag, point, picture; and one a picture without any."""
        lines = []
        for row in self.pictures:
            lines += [
                f"{tag['score']:7.2f}  {tag['name']:20}  at {tag['point'][0]:.0f}, {tag['point'][1]:.0f}"
                f"  {row['path']}"
                for tag in row["tags"]
            ]
            lines += [] if row["tags"] else [f"{'none':>7}  {row['path']}"]
        return lines

    def _overlays(self, folder: Path) -> Iterator[tuple[Path, bytes]]:
        from sayso.export import overlay_png
        from sayso.media.images import read_image

        taken: dict[str, int] = {}
        for row, maps in zip(self.pictures, self.heat_maps, strict=True):
            stem = Path(row["path"]).stem
            taken[stem] = taken.get(stem, 0) + 1
            number = f"-{taken[stem]}" if taken[stem] > 1 else ""
            picture = read_image(Path(row["path"])) if row["tags"] else None
            for tag, heat in zip(row["tags"], maps, strict=True):
                if picture is None:
                    continue
                boxes = [tuple(one["box"]) for one in tag["boxes"]]
                label = f"{tag['name']} {tag['score']:.2f}"
                name = re.sub(r"[^\w-]+", "_", tag["name"])
                png = overlay_png(picture, heat / 255, tuple(tag["point"]), boxes, label)
                yield folder / f"{stem}{number}.{name}.png", png


def run(
    model: FilePath | Localizer,
    pictures: Sequence[FilePath],
    options: LocalizeOptions | None = None,
    *,
    progress: Progress | None = None,
) -> LocalizeResult:
    """Locate tags in pictures.

    Args:
        model: the folder of a run of ``sayso train localize`` or of a localizer, or a localizer.
        pictures: files and folders of pictures.
        options: what can be chosen.
        progress: reports each picture.

    Raises:
        SaysoError: if the model cannot be loaded, has no such tag, or a place holds no picture.
    """
    from sayso.media.images import read_image
    from sayso.systems.localize.locate import class_numbers

    how, progress = options or LocalizeOptions(), progress or Silent()
    paths = list(picture_files(pictures))
    localizer = _loaded(model, how.device)
    asked = [tag for tag in how.tags if tag.strip()]
    wanted = class_numbers(localizer.names, asked) if asked else None
    ids = None if how.instances is None else CocoIds(Path(how.instances), localizer.names)
    rows, maps, failures = [], [], []
    for number, path in enumerate(paths, 1):
        try:
            found = localizer.see(read_image(path))
        except MediaError as error:
            failures.append(Failure(str(path), "decode", str(error)))
            continue
        chosen = _chosen(found, wanted)
        rows.append(_row(path, localizer.names, found, chosen, how.threshold))
        maps.append(tuple(_heat(found.maps[k]) for k in chosen))
        progress.update(number, len(paths), path.name)
    return LocalizeResult(tuple(rows), tuple(maps), tuple(failures), ids)


def _loaded(model: FilePath | Localizer, device: str) -> Localizer:
    from sayso.systems.localize.locate import Localizer

    return (
        Localizer.from_pretrained(Path(model), device=device)
        if isinstance(model, str | os.PathLike)
        else model
    )


def _chosen(found: Located, wanted: Sequence[int] | None) -> list[int]:
    """Return the classes to report, the best first."""
    numbers = [k for k, score in enumerate(found.scores) if score > 0] if wanted is None else wanted
    return sorted(numbers, key=lambda k: -found.scores[k])


def _row(
    path: Path, names: Sequence[str], found: Located, chosen: Sequence[int], threshold: float
) -> dict[str, Any]:
    """Return a picture as a row (``LocalizeResult.pictures``)."""
    tags = [
        {
            "name": names[k],
            "score": round(float(found.scores[k]), 4),
            "point": [round(float(v), 1) for v in found.points[k]],
            "boxes": [
                {
                    "box": [round(v, 1) for v in (box.x0, box.y0, box.x1, box.y1)],
                    "score": round(box.score, 4),
                }
                for box in found.boxes(k, threshold)
            ],
        }
        for k in chosen
    ]
    return {"path": str(path), "width": found.size[0], "height": found.size[1], "tags": tags}


def _heat(scores: NDArray[np.float32]) -> Heat:
    """Return a score map (h, w) from 0, its lowest score, to 255, its highest: small enough to keep."""
    from sayso.metrics.score_maps import min_max

    return np.asarray(min_max(scores) * 255, np.uint8)

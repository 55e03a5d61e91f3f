"""Located tags as COCO's detection results: a list of boxes with ids of pictures and categories."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError

Row = Mapping[str, Any]


class CocoIds:
    """The ids of pictures and categories in COCO's file of instances.

    Args:
        path: the file.
        names: of the tags that results will have.

    Raises:
        SaysoError: if it cannot be read, or lacks a tag.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path = path
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            self.pictures = {Path(image["file_name"]).name: int(image["id"]) for image in content["images"]}
            listed = {category["name"]: int(category["id"]) for category in content["categories"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SaysoError(f"{path} cannot be read as COCO's instances: {error!r}") from error
        if lacking := [name for name in names if name not in listed]:
            raise SaysoError(f"{path} has no category {lacking[0]!r}, which the model knows")
        self.categories = {name: listed[name] for name in names}

    def picture(self, path: str) -> int:
        """Return the id of a picture.

        Raises:
            SaysoError: if the file does not list it.
        """
        number = self.pictures.get(Path(path).name)
        if number is None:
            raise SaysoError(f"{self.path} does not list the picture {Path(path).name}")
        return number


def coco_results(rows: Iterable[Row], ids: CocoIds) -> list[dict[str, Any]]:
    """Return every box of every tag as a result: ``image_id``, ``category_id``, ``bbox`` and ``score``.

    Args:
        rows: located pictures: ``path`` and ``tags``, each with ``name`` and ``boxes``, each with ``box``
            (x0, y0, x1, y1 in pixels) and ``score``.
        ids: of pictures and categories.

    Raises:
        SaysoError: if a picture has no id.
    """
    return [
        {
            "image_id": ids.picture(row["path"]),
            "category_id": ids.categories[tag["name"]],
            "bbox": _corner_and_size(*one["box"]),
            "score": one["score"],
        }
        for row in rows
        for tag in row["tags"]
        for one in tag["boxes"]
    ]


def _corner_and_size(x0: float, y0: float, x1: float, y1: float) -> list[float]:
    return [x0, y0, round(x1 - x0, 1), round(y1 - y0, 1)]

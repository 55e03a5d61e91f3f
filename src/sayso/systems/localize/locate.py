"""Looking at a picture at several sizes, and saying where each class is.

At every scale the network gives a map of scores. All maps of a picture are brought to one grid and
averaged; the class's point is the best place of the average, its score what training's own rule makes
of the average, its boxes surround the connected regions above a fraction of the range.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sayso.core.errors import MediaError, SaysoError
from sayso.core.progress import Progress, Silent
from sayso.media.images import read_image
from sayso.metrics.regions import regions
from sayso.metrics.score_maps import unit
from sayso.models.score_map_head import MapHead, Pooling, pool
from sayso.systems.localize.letterbox import pad_to_stride, resize_longest

if TYPE_CHECKING:
    from PIL.Image import Image

    from sayso.encoders.backbones import Backbone

Floats = NDArray[np.float32]
GRID = 64  # cells along the longer side


@dataclass(frozen=True, slots=True)
class Look:
    """How to look at pictures.

    Args:
        size: pixels that the longer side has at scale 1.
        scales: at which to look.
        pooling: how a map becomes a score.
        sharpness: of log-sum-exp.
    """

    size: int = 500
    scales: tuple[float, ...] = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
    pooling: Pooling = "max"
    sharpness: float = 5.0


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A box around a region of a class, in pixels of the original picture, with the best score in it."""

    x0: float
    y0: float
    x1: float
    y1: float
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """What is seen in one picture, and where.

    Args:
        size: width and height of the original, pixels.
        scores: (K,) above 0: rather there than not.
        points: (K, 2) x and y of each class's best place, in pixels of the original.
        maps: (K, h, w) scores of each place, on a grid over the whole picture.
    """

    size: tuple[int, int]
    scores: Floats
    points: Floats
    maps: Floats

    def boxes(self, k: int, threshold: float = 0.5) -> list[FoundBox]:
        """Return the boxes of class k, best first.

        Args:
            k: the class.
            threshold: where to cut its map, from 0, its lowest score, to 1, its highest.
        """
        scores = self.maps[k]
        numbers, edges = regions(unit(scores) >= threshold)
        (width, height), (rows, columns) = self.size, scores.shape
        x_px, y_px = width / columns, height / rows
        found = [
            FoundBox(x0 * x_px, y0 * y_px, x1 * x_px, y1 * y_px, float(scores[numbers == number].max()))
            for number, (x0, y0, x1, y1) in enumerate(edges.tolist(), 1)
        ]
        return sorted(found, key=lambda box: -box.score)


class Localizer:
    """A model that tells from tags alone where things are.

    Args:
        backbone: features with their places.
        head: their scores.
        names: of the K classes.
        look: how to look.
        name: what loads it again.
        device: where it runs.
        sha256: identity of the weights.
        fine_tuned: whether the backbone's weights are its own, and are saved with the head's.
        card: how it was trained, for the model card.
    """

    def __init__(
        self,
        backbone: Backbone,
        head: MapHead,
        names: Sequence[str],
        look: Look,
        *,
        name: str = "",
        device: torch.device | None = None,
        sha256: str = "",
        fine_tuned: bool = False,
        card: str = "",
    ) -> None:
        self.device = device or torch.device("cpu")
        self.backbone, self.head = backbone.to(self.device).eval(), head.to(self.device).eval()
        self.names, self.look, self.name, self.sha256 = tuple(names), look, name, sha256
        self.fine_tuned, self.card = fine_tuned, card

    def save_pretrained(self, folder: Path) -> None:
        """Write a model folder, which ``load`` takes."""
        from sayso.systems.localize.saved import save

        save(self, folder, learned=self.fine_tuned, about=self.card)

    def locate(self, paths: Sequence[Path], *, progress: Progress | None = None) -> Iterator[Located | None]:
        """Look at pictures, one after the other; None for one that cannot be read, which is told."""
        progress = progress or Silent()
        for number, path in enumerate(paths, 1):
            try:
                found = self.see(read_image(path))
            except MediaError as error:
                progress.message(str(error))
                found = None
            progress.update(number, len(paths), path.name)
            yield found

    def see(self, picture: Image) -> Located:
        """Look at one picture, RGB of any size."""
        with torch.inference_mode():
            maps = self.maps(picture)
            scores = pool(maps[None], self.look.pooling, None, self.look.sharpness)[0]
            return Located(picture.size, scores.numpy(), points(maps, picture.size), maps.numpy())

    def maps(self, picture: Image) -> Tensor:
        """Return the mean of the score maps of all scales, (K, h, w), on the CPU."""
        rows, columns = grid(picture.size)
        total = torch.zeros(len(self.names), rows, columns, device=self.device)
        for scale in self.look.scales:
            pixels = resize_longest(picture, max(1, round(self.look.size * scale)))
            total += regrid(self._map(pixels), pixels.shape[:2], self.backbone.stride, rows, columns)
        return (total / len(self.look.scales)).cpu()

    def _map(self, pixels: NDArray[np.uint8]) -> Tensor:
        """Return the score map (K, h, w) of a picture as it is, padded to whole cells."""
        canvas = pad_to_stride(pixels, self.backbone.stride, self.backbone.colour)[..., :3]
        x = torch.from_numpy(canvas)[None].to(self.device).permute(0, 3, 1, 2).float()
        maps: Tensor = self.head(self.backbone(x))
        return maps[0].float()


def grid(size: tuple[int, int]) -> tuple[int, int]:
    """Return rows and columns of the grid over a picture of (width, height)."""
    rows, columns = (max(1, round(GRID * side / max(size))) for side in size[::-1])
    return rows, columns


def regrid(maps: Tensor, shown: tuple[int, ...], stride: int, rows: int, columns: int) -> Tensor:
    """Return maps (K, h, w) of a padded picture on a grid over the picture alone, (K, rows, columns).

    Cells are joined linearly; beyond the middle of the last cell of the picture, its score holds.

    Args:
        maps: of a canvas with the picture in its corner.
        shown: height and width of the picture on the canvas, pixels.
        stride: pixels a cell.
        rows: of the grid.
        columns: of the grid.
    """
    down = _between(rows, shown[0] / stride, maps.shape[1]).to(maps)
    across = _between(columns, shown[1] / stride, maps.shape[2]).to(maps)
    return down @ maps @ across.T


def _between(count: int, extent: float, cells: int) -> Tensor:
    """Return (count, cells): how much each cell counts at places spread over ``extent`` cells."""
    last = max(0, round(extent) - 1)  # of the cells that show picture by half
    places = (((torch.arange(count) + 0.5) / count) * extent - 0.5).clamp(0, last)
    return (1 - (places[:, None] - torch.arange(cells)).abs()).clamp(min=0)


def points(maps: Tensor, size: tuple[int, int]) -> Floats:
    """Return x and y of the best place of each map (K, h, w), (K, 2), in pixels of a picture of this size."""
    _, rows, columns = maps.shape
    best = maps.flatten(1).argmax(1)
    x = (best % columns + 0.5) * (size[0] / columns)
    y = (torch.div(best, columns, rounding_mode="floor") + 0.5) * (size[1] / rows)
    found: Floats = torch.stack([x, y], 1).float().numpy()
    return found


def class_numbers(names: Sequence[str], tags: Sequence[str]) -> list[int]:
    """Return which classes tags mean; letter case and spaces around do not count.

    Raises:
        SaysoError: if there is no such class.
    """
    known = {name.casefold().strip(): k for k, name in enumerate(names)}
    for tag in tags:
        if tag.casefold().strip() not in known:
            raise SaysoError(
                f"the model knows no {tag!r}; it knows {', '.join(names[:20])}"
                f"{' ...' if len(names) > 20 else ''}"
            )
    return [known[tag.casefold().strip()] for tag in tags]

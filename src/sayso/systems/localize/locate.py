"""Locating classes in a picture, from score maps at several scales.

At every scale the network gives a map of scores. All maps of a picture are brought to one grid and
averaged, as they are or standardised; the class's point is the best cell of the average, its score the
average pooled, its boxes surround the connected regions above a fraction of the range.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sayso.core.arrays import Float32s
from sayso.core.device import resolve_device
from sayso.core.errors import MediaError, SaysoError
from sayso.core.progress import Progress, Silent
from sayso.encoders.backbones import load_backbone
from sayso.hub.model_folder import ModelFolder, Reference
from sayso.hub.pretrained import Pretrained
from sayso.media.images import read_image
from sayso.metrics.regions import regions
from sayso.metrics.score_maps import min_max
from sayso.models.score_map_head import MapHead, Pooling, pool
from sayso.systems.localize.letterbox import pad_to_stride, resize_longest

if TYPE_CHECKING:
    from PIL.Image import Image

    from sayso.encoders.backbones import Backbone

log = logging.getLogger(__name__)
GRID = 64  # cells along the longer side
FLAT = 1e-3  # a map whose scores deviate by less says nothing of where


@dataclass(frozen=True, slots=True)
class MultiScale:
    """Inference at several scales.

    Args:
        size: pixels that the longer side has at scale 1.
        scales: of the picture; their score maps are averaged.
        pooling: how a map becomes a score.
        sharpness: of log-sum-exp.
        standardize: whether the maps of all scales weigh alike in where a class is (``standardized_mean``).
        mirror: whether each scale is scored mirrored too.
    """

    size: int = 500
    scales: tuple[float, ...] = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
    pooling: Pooling = "max"
    sharpness: float = 5.0
    standardize: bool = False
    mirror: bool = False


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
    """Scores of all classes in one picture, and where they are.

    Args:
        size: width and height of the original, pixels.
        scores: (C,) above 0: more likely there than not.
        points: (C, 2) x and y of each class's best cell, in pixels of the original.
        maps: (C, h, w) scores of each cell, on a grid over the whole picture.
    """

    size: tuple[int, int]
    scores: Float32s
    points: Float32s
    maps: Float32s

    def boxes(self, k: int, threshold: float = 0.5) -> list[FoundBox]:
        """Return the boxes of class k, best first.

        Args:
            k: the class.
            threshold: where to cut its map, from 0, its lowest score, to 1, its highest.
        """
        scores = self.maps[k]
        numbers, edges = regions(min_max(scores) >= threshold)
        (width, height), (rows, columns) = self.size, scores.shape
        x_px, y_px = width / columns, height / rows
        found = [
            FoundBox(x0 * x_px, y0 * y_px, x1 * x_px, y1 * y_px, float(scores[numbers == number].max()))
            for number, (x0, y0, x1, y1) in enumerate(edges.tolist(), 1)
        ]
        return sorted(found, key=lambda box: -box.score)


class Localizer(Pretrained):
    """A model that locates things and learned from tags alone.

    Args:
        backbone: picture -> feature map.
        head: their scores.
        names: of the C classes.
        multi_scale: scales and pooling of inference.
        name: what ``sayso.load`` takes to get it again.
        device: ``auto``, ``cpu``, ``cuda``, ...
        fine_tuned: whether the backbone's weights are its own, and are saved with the head's.
        card: how it was trained, for the model card.
    """

    kind = "localizer"

    def __init__(
        self,
        backbone: Backbone,
        head: MapHead,
        names: Sequence[str],
        multi_scale: MultiScale,
        *,
        name: str = "localizer",
        device: str = "cpu",
        fine_tuned: bool = False,
        card: str = "",
    ) -> None:
        self.device = resolve_device(device)
        self.backbone, self.head = backbone.to(self.device).eval(), head.to(self.device).eval()
        self.names, self.multi_scale, self.name = tuple(names), multi_scale, name
        self.fine_tuned, self.card = fine_tuned, card

    def to_folder(self) -> ModelFolder:
        """Return all that the model folder holds but the reference outputs."""
        weights = {f"head.{name}": value for name, value in self.head.state_dict().items()}
        if self.fine_tuned:
            weights |= {f"backbone.{name}": value for name, value in self.backbone.state_dict().items()}
        first = self.head.layers[0]
        options = {
            "names": list(self.names),
            "backbone": self.backbone.name,
            "hidden": first.out_channels if len(self.head.layers) > 2 else 0,
            "multi_scale": asdict(self.multi_scale),
        }
        return ModelFolder(self.kind, options, weights, card=self.card)

    @classmethod
    def from_folder(cls, saved: ModelFolder, *, name: str, device: str) -> Self:
        """Return the localizer of a model folder.

        Args:
            saved: what the folder holds.
            name: what to call it.
            device: ``auto``, ``cpu``, ``cuda``, ...

        Raises:
            SaysoError: if the weights do not fit the options.
            Unavailable: if its backbone is not on this machine and cannot be fetched.
        """
        try:
            names, options = saved.options["names"], dict(saved.options["multi_scale"])
            backbone = load_backbone(saved.options["backbone"])
            head = MapHead(backbone.dim, len(names), saved.options["hidden"])
            head.load_state_dict(_part(saved, "head."))
            if own := _part(saved, "backbone."):
                backbone.load_state_dict(own)
            sizes = MultiScale(**{**options, "scales": tuple(options["scales"])})
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            first = str(error).splitlines()[0]
            raise SaysoError(f"the localizer {name} does not fit its config.json: {first}") from error
        return cls(
            backbone, head, names, sizes, name=name, device=device, fine_tuned=bool(own), card=saved.card
        )

    def reference_outputs(self) -> Reference:
        """Return the class scores of the grid cells of a picture that anybody can draw."""
        with torch.inference_mode():
            maps = self._map(color_waves(2 * self.backbone.stride))
        return {"of_picture": maps.flatten().cpu().tolist()}

    def locate(self, paths: Sequence[Path], *, progress: Progress | None = None) -> Iterator[Located | None]:
        """Locate in pictures, one after the other; None for one that cannot be read, which is logged."""
        progress = progress or Silent()
        for number, path in enumerate(paths, 1):
            try:
                found = self.see(read_image(path))
            except MediaError as error:
                log.warning("%s", error)
                found = None
            progress.update(number, len(paths), path.name)
            yield found

    def see(self, picture: Image) -> Located:
        """Locate all classes in one picture, RGB of any size."""
        with torch.inference_mode():
            maps = self.maps(picture)
            scores = pool(maps[None], self.multi_scale.pooling, None, self.multi_scale.sharpness)[0]
            return Located(picture.size, scores.numpy(), points(maps, picture.size), maps.numpy())

    def maps(self, picture: Image) -> Tensor:
        """Return the score maps of all scales as one, (C, h, w), on the CPU."""
        maps = self.scale_maps(picture)
        return standardized_mean(maps) if self.multi_scale.standardize else maps.mean(0)

    def scale_maps(self, picture: Image) -> Tensor:
        """Return the score maps on one grid, (V, C, h, w): all scales, then all mirrored; on the CPU."""
        grid, turns = map_grid(picture.size), (1, -1) if self.multi_scale.mirror else (1,)
        longest = [max(1, round(self.multi_scale.size * scale)) for scale in self.multi_scale.scales]
        sizes = [resize_longest(picture, side) for side in longest]
        found = []
        for turn in turns:
            for pixels in sizes:
                maps = self._map(np.ascontiguousarray(pixels[:, ::turn]))
                maps = regrid(maps, pixels.shape[:2], self.backbone.stride, *grid)
                found.append(maps if turn == 1 else maps.flip(2))
        return torch.stack(found).cpu()

    def _map(self, pixels: NDArray[np.uint8]) -> Tensor:
        """Return the score map (C, h, w) of a picture as it is, padded to whole cells."""
        padded = pad_to_stride(pixels, self.backbone.stride, self.backbone.colour)[..., :3]
        x = torch.from_numpy(padded)[None].to(self.device).permute(0, 3, 1, 2).float()
        maps: Tensor = self.head(self.backbone(x))
        return maps[0].float()


def _part(saved: ModelFolder, start: str) -> dict[str, Tensor]:
    """Return the weights whose names start so, without the start."""
    found = saved.weights.items()
    return {name.removeprefix(start): value for name, value in found if name.startswith(start)}


def color_waves(side: int) -> NDArray[np.uint8]:
    """Return a picture that anybody can draw, (side, side, 3): a wave in each colour."""
    y, x = np.mgrid[:side, :side]
    waves = [np.sin(a * x + b * y) for a, b in ((0.2, 0.1), (0.05, 0.3), (0.4, 0.02))]
    return np.asarray(np.stack(waves, -1) * 100 + 128, np.uint8)


def standardized_mean(maps: Tensor) -> Tensor:
    """Return one map for each class, (C, h, w), in which all scales weigh alike in where the class is.

    Scores deviate more at some scales than at others, and a plain mean points where those do. With mean m_v
    and standard deviation s_v of the scores x_v of scale v, the map is

        mean_v((x_v - m_v) / s_v) mean_v(s_v) + mean_v(m_v),

    whose mean is that of the plain mean.

    Args:
        maps: (V, C, h, w) of V scales.
    """
    means = maps.mean((2, 3), keepdim=True)
    deviations = maps.std((2, 3), correction=0, keepdim=True)
    alike = ((maps - means) / deviations.clamp(min=FLAT)).mean(0)
    return alike * deviations.mean(0) + means.mean(0)


def map_grid(size: tuple[int, int]) -> tuple[int, int]:
    """Return rows and columns of the grid over a picture of (width, height)."""
    rows, columns = (max(1, round(GRID * side / max(size))) for side in size[::-1])
    return rows, columns


def regrid(maps: Tensor, shown: tuple[int, ...], stride: int, rows: int, columns: int) -> Tensor:
    """Return score maps of a padded picture on a grid over the picture alone, (C, rows, columns).

    Cells are joined linearly; beyond the middle of the last cell of the picture, its score is used.

    Args:
        maps: (C, H, W), of a frame with the picture in its corner.
        shown: height and width of the picture in the frame, pixels.
        stride: pixels a cell.
        rows: of the grid.
        columns: of the grid.
    """
    down = _between(rows, shown[0] / stride, maps.shape[1]).to(maps)
    across = _between(columns, shown[1] / stride, maps.shape[2]).to(maps)
    return down @ maps @ across.T


def _between(count: int, extent: float, cells: int) -> Tensor:
    """Return (count, cells): the weight of each cell at points spread evenly over ``extent`` cells."""
    last = max(0, round(extent) - 1)  # of the cells that show picture by half
    points = (((torch.arange(count) + 0.5) / count) * extent - 0.5).clamp(0, last)
    return (1 - (points[:, None] - torch.arange(cells)).abs()).clamp(min=0)


def points(maps: Tensor, size: tuple[int, int]) -> Float32s:
    """Return x and y of the best cell of each map (C, h, w), (C, 2), in pixels of a picture of this size."""
    _, rows, columns = maps.shape
    best = maps.flatten(1).argmax(1)
    x = (best % columns + 0.5) * (size[0] / columns)
    y = (torch.div(best, columns, rounding_mode="floor") + 0.5) * (size[1] / rows)
    found: Float32s = torch.stack([x, y], 1).float().numpy()
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

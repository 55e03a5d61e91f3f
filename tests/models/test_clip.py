"""The towers of CLIP and SigLIP: initialised as published, patches dropped while learning alone."""

from __future__ import annotations

import math

import pytest
import torch

from sayso.core.errors import SaysoError
from sayso.models.clip import NETWORKS, ContrastiveTowers, TowerShape, dual_towers, pixel_statistics

pytest.importorskip("transformers")
SMALL = TowerShape(8, 128, 3, 128, 3, 96)


def made(family="clip", seed=0, shape=SMALL, **options):
    torch.manual_seed(seed)
    towers = dual_towers(family, shape, size=32, context=12, tokens=1000)
    return ContrastiveTowers(towers, *pixel_statistics(family), **options)


def inputs(count=4):
    torch.manual_seed(1)
    pixels = torch.randint(0, 256, (count, 32, 32, 3), dtype=torch.uint8)
    tokens = torch.randint(0, 998, (count, 12))
    tokens[:, 0], tokens[:, -1] = 998, 999
    return pixels, tokens


def test_the_text_tower_starts_with_the_published_deviations():
    model = made().towers.requires_grad_(False)
    width, layers = 128, 3
    text = model.text_model
    expected = {
        "token": (text.embeddings.token_embedding.weight, 0.02),
        "position": (text.embeddings.position_embedding.weight, 0.01),
        "projection": (model.text_projection.weight, width**-0.5),
    }
    for n, layer in enumerate(text.encoder.layers):
        attention = layer.self_attn
        expected |= {
            f"q{n}": (attention.q_proj.weight, width**-0.5),  # .088, where transformers has .036
            f"k{n}": (attention.k_proj.weight, width**-0.5),
            f"v{n}": (attention.v_proj.weight, width**-0.5),
            f"out{n}": (attention.out_proj.weight, (width * 2 * layers) ** -0.5),  # .036, not .088
            f"fc1{n}": (layer.mlp.fc1.weight, (2 * width) ** -0.5),
            f"fc2{n}": (layer.mlp.fc2.weight, (width * 2 * layers) ** -0.5),
        }
    for name, (weight, deviation) in expected.items():
        error = 4 / math.sqrt(2 * weight.numel())  # of a measured deviation, relative, at four sigma
        assert float(weight.std()) == pytest.approx(deviation, rel=error), name
        assert abs(float(weight.mean())) < 4 * deviation / math.sqrt(weight.numel()), name


def test_the_picture_tower_starts_as_pytorch_does():
    model = made().towers.requires_grad_(False)
    vision = model.vision_model
    reference = torch.nn.MultiheadAttention(128, 2).requires_grad_(False)
    for layer in vision.encoder.layers:
        attention = layer.self_attn
        for part in (attention.q_proj, attention.k_proj, attention.v_proj):
            assert float(part.weight.std()) == pytest.approx(float(reference.in_proj_weight.std()), rel=0.02)
            assert float(part.weight.abs().max()) <= float(reference.in_proj_weight.abs().max()) * 1.01
            assert not part.bias.any()
        assert float(attention.out_proj.weight.std()) == pytest.approx((3 * 128) ** -0.5, rel=0.02)
        assert float(layer.mlp.fc1.weight.std()) == pytest.approx((3 * 128) ** -0.5, rel=0.02)
        assert float(layer.mlp.fc2.weight.std()) == pytest.approx((3 * 512) ** -0.5, rel=0.02)
    for weight in (vision.embeddings.class_embedding, vision.embeddings.position_embedding.weight):
        assert float(weight.std()) == pytest.approx(128**-0.5, rel=0.25)
    assert float(model.visual_projection.weight.std()) == pytest.approx(128**-0.5, rel=0.02)
    assert float(model.logit_scale.exp()) == pytest.approx(1 / 0.07)


@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_unit_vectors_as_transformers_makes_them(family):
    net = made(family).eval()
    pixels, tokens = inputs()
    image, text = net(pixels, tokens)
    torch.testing.assert_close(image.norm(dim=1), torch.ones(4))
    torch.testing.assert_close(text.norm(dim=1), torch.ones(4))
    mean, std = pixel_statistics(family)
    shown = (pixels.permute(0, 3, 1, 2) / 255 - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(
        3, 1, 1
    )
    whole = net.towers(input_ids=tokens, pixel_values=shown)
    torch.testing.assert_close(image, whole.image_embeds)
    torch.testing.assert_close(text, whole.text_embeds)


def test_a_text_is_the_same_however_long_it_is_filled_up():
    net = made().eval()
    pixels, tokens = inputs()
    tokens[:, 6:] = 999
    torch.testing.assert_close(net(pixels, tokens)[1], net(pixels, tokens[:, :7])[1])


@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_patches_are_dropped_while_learning_alone(family):
    torch.manual_seed(0)
    net = made(family, patch_dropout=0.75)
    embeddings, seen = net.towers.vision_model.embeddings, []
    net.towers.vision_model.encoder.register_forward_pre_hook(
        lambda _, args, kwargs: seen.append(kwargs.get("inputs_embeds", args[0] if args else None)),
        with_kwargs=True,
    )
    pixels, tokens = inputs()
    always = int(family == "clip")
    net.eval()
    whole = net(pixels, tokens)[0]
    assert seen[-1].shape[1] == 16 + always
    torch.testing.assert_close(whole, made(family).eval()(pixels, tokens)[0])
    net.train()
    net(pixels, tokens)
    assert seen[-1].shape[1] == 4 + always
    shown = (pixels.permute(0, 3, 1, 2).float() / 255 - net.mean) / net.std
    net.eval()
    every = embeddings(shown)
    if family == "clip":
        every = net.towers.vision_model.pre_layrnorm(every)
        torch.testing.assert_close(seen[-1][:, 0], every[:, 0])
    kept = [{int((every[b] - row).abs().sum(1).argmin()) for row in seen[-1][b]} for b in range(4)]
    assert all(len(k) == 4 + always for k in kept) and len(set(map(frozenset, kept))) > 1


def test_a_locked_picture_tower_has_no_gradients():
    net = made(locked=True)
    image, text = net(*inputs())
    (image @ text.T).sum().backward()
    assert not image.requires_grad
    learning = {name.split(".")[1] for name, p in net.named_parameters() if p.requires_grad}
    assert learning == {"text_model", "text_projection"}


def test_the_published_sizes():
    shape = NETWORKS["ViT-B/32"]
    assert (shape.width, shape.layers, shape.text_width, shape.dim) == (768, 12, 512, 512)
    with torch.device("meta"):
        import transformers

        text = {
            "hidden_size": 512,
            "num_hidden_layers": 12,
            "num_attention_heads": 8,
            "intermediate_size": 2048,
        }
        expected = transformers.CLIPModel(transformers.CLIPConfig(text_config=text, projection_dim=512))
    with torch.device("meta"), torch.no_grad():
        built = dual_towers("clip", shape, size=224, context=77, tokens=49_408)
    count = lambda model: sum(p.numel() for p in model.parameters())  # noqa: E731
    assert count(built) == count(expected) == 151_277_313  # as published
    with pytest.raises(SaysoError, match="patches of 8"):
        dual_towers("clip", SMALL, size=30, context=12, tokens=1000)
    with pytest.raises(SaysoError, match="heads"):
        dual_towers("clip", TowerShape(8, 129, 1, 129, 1, 8), size=32, context=12, tokens=1000)

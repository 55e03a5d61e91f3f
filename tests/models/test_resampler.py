"""The resampler and the gated block: a loop over tokens, the published modules' numbers, random markers."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.core.errors import SaysoError
from sayso.models.flamingo_dialects import translated
from sayso.models.gated_cross_attention import (
    GatedCrossAttention,
    MediaMask,
    media_mask,
    picture_numbers,
)
from sayso.models.resampler import PerceiverAttention, Resampler

PUBLISHED, MINI = (
    json.loads((Path(__file__).parent / f"{name}.json").read_text())
    for name in ("open_flamingo", "flamingo_mini")
)


def filled(shapes_by_name):
    """Return the weights that the published modules had: sines, by the names in their order."""
    weights = {}
    for n, (name, shape) in enumerate(sorted(shapes_by_name.items())):
        wave = (torch.arange(math.prod(shape), dtype=torch.float64) * 0.7 + n).sin().reshape(shape)
        scale = 0.5 if "gate" in name else 0.4 if len(shape) < 2 else 1 / math.sqrt(shape[-1])
        norm = name.endswith("weight") and len(shape) == 1
        weights[name] = 1 + 0.1 * wave if norm else scale * wave
    return weights


def fill(module):
    """Give a module such weights."""
    module.double().load_state_dict(filled(shapes(module)))
    return module.eval()


def waves(*shape):
    return (torch.arange(math.prod(shape), dtype=torch.float64) * 1.3 + len(shape)).cos().reshape(shape)


def shapes(module):
    return {name: list(weight.shape) for name, weight in module.state_dict().items()}


def test_the_published_resampler_has_these_names_and_numbers():
    made = fill(Resampler(12, depth=2, heads=3, head_dim=4, latents=5, frames=2, media=3))
    assert shapes(made) == PUBLISHED["resampler"]["shapes"]
    found = made(waves(2, 3, 2, 4, 12)).flatten()
    torch.testing.assert_close(found, torch.tensor(PUBLISHED["resampler"]["out"]).double(), rtol=0, atol=1e-6)


def test_the_published_block_has_these_names_and_numbers():
    made, told = fill(GatedCrossAttention(10, 12, heads=3, head_dim=4)), PUBLISHED["block"]
    assert shapes(made) == told["shapes"]
    markers, media = torch.tensor(told["markers"]).bool(), waves(2, 2, 5, 12)
    for attend, key in (("last", "out"), ("all", "out_all")):
        mask = media_mask(picture_numbers(markers, attend), 2, 5, attend)
        found = made(waves(2, 7, 10), made.keys(media), mask)
        expected = torch.tensor(told[key]).double().view(2, 7, 10)
        before = markers.cumsum(1) == 0 if attend == "all" else torch.zeros(2, 7, dtype=torch.bool)
        torch.testing.assert_close(found[~before], expected[~before], rtol=0, atol=1e-6)
        assert not before.any() or (found[before] - expected[before]).abs().max() > 1e-3  # what is not copied


def test_the_published_size():
    assert sum(weight.numel() for weight in Resampler(1024).parameters()) == 63_019_008


def attention_loop(q, k, v, heads, open_to):
    """Return softmax(q k / sqrt d) v, a token and a head at a time; zeros for a token that sees nothing."""
    out = torch.zeros_like(q)
    d = q.shape[1] // heads
    for t in range(len(q)):
        for h in range(heads):
            part = slice(h * d, (h + 1) * d)
            places = [s for s in range(len(k)) if open_to(t, s)]
            if places:
                scores = torch.stack([(q[t, part] * k[s, part]).sum() / math.sqrt(d) for s in places])
                weights = scores.exp() / scores.exp().sum()
                out[t, part] = sum(w * v[s, part] for w, s in zip(weights, places, strict=True))
    return out


def norm(x, layer):
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + layer.eps).sqrt() * layer.weight + layer.bias


def gelu(x):
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def forward_loop(x, layers):
    return gelu(norm(x, layers[0]) @ layers[1].weight.T) @ layers[3].weight.T


def test_the_resampler_is_a_loop_over_latents():
    made = fill(Resampler(6, depth=2, heads=2, head_dim=4, latents=3, dim_in=5, places=4, frames=2))
    x = waves(2, 2, 4, 5)
    found = made(x)
    for b in range(2):
        media = norm(x[b], made.project[0]) @ made.project[1].weight.T + made.project[1].bias
        media = (media + made.place_embs[None] + made.frame_embs[:, None]).reshape(8, 6)
        latents = made.latents
        for attention, forward in made.layers:
            both = torch.cat([norm(media, attention.norm_media), norm(latents, attention.norm_latents)])
            k, v = (both @ attention.to_kv.weight.T).chunk(2, 1)
            q = norm(latents, attention.norm_latents) @ attention.to_q.weight.T
            seen = attention_loop(q, k, v, 2, lambda t, s: True)
            latents = latents + seen @ attention.to_out.weight.T
            latents = latents + forward_loop(latents, forward)
        torch.testing.assert_close(found[b], norm(latents, made.norm), rtol=0, atol=1e-10)
    torch.testing.assert_close(made(x[0]), found[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(made(x[:, None])[:, 0], found, rtol=0, atol=1e-12)


def sees(markers, t, j, attend):
    """Tell whether token t sees picture j (from 0), from the words of the definition."""
    before = [p for p in range(t + 1) if markers[p]]
    if attend == "all":
        return j < len(before)
    if attend == "last":
        return bool(before) and j == len(before) - 1
    own = [p for p in range(len(markers)) if markers[p]]
    return next((n for n, p in enumerate(own) if p >= t), None) == j


@given(
    rows=st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=3),
    left=st.integers(0, 2),
    right=st.integers(0, 2),
    attend=st.sampled_from(["last", "all", "next"]),
    everywhere=st.booleans(),
)
@settings(max_examples=60)
def test_masks_are_the_definition_for_any_markers_and_padding(rows, left, right, attend, everywhere):
    R, W, D = 2, 6, 5
    padded = [[False] * left + row + [False] * right for row in rows]
    markers = torch.tensor(padded)
    pictures = max(1, int(markers.sum(1).max()))
    made = fill(GatedCrossAttention(W, D, heads=2, head_dim=4, ff_everywhere=everywhere))
    y, media = waves(len(rows), markers.shape[1], W), waves(len(rows), pictures, R, D)
    mask = media_mask(picture_numbers(markers, attend), pictures, R, attend)
    found = made(y, made.keys(media), mask)
    for b, row in enumerate(padded):
        k, v = (media[b].flatten(0, 1) @ made.attn.to_kv.weight.T).chunk(2, 1)
        q = norm(y[b], made.attn.norm) @ made.attn.to_q.weight.T
        seen = attention_loop(q, k, v, 2, lambda t, s, row=row: sees(row, t, s // R, attend))
        expected = y[b] + made.attn_gate.tanh() * (seen @ made.attn.to_out.weight.T)
        any_seen = torch.tensor(
            [[any(sees(row, t, j, attend) for j in range(pictures))] for t in range(len(row))]
        )
        forward = made.ff_gate.tanh() * forward_loop(expected, made.ff)
        expected = expected + (forward if everywhere else forward * any_seen)
        torch.testing.assert_close(found[b], expected, rtol=0, atol=1e-10)


def test_zero_gates_change_no_bit():
    made = GatedCrossAttention(6, 5, heads=2, head_dim=4)
    y, markers = torch.randn(2, 7, 6), torch.tensor([[0, 1, 0, 0, 1, 0, 0], [0, 0, 0, 1, 0, 0, 0]]).bool()
    mask = media_mask(picture_numbers(markers), 2, 3)
    assert torch.equal(made(y, made.keys(torch.randn(2, 2, 3, 5)), mask), y)


def test_the_last_picture_alone_is_what_generated_text_sees():
    made = fill(GatedCrossAttention(6, 5, heads=2, head_dim=4))
    media, counts = waves(3, 3, 2, 5), torch.tensor([3, 1, 0])
    markers = torch.zeros(3, 5, dtype=torch.bool)
    markers[0, :3] = markers[1, 2] = True
    y, keys = waves(3, 5, 6), made.keys(media)
    whole = made(y, keys, media_mask(picture_numbers(markers), 3, 2))[:, -1:]
    alone = MediaMask(None, (counts > 0)[:, None, None])
    last = keys.last(counts, 2)
    torch.testing.assert_close(made(y[:, -1:], last, alone), whole, rtol=0, atol=1e-12)
    twice = made(
        y[:, -1:].repeat_interleave(2, 0), last.repeat(2), MediaMask(None, alone.seen.repeat_interleave(2, 0))
    )
    torch.testing.assert_close(twice, whole.repeat_interleave(2, 0), rtol=0, atol=1e-12)


def test_gradients():
    torch.manual_seed(0)
    block = fill(GatedCrossAttention(4, 3, heads=1, head_dim=2))
    markers = torch.tensor([[0, 1, 0, 1]]).bool()
    mask = media_mask(picture_numbers(markers), 2, 2)
    y, media = (
        torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in ((1, 4, 4), (1, 2, 2, 3))
    )
    names, weights = zip(*block.named_parameters(), strict=True)

    def run(y, media, *values):
        from torch.func import functional_call

        def both(y, media):
            return functional_call(block, dict(zip(names, values, strict=True)), (y, keys(media), mask))

        def keys(media):
            w = dict(zip(names, values, strict=True))["attn.to_kv.weight"]
            k, v = (media.flatten(1, 2) @ w.T).chunk(2, -1)
            return type(block.keys(media))(k[:, None], v[:, None])

        return both(y, media)

    assert torch.autograd.gradcheck(run, (y, media, *weights))
    resampler = fill(Resampler(3, depth=1, heads=1, head_dim=2, latents=2))
    assert torch.autograd.gradcheck(
        resampler, torch.randn(1, 2, 2, 3, dtype=torch.float64, requires_grad=True)
    )


def test_flamingo_mini_s_files_give_its_numbers():
    state = translated(filled(MINI["resampler"]["shapes"]), "flamingo_mini", "resampler")
    made = Resampler(12, depth=2, heads=3, head_dim=4, latents=5, frames=2).double()
    made.load_state_dict(state)
    expected = torch.tensor(MINI["resampler"]["out"]).double()
    torch.testing.assert_close(made(waves(3, 2, 4, 12)).flatten(), expected, rtol=0, atol=1e-6)

    block = GatedCrossAttention(10, 12, heads=3, head_dim=4).double()
    block.load_state_dict(translated(filled(MINI["block"]["shapes"]), "flamingo_mini", "block"))
    markers = torch.tensor(MINI["block"]["markers"]).bool()
    mask = media_mask(picture_numbers(markers), 2, 5)
    found = block(waves(2, 7, 10), block.keys(waves(2, 2, 5, 12)), mask).flatten()
    torch.testing.assert_close(found, torch.tensor(MINI["block"]["out"]).double(), rtol=0, atol=1e-6)


def test_keys_without_their_values_are_told():
    half = filled(MINI["resampler"]["shapes"])
    del half["layers.1.0.to_v.weight"]
    with pytest.raises(SaysoError, match=r"without its values"):
        translated(half, "flamingo_mini", "resampler")


@pytest.mark.parametrize("alpha", ["float", "vector"])
@pytest.mark.parametrize("qk_norms", [False, True])
def test_idefics_block_and_resampler_are_those_of_transformers(alpha, qk_norms):
    from transformers import IdeficsConfig
    from transformers.models.idefics.modeling_idefics import IdeficsGatedCrossAttentionLayer
    from transformers.models.idefics.perceiver import IdeficsPerceiverResampler

    config = IdeficsConfig(
        hidden_size=12, intermediate_size=20, num_attention_heads=3, alpha_type=alpha,
        qk_layer_norms=qk_norms, alpha_initializer="zeros", dropout=0.0, vision_config={"embed_dim": 12},
        perceiver_config={"qk_layer_norms_perceiver": qk_norms},
    )  # fmt: skip
    config._attn_implementation = "eager"
    torch.manual_seed(0)
    theirs = IdeficsGatedCrossAttentionLayer(config, layer_idx=0)
    for weight in theirs.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    theirs = theirs.double().eval()
    ours = GatedCrossAttention(
        12, 12, heads=3, head_dim=4, style="idefics", hidden=20, vector_gates=alpha == "vector",
        qk_norms=qk_norms, eps=config.rms_norm_eps,
    ).double()  # fmt: skip
    state = translated(theirs.state_dict(), "idefics", "block")
    ours.load_state_dict(state)
    markers = torch.tensor([[0, 1, 0, 0, 1, 0]]).bool()
    mask = media_mask(picture_numbers(markers), 2, 3)
    y, media = waves(1, 6, 12), waves(1, 2, 3, 12)
    bias = torch.zeros(1, 1, 6, 6).double().masked_fill(~mask.keys, -torch.inf)
    expected = theirs(y, None, media.flatten(1, 2), bias, cross_attention_gate=markers.cumsum(1).clamp(max=1))
    torch.testing.assert_close(ours(y, ours.keys(media), mask), expected, rtol=0, atol=1e-6)

    theirs = IdeficsPerceiverResampler(config, 12, 2, 3, 4, 5).double().eval()
    ours = Resampler(
        12, depth=2, heads=3, head_dim=4, latents=5, activation="relu", qk_norms=qk_norms
    ).double()
    ours.load_state_dict(translated(theirs.state_dict(), "idefics", "resampler"))
    x = waves(2, 7, 12)
    torch.testing.assert_close(ours(x[:, None]), theirs(x), rtol=0, atol=1e-6)


def test_attention_of_the_resampler_is_dropped_only_in_training():
    made = Resampler(6, depth=1, heads=2, head_dim=4, latents=3, dropout=0.5)
    x = torch.randn(1, 1, 4, 6)
    assert torch.equal(made.eval()(x), made(x))
    made.train()
    assert not torch.equal(made(x), made(x))
    assert isinstance(made.layers[0][0], PerceiverAttention)


@pytest.mark.parametrize("rows", [1, 3])
def test_a_row_in_bfloat16_is_the_general_product_and_is_added_up_in_float32(rows):
    torch.manual_seed(0)
    block = GatedCrossAttention(32, 24, heads=2, head_dim=8)
    block.attn_gate.data.fill_(0.5)
    block.ff_gate.data.fill_(0.5)
    y, media = torch.randn(rows, 1, 32) * 100, torch.randn(rows, 2, 3, 24)
    mask = media_mask(torch.full((rows, 1), 2), 2, 3)
    with torch.inference_mode():
        exact = block(y, block.keys(media), mask)
        half = copy.deepcopy(block).bfloat16()
        found = half(y, half.keys(media.bfloat16()), mask)
        assert found.dtype == torch.float32
        added = (exact - y).abs().max()
        assert 0 < (found - exact).abs().max() < 0.03 * added, "y itself, 100 times larger, is not rounded"
        x = torch.randn(rows, 1, 32).bfloat16()
        layer = half.ff[1]
        torch.testing.assert_close(layer(x), F.linear(x, layer.weight), rtol=1e-2, atol=1e-2)
        assert layer(x).shape == (rows, 1, 128)

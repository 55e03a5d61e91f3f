"""Flamingo on four families of language models: what it is before training, and while it answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sayso
from generators import lms
from sayso.core.errors import SaysoError
from sayso.encoders import load_backbone
from sayso.encoders.backbones import visual_tokens
from sayso.generators import Decoding, Exchange, Prompt
from sayso.generators.base import Generator
from sayso.generators.conditioning import FlamingoNet, FlamingoShape, PicturesSeen
from sayso.generators.flamingo import Flamingo
from sayso.generators.language import load_language_model
from sayso.models.gated_cross_attention import picture_numbers

SMALL = FlamingoShape(
    dim=24, depth=1, heads=2, head_dim=8, latents=3, block_heads=2, layers=(1, 3), dim_in=24
)


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("parts")
    made = {family: lms.save_lm(root / family, family) for family in lms.FAMILIES}
    return {**made, "tower": lms.save_tower(root / "tower")}


def network(folders, family="llama", *, open_gates=True, **changes):
    torch.manual_seed(1)
    language = load_language_model(str(folders[family]))
    net = FlamingoNet(FlamingoShape(**{**vars(SMALL), **changes}), language).eval()
    if open_gates:
        for block in net.blocks:
            block.attn_gate.data.fill_(1.5)
            block.ff_gate.data.fill_(0.7)
            block.attn.to_out.weight.data.mul_(8)
    return net


@pytest.fixture(scope="module")
def towers(folders):
    return load_backbone(str(folders["tower"]))


@pytest.fixture(scope="module")
def models(folders, towers):
    return {
        family: Flamingo(network(folders, family), towers, size=24, name=family, device="cpu")
        for family in lms.FAMILIES
    }


def asked(photos):
    shots = [Exchange("", (photos[3],), "a small cat"), Exchange("", (photos[2],), "the red car")]
    return [
        Prompt.ask("what is this?", [photos[0]]),
        Prompt.ask("", [photos[1]], shots=shots),
        Prompt.ask("is it a small red car on the ball?"),
        Prompt.ask("how many?", photos[:2]),
    ]


@pytest.mark.parametrize("family", lms.FAMILIES)
def test_zero_gates_are_the_language_model_bit_for_bit(folders, family):
    net = network(folders, family, open_gates=False)
    language = net.language
    ids = torch.tensor([language.encode("a <image>cat on <image>the ball<|endofchunk|>")] * 2)
    numbers = picture_numbers(ids == language.markers.image)
    seen = PicturesSeen(net, torch.randn(4, 3, 24), torch.tensor([2, 2]), numbers)
    with torch.no_grad():
        expected = language.model(ids).logits
        with seen.by(language):
            found = language.model(ids).logits
        assert torch.equal(found, expected)
        assert torch.equal(language.model(ids).logits, expected)
        for block in net.blocks:
            block.attn_gate.fill_(0.1)
        with seen.by(language):
            assert not torch.equal(language.model(ids).logits, expected)


@pytest.mark.parametrize(("everywhere", "same"), [(False, True), (True, False)])
def test_after_training_text_alone_is_the_language_model_s_if_asked_for(folders, everywhere, same):
    net = network(folders, ff_everywhere=everywhere)
    ids = torch.tensor([net.language.encode("a cat on the ball")])
    numbers = picture_numbers(ids == net.language.markers.image)
    none = PicturesSeen(net, torch.zeros(0, 3, 24), torch.zeros(1, dtype=torch.long), numbers)
    with torch.no_grad():
        expected = net.language.hidden(ids)
        with none.by(net.language):
            assert torch.equal(net.language.hidden(ids), expected) == same
        both = torch.cat([ids, torch.tensor([[net.language.markers.image, *ids[0, 1:]]])])
        numbers = picture_numbers(both == net.language.markers.image)
        seen = PicturesSeen(net, torch.randn(1, 3, 24), torch.tensor([0, 1]), numbers)
        with seen.by(net.language):
            mixed = net.language.hidden(both)
        with none.by(net.language):
            torch.testing.assert_close(mixed[:1], net.language.hidden(ids), rtol=0, atol=1e-5)


@pytest.mark.parametrize("family", ["llama", "gpt_neox"])
def test_layers_below_the_first_block_run_once_and_alone(folders, family):
    net = network(folders, family)
    language = net.language
    ids = torch.tensor(
        [language.encode("a <image>cat on the ball"), language.encode("the <image>dog is it ?")]
    )
    numbers = picture_numbers(ids == language.markers.image)
    features, counts = torch.randn(2, 1, 9, 24), torch.tensor([1, 1])
    runs = []
    handles = [
        layer.register_forward_hook(lambda *_, n=n: runs.append(n)) for n, layer in enumerate(language.layers)
    ]
    below = language.lower(ids, 1)
    assert runs == [0]
    found = net(below, features, counts, numbers)
    assert runs == [0, 1, 2, 3]
    for handle in handles:
        handle.remove()
    with PicturesSeen(net, net.resample(list(features)), counts, numbers).by(language):
        torch.testing.assert_close(found, language.hidden(ids), rtol=0, atol=1e-5)
    found.sum().backward()
    assert not below.requires_grad
    assert all(weight.grad is None for weight in language.model.parameters())
    assert all(weight.grad is not None for weight in net.parameters())
    assert not any(name.startswith("language") for name, _ in net.named_parameters())


@pytest.mark.parametrize("family", lms.FAMILIES)
@pytest.mark.parametrize("beams", [1, 3])
def test_cached_is_uncached_and_a_batch_is_one_by_one(models, photos, family, beams):
    lms.check_generation(models[family], asked(photos), beams, tokens=7, different=3)


@pytest.mark.parametrize("family", lms.FAMILIES)
def test_candidates_share_the_prompt_and_score_as_one_by_one(models, photos, family):
    model, prompts = models[family], asked(photos)
    candidates = ["yes", "no maybe", "a small red ball"]
    found = model.log_likelihood(prompts, candidates)
    for b, prompt in enumerate(prompts):
        for c, answer in enumerate(candidates):
            ids, _, seen = model._inputs([prompt])
            told = torch.tensor([model.language.encode(answer, begin=False)])
            whole = torch.cat([ids, told], 1)
            seen.numbers = torch.cat([seen.numbers, seen.numbers[:, -1:].expand(1, told.shape[1])], 1)
            with torch.no_grad(), seen.by(model.language):
                logits = model.language.model(whole).logits[0, ids.shape[1] - 1 : -1]
            alone = logits.double().log_softmax(1).gather(1, told.T).sum()
            assert found[b, c] == pytest.approx(float(alone), abs=1e-5)
    each = model.log_likelihood(prompts, candidates, per_token=True)
    np.testing.assert_allclose(each * [1, 2, 4], found, rtol=1e-9)
    assert (model.log_likelihood(prompts, candidates, end=True) < found).all()


def test_with_one_picture_the_last_is_all_and_with_two_it_is_not(folders, towers, photos):
    last, every = (
        Flamingo(network(folders, attend=attend), towers, size=24, device="cpu") for attend in ("last", "all")
    )
    for pictures, same in ((photos[:1], True), (photos[:2], False)):
        one, two = (m.log_likelihood([Prompt.ask("what?", pictures)], ["a cat"])[0, 0] for m in (last, every))
        assert (one == pytest.approx(two, abs=1e-6)) == same
    decoding, prompts = Decoding(max_new_tokens=6), asked(photos)
    assert every.generate(prompts, decoding) == every.generate(prompts, decoding, use_cache=False)


def test_the_tower_runs_once_a_picture_whatever_the_beam(models, photos, monkeypatch):
    model, pictures = models["llama"], []
    real = visual_tokens

    def count(backbone, pixels):
        pictures.append(len(pixels))
        return real(backbone, pixels)

    monkeypatch.setattr("sayso.generators.visual_language.visual_tokens", count)
    model._features.clear()
    for _ in range(2):  # four different pictures, six marks; then again
        model.generate(asked(photos), Decoding(max_new_tokens=5, beams=3))
    assert pictures == [4]


def test_clip_tokens_come_before_the_last_norm_and_without_the_class_token(towers):
    pixels = torch.randint(0, 256, (2, 24, 24, 3), dtype=torch.uint8)
    tokens = visual_tokens(towers, pixels)
    assert tokens.shape == (2, 9, 24)
    shown = (pixels.permute(0, 3, 1, 2).float() - towers.mean) / towers.std
    with torch.no_grad():
        last = towers.model(pixel_values=shown).last_hidden_state[:, 1:]
    torch.testing.assert_close(tokens, last, rtol=0, atol=1e-5)


def test_blocks_in_bfloat16_score_nearly_as_in_float32(folders, towers, photos):
    exact = Flamingo(network(folders), towers, size=24, device="cpu")
    half = Flamingo(network(folders).bfloat16(), towers, size=24, device="cpu")
    assert half.language.dtype == torch.float32
    scores = [model.log_likelihood(asked(photos)[:2], ["a cat", "yes"]) for model in (exact, half)]
    np.testing.assert_allclose(*scores, rtol=0.03)
    assert not np.array_equal(*scores)


def test_clips_of_different_lengths_are_resampled_together(folders, towers, photos):
    model = Flamingo(network(folders, frames=8), towers, size=24, device="cpu")
    rng = np.random.default_rng(0)
    clips = [rng.integers(0, 256, (length, 20, 20, 3), dtype=np.uint8) for length in (2, 5, 40)]
    prompts = [Prompt.ask("what happens?", [picture]) for picture in (*clips, photos[0])]
    together = model.log_likelihood(prompts, ["a cat"])
    alone = [model.log_likelihood([prompt], ["a cat"])[0] for prompt in prompts]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert len(set(together[:, 0].round(4))) == 4


def test_it_is_saved_without_the_language_model_and_loads(models, folders, photos, tmp_path):
    model, prompts = models["gpt_neox"], asked(photos)
    assert isinstance(model, Generator)
    model.language.name = str(folders["gpt_neox"])
    model.save_pretrained(tmp_path / "saved")
    size = sum(file.stat().st_size for file in (tmp_path / "saved").iterdir())
    trained = sum(weight.numel() for weight in model.net.parameters())
    assert size < 4 * trained + 40_000
    again = sayso.load(str(tmp_path / "saved"), device="cpu")
    assert again.sha256 == model.sha256
    assert again.generate(prompts, Decoding(max_new_tokens=6)) == model.generate(
        prompts, Decoding(max_new_tokens=6)
    )
    assert again.made_by.startswith("Flamingo of ")


def test_another_language_model_is_refused(folders, towers, tmp_path):
    folder = lms.save_lm(tmp_path / "lm", "llama")
    net = network({"llama": folder})
    Flamingo(net, towers, size=24, device="cpu").save_pretrained(tmp_path / "saved")
    lms.save_lm(tmp_path / "lm", "llama", seed=5)
    with pytest.raises(SaysoError, match=r"is not the one that .* was trained with"):
        sayso.load(str(tmp_path / "saved"), device="cpu")
    with pytest.raises(SaysoError, match="before layers 0 to 3"):
        network(folders, layers=(1, 4))

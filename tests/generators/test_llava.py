"""LLaVA on four families of language models: its pictures among the words, and while it answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sayso
from generators import lms
from sayso.core.errors import SaysoError
from sayso.encoders.backbones import load_backbone
from sayso.generators import Decoding, Exchange, Prompt
from sayso.generators.base import Generator
from sayso.generators.language import load_language_model
from sayso.generators.llava import Llava, LlavaNet, LlavaShape

SHAPE = LlavaShape(dim_in=24, places=9, grid=2)


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("llava-parts")
    made = {family: lms.save_lm(root / family, family) for family in lms.FAMILIES}
    return {**made, "tower": lms.save_tower(root / "tower")}


def model_of(folders, family="llama", **changes):
    language = load_language_model(str(folders[family]))
    torch.manual_seed(1)
    net = LlavaNet(LlavaShape(**{**vars(SHAPE), **changes}), language)
    net.project[3].weight.data.mul_(3)
    backbone = load_backbone(str(folders["tower"]))
    return Llava(net, backbone, size=24, lead=" ", name=family, device="cpu")


@pytest.fixture(scope="module")
def models(folders):
    return {family: model_of(folders, family) for family in lms.FAMILIES}


def asked(photos):
    clip = np.stack([photos[1], 255 - photos[1]])
    shots = [Exchange("", (photos[3],), "a small cat"), Exchange("", (photos[2],), "the red car")]
    return [
        Prompt.ask("", [photos[0]]),
        Prompt.ask("", [photos[1]], shots=shots),
        Prompt.ask("what is this, and this?", [photos[2], clip]).then("a dog", "how many?"),
        Prompt.ask("is it a small red car on the ball?"),
    ]


def plain_embeddings(model, row, pictures):
    """Return a row's embeddings, a token at a time; a mark becomes 2 x 2 means, through two layers."""
    table = model.language.model.get_input_embeddings().weight
    norm, first, _, last = model.net.project
    out, remaining = [], iter(pictures)
    for token in row:
        if token != model.language.markers.image:
            out.append(table[token])
            continue
        for frame in next(remaining):
            cells = frame.reshape(3, 3, -1)
            for top in (0, 1):
                for left in (0, 1):
                    mean = cells[top : top + 2, left : left + 2].mean((0, 1))
                    mean = (mean - mean.mean()) / (mean.var(unbiased=False) + norm.eps).sqrt()
                    x = first.weight @ (mean * norm.weight + norm.bias) + first.bias
                    x = 0.5 * x * (1 + torch.erf(x / 2**0.5))
                    out.append(last.weight @ x + last.bias)
    return torch.stack(out)


@pytest.mark.parametrize("family", lms.FAMILIES)
def test_each_picture_stands_where_its_mark_was_and_nowhere_else(models, photos, family):
    model, image = models[family], models[family].language.markers.image
    first, second = model.encode_pictures([Prompt.ask("", photos[:2])])
    clip = torch.cat([first, second])
    words = model.language.encode("the cat and dog")
    row = [*words[:2], image, *words[2:], image, 5]
    with torch.no_grad():
        ids, mask, seen = model.see(
            [row, [4, image, 6], [7, 8]], [first, clip, second], torch.tensor([2, 1, 0])
        )
        got = {}
        handle = model.language.model.get_input_embeddings().register_forward_hook(
            lambda _, __, out: got.update(out=out)
        )
        with seen.by(model.language):
            model.language.hidden(ids, mask)
        handle.remove()
        with seen.by(model.language):
            found = model.language.model.get_input_embeddings()(ids)
        expected = [
            plain_embeddings(model, row, [first, clip]),
            plain_embeddings(model, [4, image, 6], [second]),
            plain_embeddings(model, [7, 8], []),
        ]
    assert mask.sum(1).tolist() == [len(row) - 2 + 4 + 8, 2 + 4, 2] == [len(one) for one in expected]
    for b, one in enumerate(expected):
        torch.testing.assert_close(found[b, -len(one) :], one, rtol=1e-4, atol=1e-4)
    assert not torch.equal(found, got["out"]), "afterwards the table is its own again"


@pytest.mark.parametrize("family", lms.FAMILIES)
@pytest.mark.parametrize("beams", [1, 3])
def test_cached_is_uncached_and_a_batch_is_one_by_one(models, photos, family, beams):
    lms.check_generation(models[family], asked(photos), beams, tokens=6, different=2)


@pytest.mark.parametrize("family", lms.FAMILIES)
def test_candidates_share_the_prompt_and_score_as_one_by_one(models, photos, family):
    model, prompts = models[family], asked(photos)
    candidates = ["yes", "no maybe", "a small red ball"]
    found = model.log_likelihood(prompts, candidates)
    for b, prompt in enumerate(prompts):
        for c, answer in enumerate(candidates):
            ids, _, seen = model._inputs([prompt])
            told = torch.tensor([model.language.encode(" " + answer, begin=False)])
            with torch.no_grad(), seen.by(model.language):
                logits = model.language.model(torch.cat([ids, told], 1)).logits[0, ids.shape[1] - 1 : -1]
            alone = logits.double().log_softmax(1).gather(1, told.T).sum()
            assert found[b, c] == pytest.approx(float(alone), abs=1e-5)
    other = model.log_likelihood([Prompt.ask("", [photos[3]])], candidates)
    assert (abs(other - found[0]) > 1e-3).all(), "it looks at the picture"


def test_as_published_all_visual_tokens_are_words(folders, photos):
    model = model_of(folders, grid=0)
    ids, _, _ = model._inputs([Prompt.ask("", [photos[0]])])
    assert int((ids == model.language.markers.image).sum()) == 9
    with pytest.raises(SaysoError, match="grid must be at most 3"):
        LlavaShape(dim_in=24, places=9, grid=4)


@pytest.mark.parametrize("owns", [False, True])
def test_it_is_saved_and_loads_with_its_language_model_if_that_was_trained(folders, photos, tmp_path, owns):
    model = model_of(folders, "llama", owns_language=owns)
    if owns:
        with torch.no_grad():
            for weight in model.language.model.parameters():
                weight.add_(0.05)
    model.save_pretrained(tmp_path / "saved")
    again = sayso.load(str(tmp_path / "saved"), device="cpu")
    assert isinstance(again, Generator)
    assert again.sha256 == model.sha256
    prompts, decoding = asked(photos), Decoding(max_new_tokens=5)
    assert again.generate(prompts, decoding) == model.generate(prompts, decoding)
    assert again.made_by.startswith("LLaVA of ")
    whole = sum(weight.numel() for weight in model.language.model.parameters())
    assert (sum(weight.numel() for weight in again.net.parameters()) > whole) == owns


def test_words_that_mean_a_mark_to_the_tokeniser_are_no_picture(folders, photos, monkeypatch):
    model = model_of(folders)
    spare = model.language.markers.image
    monkeypatch.setattr(model.language, "markers", type(model.language.markers)(image=8, end=3))
    assert spare != 8
    word = model.language.tokenizer.decode([8])
    assert 8 not in model.language.encode(f"the {word} cat")
    assert model.generate([Prompt.ask(f"the {word}?", [photos[0]])], Decoding(max_new_tokens=2))

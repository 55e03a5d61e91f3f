"""Flamingo as a method: its loss is a plain model's, only what is trained changes, a run resumes exactly."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import sayso
from generators.colour_balls import COLOURS, save_parts
from sayso.core.config import changed
from sayso.core.errors import SaysoError
from sayso.core.progress import Silent
from sayso.data import Loader
from sayso.data.picture_pairs import read_picture_pairs
from sayso.engine.system import SYSTEMS
from sayso.engine.tensor_batch import TensorBatch
from sayso.generators import Decoding, Prompt, tower_features
from sayso.generators.conditioning import PicturesSeen
from sayso.models.gated_cross_attention import picture_numbers
from sayso.systems.flamingo import FlamingoMethod, Recipe, spell_caption

SMALL = {
    "size": 24, "views": 2, "layers": (1, 3), "dim": 16, "depth": 1, "heads": 2, "head_dim": 8, "latents": 3,
    "block_heads": 2, "dropout": 0.0, "batch_size": 8, "steps": 4, "warmup": 1, "save_every": 2,
    "log_every": 1, "workers": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """A language model, a tower, captioned pictures of four colours, and a page file."""
    root = tmp_path_factory.mktemp("flamingo")
    pages = [
        {
            "text": f"the <image> is {word} and <image> it is<|endofchunk|>",
            "images": [f"{n}.png", f"{n // 2}.png"],
        }
        for n, word in enumerate(save_parts(root))
    ]
    (root / "pages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in pages))
    return root


def recipe_for(parts, **changes):
    base = {"language_model": str(parts / "lm"), "backbone": str(parts / "tower"), **SMALL}
    return changed(Recipe(), {**base, **changes}, where="test")


def mixed(parts, **changes):
    both = {"episodes": str(parts / "pairs.jsonl"), "pages": str(parts / "pages.jsonl")}
    return recipe_for(parts, **both, shares=(4, 2, 2), weights=(1.0, 0.5, 0.2), **changes)


def method_of(recipe, parts, folder):
    return FlamingoMethod(recipe, read_picture_pairs(parts / "pairs.jsonl"), folder, Silent())


def first_batch(made):
    loader = Loader(made.dataset, 8, collate=made.collate, workers=0)
    return TensorBatch(next(iter(loader)), torch.device("cpu"))


def test_the_loss_is_that_of_a_plain_model_that_keeps_all(parts, tmp_path):
    made = method_of(mixed(parts), parts, tmp_path)
    for block in made.model.blocks:
        block.attn_gate.data.fill_(0.8)
        block.ff_gate.data.fill_(0.3)
    batch = first_batch(made)
    found = made.losses(made.model, batch)
    ids, counts = batch["ids"], batch["frames_counts"]
    assert list(found) == ["captions", "episodes", "pages"]
    assert counts.tolist() == [1, 1, 1, 1, 5, 5, 2, 2]
    latents = made.model.resample(list(batch["features"].float()[:, None]))
    seen = PicturesSeen(made.model, latents, counts, batch["numbers"])
    with seen.by(made.language):
        logits = made.language.model(ids).logits.detach()
    image, end, pause = made.markers.image, made.markers.end, made.language.encode("Output:", begin=False)
    for k, (name, weight) in enumerate(zip(found, (1.0, 0.5, 0.2), strict=True)):
        total, words = 0.0, 0
        for b in (batch["source"] == k).nonzero()[:, 0].tolist():
            row, inside = ids[b].tolist(), False
            for t, token in enumerate(row):
                quiet = token == image or row[max(0, t - 1) : t + 1] in ([image, pause[0]], pause)
                if inside and not quiet:
                    total += float(F.cross_entropy(logits[b, t - 1 : t].float(), ids[b, t : t + 1])) * weight
                    words += 1
                inside = (inside or token == image) and token != end
        assert float(found[name][0].detach()) == pytest.approx(total, rel=1e-4)
        assert int(found[name][1]) == words
    sum(value / weight for value, weight in found.values()).backward()
    assert all(weight.grad is not None for weight in made.model.parameters())
    assert all(weight.grad is None for weight in made.language.model.parameters())


def test_labels_leave_out_marks_and_what_stands_before_them(parts, tmp_path):
    made = method_of(recipe_for(parts), parts, tmp_path)
    text = "what is <image>Output: a cat<|endofchunk|> yes <image>the dog<|endofchunk|>"
    row = made.language.encode(text)
    told = [
        made.language.tokenizer.decode(t) for t, label in zip(row, made._labels(row), strict=True) if label
    ]
    assert told == ["a", "cat", "</s>", "the", "dog", "</s>"]


def test_pages_may_look_ahead(parts, tmp_path):
    made = method_of(mixed(parts, ahead=1.0), parts, tmp_path)
    batch = first_batch(made)
    image = made.markers.image
    row = (batch["source"] == 2).nonzero()[0, 0]
    ids, numbers = batch["ids"][row].tolist(), batch["numbers"][row].tolist()
    marks = [t for t, token in enumerate(ids) if token == image]
    assert numbers[: marks[0] + 1] == [1] * (marks[0] + 1)
    assert numbers[marks[0] + 1 : marks[1] + 1] == [2] * (marks[1] - marks[0])
    assert set(numbers[marks[1] + 1 :]) == {0}
    assert batch["numbers"][4].tolist() == picture_numbers(batch["ids"][4:5] == image)[0].tolist()
    captions = batch["numbers"][:4]
    assert captions.max() == 1


def test_texts_that_come_again_go_through_the_lower_layers_once(parts, tmp_path):
    made = method_of(recipe_for(parts), parts, tmp_path)
    batch, runs = first_batch(made), []
    handle = made.language.layers[0].register_forward_hook(lambda *_: runs.append(1))
    made.losses(made.model, batch)
    handle.remove()
    assert runs == []
    torch.testing.assert_close(
        made._below(batch["ids"])[0, :4], made.language.lower(batch["ids"][:1], 1)[0, :4], rtol=0, atol=1e-5
    )


def test_it_learns_colours_and_resumes_exactly(parts, tmp_path):
    recipe = recipe_for(
        parts,
        steps=60,
        save_every=30,
        lr=1e-2,
        gate_lr_multiplier=3.0,
        resampler_lr_multiplier=1.0,
        latents=4,
    )
    done = sayso.train("flamingo", parts / "pairs.jsonl", tmp_path / "whole", recipe=recipe)
    model = sayso.load(str(done.folder), device="cpu")
    pictures = [np.full((20, 20, 3), rgb, np.uint8) for rgb in COLOURS.values()]
    prompts = [Prompt.ask("", [picture]) for picture in pictures]
    scores = model.log_likelihood(prompts, [f"a {word} ball" for word in COLOURS])
    assert scores.argmax(1).tolist() == [0, 1, 2, 3]
    assert model.generate(prompts, Decoding(max_new_tokens=4)) == [f"a {word} ball" for word in COLOURS]
    state = torch.load(done.folder / "state.pt", weights_only=True)
    assert not any("language" in name for name in state["model"])
    assert (done.folder / "state.pt").stat().st_size < 13 * sum(
        w.numel() for w in model.net.parameters()
    ) + 60_000

    cut = shutil.copytree(tmp_path / "whole", tmp_path / "cut", symlinks=True)
    shutil.rmtree(cut / "step_00000060")
    again = sayso.train("flamingo", parts / "pairs.jsonl", cut, recipe=recipe, resume=True)
    resumed = torch.load(again.folder / "state.pt", weights_only=True)["model"]
    assert again.step == 60
    assert all(torch.equal(resumed[name], weight) for name, weight in state["model"].items())


def test_features_are_made_once_and_shared(parts, tmp_path, monkeypatch):
    recipe = recipe_for(parts, features=str(tmp_path / "shared"))
    first = method_of(recipe, parts, tmp_path / "one")
    monkeypatch.setattr("sayso.generators.tower_features.visual_tokens", lambda *_: pytest.fail("made again"))
    second = method_of(recipe, parts, tmp_path / "two")
    look = [made.dataset.datasets[0].look for made in (first, second)]
    for view in (0, 1):
        np.testing.assert_array_equal(look[0].of(3, view), look[1].of(3, view))
    assert look[0].of(3).shape == (1, 9, 24)
    assert not np.array_equal(look[0].of(3, 0), look[0].of(3, 1))


def test_the_recipe_and_the_registry(parts, tmp_path):
    assert SYSTEMS["flamingo"].recipe is Recipe
    with pytest.raises(SaysoError, match="there are 2 data sets"):
        recipe_for(parts, episodes="x.jsonl")
    with pytest.raises(SaysoError, match="multiple of 3"):
        recipe_for(parts, shares=(3,))
    assert spell_caption("a cat") == "<image>Output: a cat<|endofchunk|>"


def test_micro_batches_give_the_whole_batch_s_gradient(parts, tmp_path):
    runs = {}
    for size in (0, 3):
        recipe = mixed(parts, steps=3, save_every=3, micro_batch=size, features=str(tmp_path / "shared"))
        done = sayso.train("flamingo", parts / "pairs.jsonl", tmp_path / f"run{size}", recipe=recipe)
        runs[size] = torch.load(done.folder / "state.pt", weights_only=True)["model"]
    for name, weight in runs[0].items():
        torch.testing.assert_close(runs[3][name], weight, rtol=0, atol=2e-4)


def test_features_that_were_cut_off_go_on_where_they_were(parts, tmp_path, monkeypatch):
    recipe = recipe_for(parts, features=str(tmp_path / "shared"))
    whole = method_of(recipe_for(parts, features=str(tmp_path / "whole")), parts, tmp_path)
    shown, real = [], tower_features.visual_tokens

    def counted(backbone, pixels):
        shown.append(len(pixels) // 2)
        if len(shown) == 2:
            raise KeyboardInterrupt
        return real(backbone, pixels)

    monkeypatch.setattr(tower_features, "_WRITTEN", 8)
    monkeypatch.setattr(tower_features, "visual_tokens", counted)
    with pytest.raises(KeyboardInterrupt):
        method_of(recipe, parts, tmp_path)
    made = method_of(recipe, parts, tmp_path)
    assert shown == [16, 16, 16]
    for number in range(32):
        np.testing.assert_array_equal(
            made.dataset.datasets[0].look.of(number, 1), whole.dataset.datasets[0].look.of(number, 1)
        )


def test_a_picture_that_cannot_be_read_is_told_and_others_stand_in(parts, tmp_path, caplog):
    for file in parts.iterdir():
        if file.suffix in (".png", ".jsonl"):
            shutil.copy(file, tmp_path)
    (tmp_path / "5.png").write_bytes(b"\x89PNG no picture")
    recipe = recipe_for(parts, steps=4)
    done = sayso.train("flamingo", tmp_path / "pairs.jsonl", tmp_path / "run", recipe=recipe)
    assert done.step == 4
    assert any("5.png" in message for message in caplog.messages)
    assert all("5.png" in failure.error for failure in done.failures)


@pytest.mark.parametrize("everywhere", [False, True])
def test_words_without_a_picture_teach_nothing(parts, tmp_path, everywhere):
    made = method_of(recipe_for(parts, ff_everywhere=everywhere), parts, tmp_path)
    page = {"text": "no picture is here<|endofchunk|>", "pictures": [], "ahead": False, "source": 0}
    batch = TensorBatch(made.collate([page, page]), torch.device("cpu"))
    losses = made.losses(made.model, batch)
    sum(value for value, _ in losses.values()).backward()
    assert sum(int(words) for _, words in losses.values()) == 0
    assert all(weight.grad is not None and not weight.grad.any() for weight in made.model.parameters())


def test_a_micro_batch_without_pictures_changes_no_gradient(parts, tmp_path):
    """Two pages with pictures go first, then two without any; each part has a graph of its own."""
    made = method_of(recipe_for(parts), parts, tmp_path)
    for block in made.model.blocks:
        block.attn_gate.data.fill_(0.8)
    page = {"text": "no picture is here<|endofchunk|>", "pictures": [], "ahead": False, "source": 0}
    shown = [one for k in range(2) for one in made.dataset.sample(k, np.random.default_rng(k))]
    found = {}
    for name, groups in {"whole": [[*shown, page, page]], "parts": [shown, [page, page]]}.items():
        made.model.zero_grad()
        for group in groups:
            losses = made.losses(made.model, TensorBatch(made.collate(group), torch.device("cpu")))
            sum(value for value, _ in losses.values()).backward()
        found[name] = {key: weight.grad.clone() for key, weight in made.model.named_parameters()}
    assert any(gradient.any() for gradient in found["whole"].values())
    for key, gradient in found["whole"].items():
        torch.testing.assert_close(found["parts"][key], gradient, rtol=1e-4, atol=1e-6)

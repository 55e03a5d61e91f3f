"""MIL-NCE from narrated videos on disk to a model that indexes and searches."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import pytest
import torch

import command
import sayso
from sayso.core.config import changed, to_toml, with_flags
from sayso.core.errors import SaysoError
from sayso.data import Loader, read_corpus
from sayso.engine.system import SYSTEMS
from sayso.engine.tensor_batch import TensorBatch
from sayso.losses import max_margin, mil_nce
from sayso.systems.mil_nce import MilNce, Recipe
from sayso.toyworld import write_corpus
from sayso.training import _leave_cores, recipe_of

SMALL = [
    "frames=4", "fps=2.5", "size=32", "width=0.125", "dim=16", "hidden=32", "word_dim=12", "min_s=3.2",
    "bag_size=3", "batch_size=8", "steps=4", "warmup=2", "save_every=2", "log_every=1", "workers=0",
]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("toy") / "world", videos=10, test_clips=8, size=32)


class Kept:
    """Collates as a method does, and keeps the texts."""

    def __init__(self, made):
        self.made, self.texts = made, []

    def __call__(self, examples):
        self.texts = [one["texts"] for one in examples]
        return self.made.collate(examples)


def method(world, *flags):
    corpus = read_corpus(world / "train")
    made = MilNce(with_flags(Recipe(), [*SMALL, *flags]), corpus)
    collate = Kept(made)
    batch = TensorBatch(next(iter(Loader(made.dataset, 8, collate=collate, workers=0))), torch.device("cpu"))
    return made, batch, collate.texts


def test_a_bag_of_lines_becomes_a_bag_of_embeddings(world):
    made, batch, texts = method(world)
    frames, words = batch["frames"], batch["words"]
    assert (frames.shape, frames.dtype) == ((8, 4, 32, 32, 3), torch.uint8)
    assert words.shape == (8, 3, 16)
    known = ["", *made.tokenizer.words]
    assert [known[n] for n in words[2, 1] if n] == sayso.text.language.vocabulary.words_in(texts[2][1])[:16]
    made.model.eval()
    video, text = made.embed(made.model, batch)
    encoder = made.export(made.model)
    np.testing.assert_allclose(encoder.encode_text([texts[2][1]])[0], text[2, 1].detach(), atol=1e-5)
    found = encoder.encode_video(frames[:2].numpy())
    cosine = (found * video[:2].detach().numpy()).sum(1) / (
        np.linalg.norm(found, axis=1) * video[:2].detach().norm(dim=1).numpy()
    )
    assert cosine.min() > 0.999


@pytest.mark.parametrize(
    ("flags", "bag", "lines"),
    [([], "sum", 3), (["bag=first"], "sum", 1), (["bag=max"], "max", 3), (["bag=attention"], "attention", 3)],
)
def test_the_loss_is_that_of_the_bag(world, flags, bag, lines):
    made, batch, _ = method(world, *flags)
    embeddings = made.embed(made.model, batch)
    assert embeddings[1].shape[1] == lines
    torch.testing.assert_close(made.loss(embeddings, batch), mil_nce(*embeddings, bag=bag))


def test_cat_joins_the_lines_before_they_are_embedded(world):
    made, batch, texts = method(world, "bag=cat")
    words = batch["words"]
    assert words.shape == (8, 1, 48)
    joined = made.tokenizer([" ".join(texts[0])])
    torch.testing.assert_close(words[0], joined)


def test_max_margin_knows_which_clips_are_of_one_video(world):
    made, batch, _ = method(world, "loss=max_margin", "per_video=2", "intra=0.25", "margin=0.3")
    video, text = made.embed(made.model, batch)
    assert len(set(batch["video"].tolist())) == 4
    unit = torch.nn.functional.normalize
    expected = max_margin(unit(video, dim=1), unit(text[:, 0], dim=1), batch["video"], margin=0.3, intra=0.25)
    torch.testing.assert_close(made.loss((video, text), batch), expected)
    assert made.export(made.model).similarity == "cosine"
    assert method(world)[0].export(made.model).similarity == "dot"


def test_learned_words_learn_and_given_ones_do_not(world, tmp_path):
    assert method(world)[0].model.text.word_embd.weight.requires_grad
    corpus = read_corpus(world / "train")
    words = sayso.text.language.vocabulary.vocabulary(corpus.texts)[:5]
    (tmp_path / "vectors.txt").write_text("\n".join(f"{word} 1 2 3" for word in words))
    made, _, _ = method(world, f"word_vectors={tmp_path / 'vectors.txt'}")
    assert made.tokenizer.words == words
    assert made.model.text.word_embd.weight.shape == (6, 3)
    assert not made.model.text.word_embd.weight.requires_grad


def test_from_a_folder_of_videos_to_search(world, tmp_path):
    run, index = tmp_path / "run", tmp_path / "my.index"
    flags = [part for flag in SMALL for part in ("--set", flag)]
    train = [
        "train",
        "mil-nce",
        world / "train",
        "--out",
        run,
        "--test",
        world / "test" / "manifest.csv",
        *flags,
        "--json",
    ]
    done = command.sayso(*train)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["step"] == 4
    assert "10 videos" in done.stderr
    assert "R@10" in (run / "best" / "README.md").read_text()
    assert command.sayso(*train).returncode == 1
    more = command.sayso(*train[:5], "--resume", "--set", "steps=6", "--json")
    assert more.returncode == 0, more.stderr
    assert json.loads(more.stdout)["step"] == 6
    assert sayso.load(str(run)).dim == 16
    assert command.sayso("index", index, world / "test", "--model", run).returncode == 0
    found = command.sayso("search", index, "push the ball", "--json")
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout.splitlines()[0])["path"].endswith(".mp4")


def test_says_what_is_wrong_in_one_sentence(world, tmp_path):
    unknown = command.sayso("train", "mil-nce", world / "train", "--out", tmp_path / "run", "--set", "step=3")
    assert (unknown.returncode, unknown.stderr) == (
        2,
        "sayso: --set has the unknown key 'step'; did you mean 'steps'?\n",
    )
    (tmp_path / "none").mkdir()
    empty = command.sayso("train", "mil-nce", tmp_path / "none", "--out", tmp_path / "run")
    assert empty.returncode == 1
    assert empty.stderr.splitlines()[-1].startswith("sayso: ")
    corpus = read_corpus(world / "train")
    clips = MilNce(with_flags(Recipe(), SMALL), corpus).dataset
    with pytest.raises(SaysoError, match="an epoch has 10 items and a batch takes 64"):
        Loader(clips, 64)


def test_decoding_threads_get_cores_of_their_own(monkeypatch):
    asked = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    monkeypatch.setattr("sayso.training.cores", lambda: 4)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for workers in (1, 8, 0, None):
        _leave_cores(workers)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    _leave_cores(1)
    assert asked == [3, 1]


@pytest.mark.parametrize(
    ("system", "name", "lr"),
    [
        ("mil-nce", "mil-nce", 1e-3),
        ("mil-nce", "mil-nce-open", 1e-3),
        ("mil-nce", "mil-nce-toy", 1e-3),
        ("howto100m", "howto100m", 1e-4),
    ],
)
def test_shipped_recipes_are_recipes(system, name, lr):
    found = SYSTEMS[system]
    recipe = recipe_of(found, name)
    assert recipe.lr == lr
    assert changed(found.recipe(), tomllib.loads(to_toml(recipe)), where="here") == recipe


def test_the_recipe_of_the_open_code_has_its_bags_its_loss_and_its_clip():
    recipe = recipe_of(SYSTEMS["mil-nce"], "mil-nce-open")
    assert (recipe.bag_rule, recipe.bag_size, recipe.double_count, recipe.optimizer) == (
        "window",
        4,
        True,
        "adam",
    )
    assert (recipe.frames, recipe.fps, recipe.size, recipe.space_to_depth) == (16, 5.0, 224, False)
    assert round(recipe.steps * recipe.batch_size / 1_238_911) == 300

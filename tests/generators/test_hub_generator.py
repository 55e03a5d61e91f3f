"""Tiny random LLaVA, BLIP-2 and Idefics2 folders answer, stream and score through one interface."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sayso
from generators import vlms
from sayso.core.errors import SaysoError, Unavailable
from sayso.generators import Decoding, Exchange, HubGenerator, Prompt, load_generator
from sayso.generators.base import Generator

SIX = Decoding(max_new_tokens=6)


@pytest.fixture(scope="module")
def loaded(kin):
    return {kind: load_generator(str(folder), device="cpu") for kind, folder in kin.items()}


def asked(photos):
    texts = ["what is this?", "", "is it a small red car on the ball?"]
    return [Prompt.ask(text, [photo]) for text, photo in zip(texts, photos, strict=False)]


@pytest.mark.parametrize("kind", vlms.KINDS)
def test_a_batch_is_one_by_one_whole_and_streamed(loaded, photos, kind):
    model, prompts = loaded[kind], asked(photos)
    assert isinstance(model, Generator)
    assert isinstance(model, HubGenerator)
    together = model.generate(prompts, SIX)
    assert len(set(together)) == 3
    assert together == [model.generate([prompt], SIX)[0] for prompt in prompts]
    pieces = [list(model.stream(prompt, SIX)) for prompt in prompts]
    assert ["".join(parts).strip() for parts in pieces] == together
    assert max(map(len, pieces)) > 2


@pytest.mark.parametrize("kind", vlms.KINDS)
def test_another_picture_changes_what_is_said(loaded, photos, kind):
    model = loaded[kind]
    scores = [model.log_likelihood([Prompt.ask("what is this?", [photo])], ["a cat"]) for photo in photos]
    assert len({round(float(score[0, 0]), 6) for score in scores}) == len(photos)


@pytest.mark.parametrize("kind", vlms.KINDS)
def test_likelihoods_follow_from_the_logits_one_token_at_a_time(loaded, photos, kind):
    model, prompts = loaded[kind], asked(photos)
    found = model.log_likelihood(prompts, ["yes", "no maybe this"])
    assert found.shape == (3, 2)
    for row, prompt in zip(found, prompts, strict=True):
        inputs = model._inputs([prompt])
        for score, answer in zip(row, ["yes", "no maybe this"], strict=True):
            ids, total = inputs["input_ids"], 0.0
            for token in model._tokenizer(answer, add_special_tokens=False).input_ids:
                whole = {**inputs, "input_ids": ids, "attention_mask": torch.ones_like(ids)}
                if "mm_token_type_ids" in whole:  # Qwen2-VL's: 1 at pictures
                    whole["mm_token_type_ids"] = (ids == model._processor.image_token_id).int()
                with torch.no_grad():
                    logits = model._model(**whole).logits[0, -1]
                total += float(logits.log_softmax(0)[token])
                ids = torch.cat([ids, torch.tensor([[token]])], 1)
            assert score == pytest.approx(total, abs=2e-4)
    each = model.log_likelihood(prompts, ["yes", "no maybe this"], per_token=True)
    np.testing.assert_allclose(each, found / [1, 3], rtol=1e-9)


@pytest.mark.parametrize("kind", ["llava", "idefics2", "qwen2_vl"])
def test_examples_dialogues_clips_and_text_alone(loaded, photos, kind):
    model = loaded[kind]
    shots = [Exchange("what is this?", (photos[1],), "a cat")]
    prompts = [
        Prompt.ask("what is this?", [photos[0]], shots=shots),
        Prompt.ask("what is this?", [photos[0]]).then("a dog", "is it red?"),
        Prompt.ask("what is this?", [np.stack([photos[1], photos[1]])]),
    ]
    answers = model.generate(prompts, SIX)
    assert answers == [model.generate([prompt], SIX)[0] for prompt in prompts]
    assert model.generate([Prompt.ask("what is this?")], SIX)[0]
    assert model.generate(prompts[:1], Decoding(max_new_tokens=6, beams=3))[0]


def test_a_stream_that_is_closed_stops_the_model(loaded, photos):
    model = loaded["llava"]
    stream = model.stream(Prompt.ask("what is this?", [photos[0]]), Decoding(max_new_tokens=400))
    next(stream)
    stream.close()
    assert model.generate([Prompt.ask("what is this?", [photos[0]])], SIX)


def test_stop_ends_a_stream_before_it(loaded, photos):
    model, prompt = loaded["llava"], Prompt.ask("what is this?", [photos[0]])
    whole = model.generate([prompt], SIX)[0]
    word = whole.split()[2]
    until = Decoding(max_new_tokens=6, stop=(word,))
    assert "".join(model.stream(prompt, until)).strip() == model.generate([prompt], until)[0]
    assert model.generate([prompt], until)[0] == whole[: whole.index(word)].strip()


def test_what_a_model_cannot_take_is_one_sentence(loaded, photos, tmp_path, kin):
    with pytest.raises(SaysoError, match=r"takes one picture and one question; got 2 and 1"):
        loaded["blip-2"].generate([Prompt.ask("what?", photos[:2])])
    mute = vlms.save_vlm(tmp_path / "mute", "llava", chat=False)
    with pytest.raises(SaysoError, match="has no chat template"):
        load_generator(str(mute), device="cpu").generate([Prompt.ask("what?", photos[:1])])
    (mute / "model.safetensors").rename(mute / "pytorch_model.bin")
    with pytest.raises(SaysoError, match="pickled weights"):
        load_generator(str(mute))


def test_a_text_only_model_and_an_encoder_are_no_generators(tmp_path, kin):
    import transformers as tf

    words = vlms.tokenizer()
    config = tf.LlamaConfig(**vlms._text(len(words)))
    tf.LlamaForCausalLM(config).save_pretrained(tmp_path / "lm")
    words.save_pretrained(tmp_path / "lm")
    with pytest.raises(SaysoError, match="text-only"):
        load_generator(str(tmp_path / "lm"))
    with pytest.raises(SaysoError, match="answers no questions"):
        load_generator("offline")
    with pytest.raises(SaysoError, match="embeds no pictures and texts"):
        sayso.load_encoder(str(kin["llava"]))


def test_auto_takes_what_is_cached_or_says_how_to_get_one(kin, tmp_path, monkeypatch):
    import hubs

    from sayso.hub import catalog

    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("SAYSO_OFFLINE", "1")
    with pytest.raises(Unavailable, match=r"no model that answers .*sayso pull HuggingFaceTB/SmolVLM-256M"):
        load_generator()
    name = "HuggingFaceTB/SmolVLM-500M-Instruct"
    hubs.into_cache(kin["idefics2"], tmp_path / "hub", name)
    assert load_generator(device="cpu").name == name
    row = next(row for row in catalog.list_models() if row.name == name)
    assert row.cached and row.task == "answer"


def test_smolvlm_answers_where_num2words_is(tmp_path, photos):
    pytest.importorskip("num2words")
    model = load_generator(str(vlms.save_vlm(tmp_path / "smolvlm", "smolvlm", seed=2)), device="cpu")
    prompts = asked(photos)
    together = model.generate(prompts, SIX)
    assert together == [model.generate([prompt], SIX)[0] for prompt in prompts]
    assert model.log_likelihood(prompts, ["yes", "no maybe"]).shape == (3, 2)

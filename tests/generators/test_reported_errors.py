"""What people report of visual language models: each is one sentence, before the model runs.

Those of OpenFlamingo's files stand in ``test_open_flamingo``, those of prompts in ``test_prompt``.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import sayso
from generators import lms, vlms
from sayso.core.errors import SaysoError
from sayso.generators import Decoding, Exchange, Prompt, load_generator, load_language_model

PICTURE = np.zeros((20, 20, 3), np.uint8)


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    """A folder as OpenFlamingo's 3B language model has it: a kind of its own, with code for it."""
    folder = lms.save_lm(tmp_path_factory.mktemp("remote") / "mpt-1b", "llama")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mosaic_gpt", "architectures": ["MosaicGPT"]}
    config["auto_map"] = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.MosaicGPT"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text("raise SystemExit('it was run')")
    return folder


def test_a_model_that_brings_its_own_code_is_refused_and_not_run(remote):
    for load in (load_generator, load_language_model, sayso.load):
        with pytest.raises(SaysoError, match=r"\(mosaic_gpt\) needs code .* which sayso never runs"):
            load(str(remote))


def test_a_checkpoint_alone_is_no_model(tmp_path):
    torch.save({"perceiver.latents": torch.zeros(4, 8)}, tmp_path / "checkpoint.pt")
    with pytest.raises(SaysoError, match=r"is a file, where a model is a folder; .*OpenFlamingo"):
        sayso.load(str(tmp_path / "checkpoint.pt"))


@pytest.mark.parametrize("kind", ["llava", "idefics2"])
def test_more_than_a_model_reads_is_counted_before_it_runs(kin, kind, monkeypatch):
    model = load_generator(str(kin[kind]), device="cpu")
    monkeypatch.setattr(model._model, "generate", lambda **_: pytest.fail("it ran"))
    shots = [Exchange("what is this?", (PICTURE,), "a small red cat on the ball")] * 40
    prompt = Prompt.ask("what is this?", [PICTURE], shots=shots)
    for ask in (lambda: model.generate([prompt]), lambda: model.log_likelihood([prompt], ["a cat"])):
        with pytest.raises(SaysoError, match=r"take [\d,]+ tokens, of which .* reads 512 at most"):
            ask()


@pytest.mark.parametrize("family", lms.FAMILIES)
def test_the_same_of_models_that_are_trained_here(tmp_path, family):
    from sayso.encoders.backbones import load_backbone
    from sayso.generators.llava import Llava, LlavaNet, LlavaShape

    language = load_language_model(str(lms.save_lm(tmp_path / "lm", family)))
    net = LlavaNet(LlavaShape(dim_in=24, places=9), language)
    model = Llava(net, load_backbone(str(lms.save_tower(tmp_path / "tower"))), size=24, device="cpu")
    prompt = Prompt.ask("what?", [PICTURE] * 40)
    with pytest.raises(SaysoError, match=r"reads (512|256) at most; give fewer"):
        model.generate([Prompt.ask("what?", [PICTURE])], Decoding(max_new_tokens=600))
    if language.longest == 256:
        with pytest.raises(SaysoError, match="reads 256 at most"):
            model.log_likelihood([prompt], ["a cat"])
    else:
        assert model.log_likelihood([prompt], ["a cat"]).shape == (1, 1)


def test_smolvlm_without_num2words_names_the_package(tmp_path, monkeypatch):
    folder = vlms.save_vlm(tmp_path / "smolvlm", "smolvlm")
    pytest.importorskip("num2words")
    monkeypatch.setattr("transformers.models.smolvlm.processing_smolvlm.num2words", None)
    with pytest.raises(SaysoError, match="num2words"):
        load_generator(str(folder), device="cpu")


def test_blip2_is_asked_with_one_picture_and_a_text_only_model_is_no_answer(kin, tmp_path):
    with pytest.raises(SaysoError, match="takes one picture and one question; got 0 and 1"):
        load_generator(str(kin["blip-2"]), device="cpu").generate([Prompt.ask("what?")])
    with pytest.raises(SaysoError, match="text-only model"):
        load_generator(str(lms.save_lm(tmp_path / "lm", "llama")))

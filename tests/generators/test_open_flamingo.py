"""Files with exactly OpenFlamingo's keys and shapes load; what does not fit is refused by name."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

import sayso
from generators import lms
from generators.test_flamingo import folders, towers  # noqa: F401  fixtures
from sayso.core.errors import SaysoError
from sayso.generators import Decoding, Prompt
from sayso.generators.language import load_language_model
from sayso.generators.open_flamingo import open_flamingo

W, D = lms.WIDTH, 24


def keys_of_a_file(language, every, prefix=""):
    """Return names and shapes as the published code saves them, of random weights."""
    V = language.model.get_input_embeddings().weight.shape[0]
    shapes = {"perceiver.latents": (64, D), "perceiver.norm.weight": (D,), "perceiver.norm.bias": (D,)}
    for n in range(6):
        a, f = f"perceiver.layers.{n}.0.", f"perceiver.layers.{n}.1."
        shapes |= {
            f"{a}{norm}.{p}": (D,) for norm in ("norm_media", "norm_latents") for p in ("weight", "bias")
        }
        shapes |= {f"{a}to_q.weight": (512, D), f"{a}to_kv.weight": (1024, D), f"{a}to_out.weight": (D, 512)}
        shapes |= {
            f"{f}0.weight": (D,),
            f"{f}0.bias": (D,),
            f"{f}1.weight": (4 * D, D),
            f"{f}3.weight": (D, 4 * D),
        }
    for i in range(lms.LAYERS):
        if (i + 1) % every == 0:
            b = f"lang_encoder.{language.layers_name}.{i}.gated_cross_attn_layer."
            shapes |= {f"{b}attn_gate": (1,), f"{b}ff_gate": (1,)}
            shapes |= {
                f"{b}attn.norm.weight": (W,),
                f"{b}attn.norm.bias": (W,),
                f"{b}attn.to_q.weight": (512, W),
            }
            shapes |= {f"{b}attn.to_kv.weight": (1024, D), f"{b}attn.to_out.weight": (W, 512)}
            shapes |= {f"{b}ff.0.weight": (W,), f"{b}ff.0.bias": (W,)}
            shapes |= {f"{b}ff.1.weight": (4 * W, W), f"{b}ff.3.weight": (W, 4 * W)}
    torch.manual_seed(0)
    state = {name: torch.randn(shape) * 0.3 for name, shape in shapes.items()}
    table = language.model.get_input_embeddings().weight.clone()
    table[-2:] = torch.randn(2, W)
    inputs = {
        "llama": "model.embed_tokens",
        "gpt_neox": "gpt_neox.embed_in",
        "opt": "model.decoder.embed_tokens",
    }
    state[f"lang_encoder.{inputs[language.family]}.weight"] = table
    if language.family == "gpt_neox":
        head = language.model.get_output_embeddings().weight.clone()
        head[-2:] = torch.randn(2, W)
        state["lang_encoder.embed_out.weight"] = head
    assert table.shape[0] == V
    return {prefix + name: weight.detach() for name, weight in state.items()}


def language_of(folders, family):  # noqa: F811
    return load_language_model(str(folders[family]), added_markers=True)


FILES = list(itertools.product((1, 2, 4), (False, True), ("gpt_neox", "llama")))
ONE_OF_EACH = {(2, True, "gpt_neox"), (1, False, "llama"), (4, False, "gpt_neox")}


@pytest.mark.parametrize(
    ("every", "wrapped", "family"),
    [one if one in ONE_OF_EACH else pytest.param(*one, marks=pytest.mark.slow) for one in FILES],
)
def test_files_load_and_answer(folders, towers, photos, tmp_path, every, wrapped, family):  # noqa: F811
    language = language_of(folders, family)
    state = keys_of_a_file(language, every, "module." if wrapped else "")
    saved = {"model_state_dict": state, "epoch": 3, "optimizer_state_dict": {}} if wrapped else state
    torch.save(saved, tmp_path / "checkpoint.pt")
    model = open_flamingo(tmp_path / "checkpoint.pt", language, towers, device="cpu")
    assert model.net.shape.layers == tuple(i for i in range(4) if (i + 1) % every == 0)
    assert language.markers.image == language.markers.end + 1 == len(language.tokenizer) + 1
    own = model.net.state_dict()
    for key, weight in state.items():
        name = key.removeprefix("module.")
        if name.startswith("perceiver."):
            assert torch.equal(own[name.replace("perceiver.", "resampler.")], weight)
    model.size = 24
    prompts = [Prompt.ask("", [photos[0]]), Prompt.ask("what?", photos[:2])]
    answers = model.generate(prompts, Decoding(max_new_tokens=5))
    model.save_pretrained(tmp_path / "saved")
    again = sayso.load(str(tmp_path / "saved"), device="cpu")
    assert again.generate(prompts, Decoding(max_new_tokens=5)) == answers
    scores = [one.log_likelihood(prompts, ["a cat"], end=True) for one in (model, again)]
    np.testing.assert_allclose(*scores, atol=1e-6)


def refuse(folders, towers, tmp_path, change, match, family="gpt_neox"):  # noqa: F811
    language = language_of(folders, family)
    state = keys_of_a_file(language, 2)
    change(state)
    torch.save(state, tmp_path / "checkpoint.pt")
    with pytest.raises(SaysoError, match=match):
        open_flamingo(tmp_path / "checkpoint.pt", language, towers, device="cpu")


BLOCK = "lang_encoder.gpt_neox.layers.1.gated_cross_attn_layer."


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda s: s.pop(f"{BLOCK}attn_gate"), r"lacks 1 of its weights, such as blocks\.0\.attn_gate"),
        (
            lambda s: s.update({f"{BLOCK}attn.bias": torch.zeros(1)}),
            r"not known, such as blocks\.0\.attn\.bias",
        ),
        (
            lambda s: s.update({f"{BLOCK}attn.to_q.weight": torch.zeros(512, W + 1)}),
            r"blocks\.0\.attn\.to_q\.weight .* has the shape \(512, 33\), where \(512, 32\)",
        ),
        (
            lambda s: s.update({"lang_encoder.what.weight": torch.zeros(1)}),
            r"lang_encoder\.what\.weight, which is not",
        ),
        (lambda s: s.pop("perceiver.latents"), r"perceiver\.latents"),
        (
            lambda s: s.pop("lang_encoder.gpt_neox.embed_in.weight"),
            "lacks the language model's input embeddings",
        ),
        (
            lambda s: s["lang_encoder.gpt_neox.embed_in.weight"].mul_(-1),
            r"embed_in\.weight .* is not that of .* trained with another language model",
        ),
    ],
    ids=["missing", "foreign", "width", "unknown", "latents", "embeddings", "other-lm"],
)
def test_what_does_not_fit_is_named(folders, towers, tmp_path, change, match):  # noqa: F811
    refuse(folders, towers, tmp_path, change, match)


def test_another_family_of_language_model_is_named(folders, towers, tmp_path):  # noqa: F811
    torch.save(keys_of_a_file(language_of(folders, "llama"), 2), tmp_path / "checkpoint.pt")
    with pytest.raises(
        SaysoError, match=r"blocks below model\.layers, but the layers of .* are gpt_neox\.layers"
    ):
        open_flamingo(tmp_path / "checkpoint.pt", language_of(folders, "gpt_neox"), towers, device="cpu")


def test_pickles_and_other_files_are_refused(folders, towers, tmp_path):  # noqa: F811
    language = language_of(folders, "llama")
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(SaysoError, match=r"the checkpoint of weights .* cannot be read: it is no file"):
        open_flamingo(tmp_path / "checkpoint.pt", language, towers)
    torch.save({"a": 3}, tmp_path / "checkpoint.pt")
    with pytest.raises(SaysoError, match="holds no weights by name"):
        open_flamingo(tmp_path / "checkpoint.pt", language, towers)

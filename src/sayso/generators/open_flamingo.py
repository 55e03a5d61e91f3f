"""OpenFlamingo's checkpoints: each weight is asked for by name, and the language model is checked.

A ``checkpoint.pt`` holds what was trained: ``perceiver.*``, the gated blocks below the language model's
layers, and its input embeddings, of which only the rows of the two marks were trained. ``<|endofchunk|>``
and ``<image>`` stand behind the vocabulary, in this order.

Source
    ``factory.py``, ``train_utils.py`` of https://github.com/mlfoundations/open_flamingo (2.0.1)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sayso.core.errors import SaysoError
from sayso.generators.conditioning import FlamingoNet, FlamingoShape
from sayso.generators.flamingo import Flamingo
from sayso.generators.saved import load_exactly
from sayso.hub.restricted_pickle import read_tensors

if TYPE_CHECKING:
    from sayso.encoders.backbones import Backbone
    from sayso.generators.language import LanguageModel

_BLOCK = re.compile(r"lang_encoder\.(?P<path>.+)\.(?P<layer>\d+)\.gated_cross_attn_layer\.(?P<name>.+)")
_RESAMPLER, _LANGUAGE = "perceiver.", "lang_encoder."
_HEADS = ("embed_out.weight", "lm_head.weight")  # GPT-NeoX's head had the first name when files were made
_SAME = 2e-2  # of embeddings that were not trained, saved perhaps in half precision
HEAD_DIM = 64


def read_open_flamingo(path: Path) -> dict[str, Tensor]:
    """Return the weights of a checkpoint, without ``module.`` before their names; nothing pickled is run.

    Raises:
        SaysoError: if it is no checkpoint of weights.
    """
    found = read_tensors(path, "the checkpoint of weights")
    state = found.get("model_state_dict", found) if isinstance(found, dict) else None
    if not isinstance(state, dict) or not all(isinstance(weight, Tensor) for weight in state.values()):
        raise SaysoError(f"{path} holds no weights by name, such as OpenFlamingo saves")
    return {name.removeprefix("module."): weight for name, weight in state.items()}


def open_flamingo(
    path: Path,
    language: LanguageModel,
    backbone: Backbone,
    *,
    name: str = "",
    device: str = "auto",
    dtype: torch.dtype = torch.float32,
) -> Flamingo:
    """Return the model of an OpenFlamingo checkpoint.

    Args:
        path: ``checkpoint.pt``.
        language: the language model it was trained with, loaded with ``added_markers=True``.
        backbone: CLIP's vision tower, whose tokens come before its last norm.
        name: what to call the model.
        device: ``auto``, ``cpu``, ``cuda``, ...
        dtype: of resampler and blocks; ``bfloat16`` halves what is read for each word.

    Raises:
        SaysoError: if a weight is missing, foreign or of another width (it is named), or the embeddings are
            those of another language model.
    """
    state = read_open_flamingo(path)
    if not language.added_markers:
        raise SaysoError("OpenFlamingo's marks stand behind the vocabulary; load with added_markers=True")
    net_weights, layers = _net_weights(state, language, str(path))
    rest = {
        key: weight
        for key, weight in state.items()
        if not key.startswith(_RESAMPLER) and not _BLOCK.match(key)
    }
    net = FlamingoNet(_shape(state, layers, backbone), language)
    load_exactly(net, net_weights, str(path))
    _set_tables(rest, language, str(path))
    card = f"OpenFlamingo's checkpoint {path.name}."
    return Flamingo(net.to(dtype), backbone, crop="center", name=name or str(path), device=device, card=card)


def _net_weights(
    state: Mapping[str, Tensor], language: LanguageModel, where: str
) -> tuple[dict[str, Tensor], tuple[int, ...]]:
    """Return the weights of resampler and blocks under this package's names, and the blocks' layers."""
    blocks = [(match, weight) for key, weight in state.items() if (match := _BLOCK.match(key))]
    if not blocks:
        raise SaysoError(
            f"{where} has no weight lang_encoder.*.gated_cross_attn_layer.*: it is no OpenFlamingo"
        )
    paths = {match["path"] for match, _ in blocks}
    if paths != {language.layers_name}:
        raise SaysoError(
            f"{where} has blocks below {', '.join(sorted(paths))}, but the layers of {language.name} are"
            f" {language.layers_name}: it was trained with another language model"
        )
    layers = tuple(sorted({int(match["layer"]) for match, _ in blocks}))
    number = {layer: n for n, layer in enumerate(layers)}
    weights = {f"blocks.{number[int(match['layer'])]}.{match['name']}": weight for match, weight in blocks}
    weights |= {
        f"resampler.{key.removeprefix(_RESAMPLER)}": weight
        for key, weight in state.items()
        if key.startswith(_RESAMPLER)
    }
    return weights, layers


def _shape(state: Mapping[str, Tensor], layers: tuple[int, ...], backbone: Backbone) -> FlamingoShape:
    latents = state.get("perceiver.latents")
    if latents is None:
        raise SaysoError("the checkpoint lacks perceiver.latents: it is no OpenFlamingo, or not whole")
    if latents.shape[1] != backbone.dim:
        raise SaysoError(
            f"the checkpoint's pictures have width {latents.shape[1]}, those of {backbone.name}"
            f" {backbone.dim}: it was trained with another picture tower"
        )
    depth = len({key.split(".")[2] for key in state if key.startswith("perceiver.layers.")})
    inner = state.get("perceiver.layers.0.0.to_q.weight", torch.empty(8 * HEAD_DIM, 0)).shape[0]
    frames = state["perceiver.frame_embs"].shape[0] if "perceiver.frame_embs" in state else 0
    return FlamingoShape(
        dim=latents.shape[1],
        depth=depth,
        heads=inner // HEAD_DIM,
        latents=latents.shape[0],
        block_heads=8,
        layers=layers,
        dim_in=backbone.dim,
        frames=frames,
    )


def _set_tables(rest: Mapping[str, Tensor], language: LanguageModel, where: str) -> None:
    """Take the marks' rows of the embeddings; the other rows must be the language model's own.

    Raises:
        SaysoError: if a name is not an embedding, or the embeddings are another model's.
    """
    tables: dict[str, Any] = {"inputs": language.model.get_input_embeddings().weight}
    tables["outputs"] = language.model.get_output_embeddings().weight
    own = {name for name, _ in language.model.named_parameters()}
    rows: dict[str, Tensor] = {}
    for key, weight in rest.items():
        name = key.removeprefix(_LANGUAGE)
        if name.startswith("old_decoder_blocks.") or key.startswith("vision_encoder."):
            continue
        head = name in _HEADS
        if not head and ("embed" not in name and "wte" not in name):
            raise SaysoError(f"{where} has the weight {key}, which is not known")
        if not head and name not in own:
            raise SaysoError(f"{where} has the weight {key}, which {language.name} has not")
        table = tables["outputs" if head else "inputs"]
        if not head and language.model.get_parameter(name) is not table:
            continue  # positions: frozen
        _compare(weight, table, key, where, language)
        rows["outputs" if head else "inputs"] = weight[[language.markers.end, language.markers.image]].float()
    if "inputs" not in rows:
        raise SaysoError(f"{where} lacks the language model's input embeddings, with the two marks' rows")
    language.set_marker_rows(rows)


def _compare(weight: Tensor, table: Tensor, key: str, where: str, language: LanguageModel) -> None:
    marks = min(language.markers.end, language.markers.image)
    if weight.shape != table.shape:
        raise SaysoError(
            f"the weight {key} of {where} has the shape {tuple(weight.shape)}, that of {language.name}"
            f" {tuple(table.shape)}: it was trained with another language model"
        )
    apart = (weight[:marks].float() - table[:marks].float()).abs().max()
    if apart > _SAME * table[:marks].abs().max():
        raise SaysoError(
            f"the weight {key} of {where} is not that of {language.name} (they are up to {float(apart):.3g}"
            " apart): it was trained with another language model"
        )

"""The names of weights in three families of files: one network, a map of names each.

``open_flamingo`` are the names used here. flamingo-mini splits keys from values and calls the gates alpha;
Idefics (transformers) has names of its own, RMS norms and a gated feed-forward part.

Sources
    https://github.com/mlfoundations/open_flamingo (2.0.1), helpers.py
    https://github.com/dhansmair/flamingo-mini, gated_cross_attention.py, perceiver_resampler.py
    https://github.com/huggingface/transformers, models/idefics
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from sayso.core.errors import SaysoError

Dialect = Literal["open_flamingo", "flamingo_mini", "idefics"]
_Map = tuple[tuple[str, str], ...]  # pattern, what stands in its place

RESAMPLER: dict[Dialect, _Map] = {
    "open_flamingo": (),
    "flamingo_mini": ((r"^time_pos_emb$", "frame_embs"),),
    "idefics": (
        (r"^blocks\.", "layers."),
        (r"^layer_norm\.", "norm."),
        (r"\.0\.context_layer_norm\.", ".0.norm_media."),
        (r"\.0\.latents_layer_norm\.", ".0.norm_latents."),
        (r"\.0\.([qk])_layer_norm\.", r".0.\1_norm."),
        (r"\.0\.([qkv])_proj\.", r".0.to_\1."),
        (r"\.0\.output_proj\.", ".0.to_out."),
        (r"\.1\.ln\.", ".1.0."),
        (r"\.1\.fc\.", ".1.1."),
        (r"\.1\.c_proj\.", ".1.3."),
    ),
}
BLOCK: dict[Dialect, _Map] = {
    "open_flamingo": (),
    "flamingo_mini": ((r"^alpha_attn$", "attn_gate"), (r"^alpha_ffw$", "ff_gate"), (r"^ffw\.", "ff.")),
    "idefics": (
        (r"^alpha_cross_attn$", "attn_gate"),
        (r"^alpha_dense$", "ff_gate"),
        (r"^input_layernorm\.", "attn.norm."),
        (r"^post_attention_layernorm\.", "ff.norm."),
        (r"^cross_attn\.([qkv])_proj\.", r"attn.to_\1."),
        (r"^cross_attn\.([qk])_layer_norm\.", r"attn.\1_norm."),
        (r"^cross_attn\.o_proj\.", "attn.to_out."),
        (r"^mlp\.(gate|up|down)_proj\.", r"ff.\1."),
    ),
}


def translated(
    state: Mapping[str, Tensor], dialect: Dialect, part: Literal["resampler", "block"]
) -> dict[str, Tensor]:
    """Return the weights of a resampler or of a block under the names used here.

    Args:
        state: name -> weight (...), of that part alone.
        dialect: whose names they are.
        part: which part.

    Raises:
        SaysoError: if keys come without values, or values without keys.
    """
    names = (RESAMPLER if part == "resampler" else BLOCK)[dialect]
    renamed = {_renamed(name, names): weight for name, weight in state.items()}
    joined: dict[str, Tensor] = {}
    for name, weight in renamed.items():
        if name.endswith(".to_v.weight"):
            if name.replace("to_v", "to_k") not in renamed:
                raise SaysoError(f"the weights have {name} without its keys; take the whole file")
        elif name.endswith(".to_k.weight"):
            values = renamed.get(name.replace("to_k", "to_v"))
            if values is None:
                raise SaysoError(f"the weights have {name} without its values; take the whole file")
            joined[name.replace("to_k", "to_kv")] = torch.cat([weight, values])
        elif name in {"attn_gate", "ff_gate", "frame_embs"}:
            joined[name] = weight.reshape(-1) if name != "frame_embs" else weight.flatten(0, -2)
        else:
            joined[name] = weight
    return joined


def _renamed(name: str, names: _Map) -> str:
    for pattern, instead in names:
        name = re.sub(pattern, instead, name)
    return name

"""CLIP's and SigLIP's two towers: transformers' own networks, initialised as published.

    picture: patches -> linear layer, class token, positions -> layers -> class token's output -> projection
    text:    tokens  -> vectors, positions -> causal layers -> end token's output -> projection

transformers' ``CLIPModel`` starts with the deviations of attention's first and last matrices swapped, and
with other positions; here all weights are drawn as in OpenAI's code [1]. SigLIP's towers [2] see every
token, pool pictures by attention, and read the text's last position; transformers draws those as published.

With patch dropout [3] a picture is seen by part of its patches while it learns: at half of them about
twice as many pictures go by in the same time. When it is used, nothing is dropped.

Sources
    [1] Radford et al. 2021, CLIP. https://arxiv.org/abs/2103.00020
    [2] Zhai et al. 2023, SigLIP. https://arxiv.org/abs/2303.15343
    [3] Li et al. 2023, FLIP. https://arxiv.org/abs/2212.00794
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from sayso.core.errors import SaysoError
from sayso.core.lazy import need

Family = Literal["clip", "siglip"]
CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True, slots=True)
class TowerShape:
    """How large the two towers are.

    Args:
        patch: side of a picture's patch, pixels.
        width: channels of the picture tower.
        layers: of the picture tower.
        text_width: channels of the text tower.
        text_layers: of the text tower.
        dim: D, length of an embedding; SigLIP's is its width.
        head_width: channels of a head of attention, 64 in all published networks.
    """

    patch: int
    width: int
    layers: int
    text_width: int
    text_layers: int
    dim: int
    head_width: int = 64


NETWORKS = {
    "ViT-B/32": TowerShape(32, 768, 12, 512, 12, 512),
    "ViT-B/16": TowerShape(16, 768, 12, 512, 12, 512),
    "ViT-L/14": TowerShape(14, 1024, 24, 768, 12, 768),
    "ViT-S/16": TowerShape(16, 384, 12, 384, 12, 384),
    "ViT-Ti/16": TowerShape(16, 192, 12, 192, 12, 192),
    "ViT-toy/8": TowerShape(8, 128, 4, 128, 2, 128),
    "ViT-nano/8": TowerShape(8, 64, 3, 64, 1, 64),
    "ViT-mini/8": TowerShape(8, 64, 3, 64, 1, 64, head_width=16),
}


def dual_towers(
    family: Family, shape: TowerShape, *, size: int, context: int, tokens: int, activation: str = "quick_gelu"
) -> Any:
    """Return transformers' ``CLIPModel`` or ``SiglipModel``, initialised as published from torch's seed.

    Args:
        family: which of the two.
        shape: how large.
        size: side of a picture, pixels.
        context: most tokens of a text.
        tokens: size of the vocabulary; the last two are its start and end.
        activation: ``quick_gelu`` as in OpenAI's weights, or ``gelu``; SigLIP has its own.

    Raises:
        MissingExtra: if transformers is not installed.
        SaysoError: if the numbers do not fit each other.
    """
    if size % shape.patch:
        raise SaysoError(
            f"a picture of {size} pixels does not divide into patches of {shape.patch}; change size"
        )
    transformers = need("transformers", "hub")
    text = {
        **_layers(shape.text_width, shape.text_layers, shape.head_width),
        "vocab_size": tokens,
        "max_position_embeddings": context,
        "pad_token_id": tokens - 1,
        "bos_token_id": tokens - 2,
        "eos_token_id": tokens - 1,
    }
    vision = _layers(shape.width, shape.layers, shape.head_width)
    vision |= {"image_size": size, "patch_size": shape.patch}
    if family == "siglip":
        text["projection_size"] = shape.width
        return transformers.SiglipModel(transformers.SiglipConfig(text_config=text, vision_config=vision))
    for part in (text, vision):
        part["hidden_act"] = activation
    config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=shape.dim)
    model = transformers.CLIPModel(config)
    with torch.no_grad():
        init_clip(model)
    return model


def init_clip(model: Any) -> None:
    """Draw all weights of a ``CLIPModel`` anew, with the deviations of OpenAI's code."""
    text, vision = model.text_model, model.vision_model
    nn.init.normal_(text.embeddings.token_embedding.weight, std=0.02)
    nn.init.normal_(text.embeddings.position_embedding.weight, std=0.01)
    for layer in text.encoder.layers:
        _init_text_layer(layer, model.text_embed_dim, len(text.encoder.layers))
    nn.init.normal_(model.text_projection.weight, std=model.text_embed_dim**-0.5)
    deviation = model.vision_embed_dim**-0.5
    vision.embeddings.patch_embedding.reset_parameters()
    for weight in (
        vision.embeddings.class_embedding,
        vision.embeddings.position_embedding.weight,
        model.visual_projection.weight,
    ):
        nn.init.normal_(weight, std=deviation)
    for layer in vision.encoder.layers:
        _init_picture_layer(layer)
    nn.init.constant_(model.logit_scale, math.log(1 / 0.07))


def pixel_statistics(family: Family) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and the standard deviation, for each colour, that pixels of 0 to 1 are brought to."""
    return (CLIP_MEAN, CLIP_STD) if family == "clip" else ((0.5,) * 3, (0.5,) * 3)


class ContrastiveTowers(nn.Module):
    """Both towers as one module that learns: pixels and tokens to unit vectors.

    Args:
        towers: a ``CLIPModel``, ``SiglipModel``, or what behaves like them.
        mean: of pixels, of 0 to 1, for each colour.
        std: their standard deviation.
        patch_dropout: share of a picture's patches that are not seen while learning, 0 to below 1.
        locked: whether the picture tower stays as it is.
    """

    def __init__(
        self,
        towers: Any,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        *,
        patch_dropout: float = 0.0,
        locked: bool = False,
    ) -> None:
        super().__init__()
        self.towers, self.locked = towers, locked
        self.mean: Tensor
        self.std: Tensor
        for name in ("logit_scale", "logit_bias"):  # the criterion has them while it learns
            if hasattr(towers, name):
                getattr(towers, name).requires_grad_(False)
        if locked:
            for part in (towers.vision_model, getattr(towers, "visual_projection", None)):
                if part is not None:
                    part.requires_grad_(False)
        if patch_dropout:
            towers.vision_model.embeddings.register_forward_hook(_PatchDropout(towers, patch_dropout))
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return unit vectors (B, D) of pictures (B, S, S, 3) uint8 and of texts (B, L) int64."""
        pictures = (pixels.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.std
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.locked):
            image = _features(self.towers.get_image_features(pixel_values=pictures))
        text = _features(self.towers.get_text_features(input_ids=tokens))
        return nn.functional.normalize(image, dim=1), nn.functional.normalize(text, dim=1)


class _PatchDropout:
    """A hook behind the embeddings of patches: those with the largest noise go on, the class token always."""

    def __init__(self, towers: Any, share: float) -> None:
        self.share = share
        self.first = int(hasattr(towers.vision_model.embeddings, "class_embedding"))

    def __call__(self, module: nn.Module, _inputs: Any, found: Tensor) -> Tensor | None:
        if not module.training:
            return None
        always, patches = found[:, : self.first], found[:, self.first :]
        count = max(1, round((1 - self.share) * patches.shape[1]))
        noise = torch.rand(patches.shape[:2], device=patches.device)
        kept = noise.topk(count, dim=1).indices[..., None].expand(-1, -1, patches.shape[2])
        return torch.cat([always, patches.gather(1, kept)], 1)


def _layers(width: int, layers: int, head_width: int) -> dict[str, Any]:
    heads = max(1, width // head_width)
    if width % heads:
        raise SaysoError(
            f"a width of {width} does not divide into {heads} heads; take a multiple of {head_width}"
        )
    return {
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
    }


def _init_text_layer(layer: Any, width: int, layers: int) -> None:
    inner, out = width**-0.5, width**-0.5 * (2 * layers) ** -0.5
    attention, mlp = layer.self_attn, layer.mlp
    for part, std in (
        (attention.q_proj, inner),
        (attention.k_proj, inner),
        (attention.v_proj, inner),
        (attention.out_proj, out),
        (mlp.fc1, (2 * width) ** -0.5),
        (mlp.fc2, out),
    ):
        part.reset_parameters()  # the biases
        nn.init.normal_(part.weight, std=std)
    _no_bias(attention)


def _init_picture_layer(layer: Any) -> None:
    """As PyTorch's attention and linear layers start, which is what the published picture tower does."""
    attention = layer.self_attn
    for part in (attention.out_proj, layer.mlp.fc1, layer.mlp.fc2):
        part.reset_parameters()
    for part in (attention.q_proj, attention.k_proj, attention.v_proj):
        bound = math.sqrt(6 / (4 * part.weight.shape[1]))  # Xavier's, of the three as one matrix
        nn.init.uniform_(part.weight, -bound, bound)
    _no_bias(attention)


def _no_bias(attention: Any) -> None:
    for part in (attention.q_proj, attention.k_proj, attention.v_proj, attention.out_proj):
        nn.init.zeros_(part.bias)


def _features(found: Any) -> Tensor:
    """Return (B, D) of what transformers 4 (a tensor) or 5 (an output object) gives."""
    features: Tensor = getattr(found, "pooler_output", found)
    return features

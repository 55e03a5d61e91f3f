"""Dense similarity maps: where in a picture a query is, by the very encoder that searches, untrained for it.

An encoder that pools the cells of a feature map into one embedding can embed each cell alone, and
compare it with the query as a search compares pictures.

* The offline encoder is fully convolutional up to its last mean: every grid cell has class scores
  of its own, and ConSE turns them into a point among the sentences. The picture keeps its
  shape, with 640 pixels on its longer side.
* CLIP gathers a picture in the last layer's attention. Here every token is shown to that layer
  alone, so that its attention has nothing else to attend to and gives the token's own value [1];
  what follows is as published. SigLIP gathers in its pooling head, which is treated alike.

Source
    [1] Zhou, Loy, Dai 2022, Extract free dense labels from CLIP (MaskCLIP). https://arxiv.org/abs/2112.01071
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Pixels
from sayso.core.errors import SaysoError
from sayso.encoders import conse
from sayso.encoders.batching import unit_norm
from sayso.encoders.interface import Embeddings, Encoder
from sayso.encoders.preprocess import as_rgb

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

SimilarityMap = NDArray[np.float32]
LONGER_SIDE = 640  # of the offline encoder's pictures; 224 gives 7 grid cells across, too few to point


@runtime_checkable
class DenseEncoder(Protocol):
    """An encoder that compares a query with each grid cell of a picture."""

    def similarity_map(self, image: Image | Pixels, query: str | Embeddings) -> SimilarityMap:
        """Return (h, w) similarities of grid cells to a query; the cells tile the whole picture."""


def similarity_map(encoder: Encoder, image: Image | Pixels, query: str | Embeddings) -> SimilarityMap:
    """Return how much each grid cell of a picture is like a query.

    Args:
        encoder: of any kind.
        image: a PIL image or (H, W, 3) uint8, of any size.
        query: words, or an embedding (D,) of the encoder's space.

    Returns:
        (h, w) cosines; the grid cells are equal rectangles that tile the whole picture.

    Raises:
        SaysoError: if the encoder has no dense features.
    """
    if not isinstance(encoder, DenseEncoder):
        raise SaysoError(f"the model {encoder.name} tells what a picture shows, but not where in it")
    return encoder.similarity_map(image, query)


def query_embedding(encoder: Encoder, query: str | Embeddings) -> Embeddings:
    """Return the embedding (D,) of a query, of unit norm."""
    return unit_norm(encoder.encode_text([query])[0] if isinstance(query, str) else query)


def peak(scores: SimilarityMap) -> tuple[float, float]:
    """Return x and y of the middle of the best grid cell, as fractions of the picture's width and height."""
    h, w = scores.shape
    row, column = divmod(int(scores.argmax()), w)
    return (column + 0.5) / w, (row + 0.5) / h


def resize_to_stride(image: Image | Pixels, longer: int, stride: int) -> Pixels:
    """Return a picture as (H, W, 3) uint8 with a longer side of about ``longer``, both multiples of a stride.

    Args:
        image: a PIL image or (H, W, 3) uint8, of any size.
        longer: pixels.
        stride: pixels from one grid cell to the next.

    Raises:
        SaysoError: if it is not a picture.
    """
    from PIL import Image as PILImage

    picture = PILImage.fromarray(as_rgb(image))
    scale = longer / max(picture.size)
    width, height = (max(1, round(side * scale / stride)) * stride for side in picture.size)
    return np.asarray(picture.resize((width, height), PILImage.Resampling.BICUBIC, reducing_gap=3.0))


def conse_map(logits: Tensor, query: Embeddings) -> SimilarityMap:
    """Return the cosines (h, w) of a query (384,) and each grid cell's class scores (1000, h, w)."""
    C, h, w = logits.shape
    cells = conse.embed_logits(logits.reshape(C, h * w).T).cpu().numpy()  # (h * w, 384)
    return np.asarray((cells @ query).reshape(h, w), np.float32)


def token_map(model: Any, inputs: Mapping[str, Tensor], query: Embeddings) -> SimilarityMap:
    """Return the cosines (h, w) of a query (D,) and each token of a picture.

    Args:
        model: CLIP, SigLIP, SigLIP 2 or a relative, as transformers has it.
        inputs: one picture, as its processor gives it.
        query: unit norm.

    Raises:
        SaysoError: if the model's tokens cannot be taken apart.
    """
    vision: Any = getattr(model, "vision_model", None)
    if hasattr(model, "visual_projection") and hasattr(vision, "post_layernorm"):
        tokens = _clip_tokens(model, inputs)
    elif hasattr(vision, "head"):
        tokens = vision.head(vision(**inputs).last_hidden_state[0][:, None])
    else:
        raise SaysoError(f"{model.config.model_type} models tell what a picture shows, but not where in it")
    h, w = _grid(tokens, inputs)
    cosines = unit_norm(tokens[: h * w].float().cpu().numpy()) @ query
    return np.asarray(cosines.reshape(h, w), np.float32)


def _clip_tokens(model: Any, inputs: Mapping[str, Tensor]) -> Tensor:
    """Return the projected tokens (N, D) of one picture, without the one for the whole."""
    vision = model.vision_model
    layer = vision.encoder.layers[-1]
    before = vision(**inputs, output_hidden_states=True).hidden_states[-2][0, 1:]  # (N, d)
    options = [
        option
        for option in signature(layer.forward).parameters.values()
        if option.default is Parameter.empty and option.kind is Parameter.POSITIONAL_OR_KEYWORD
    ]
    after = layer(before[:, None], *[None] * (len(options) - 1))  # masks, of which there are none
    after = after[0] if isinstance(after, tuple) else after
    tokens: Tensor = model.visual_projection(vision.post_layernorm(after[:, 0]))
    return tokens


def _grid(tokens: Tensor, inputs: Mapping[str, Tensor]) -> tuple[int, int]:
    """Return rows and columns of the tokens: as the processor gives them (any shape), else a square."""
    if "spatial_shapes" in inputs:
        h, w = (int(side) for side in inputs["spatial_shapes"][0])
        return h, w
    side = round(len(tokens) ** 0.5)
    return side, side

"""Where in a picture a query is, told by the very encoder that searches; nothing is trained for it.

An encoder that pools a picture's places into one embedding can embed each place alone, and
compare it with the query as a search compares pictures.

* The offline encoder is fully convolutional up to its last mean: every place has class scores
  of its own, and ConSE turns them into a point among the sentences. The picture keeps its
  shape, with 640 pixels on its longer side.
* CLIP gathers a picture in the last layer's attention. Here every token is shown to that layer
  alone, so that its attention has nothing else to look at and gives the token's own value [1];
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

from sayso.core.errors import SaysoError
from sayso.encoders import conse
from sayso.encoders.batching import unit
from sayso.encoders.interface import Embeddings, Encoder, Pixels
from sayso.encoders.preprocess import as_rgb

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

Map = NDArray[np.float32]
LONGER_SIDE = 640  # of the offline encoder's pictures; 224 sees 7 places across, too few to point


@runtime_checkable
class SaysWhere(Protocol):
    """An encoder that tells where in a picture a query is."""

    def where(self, image: Image | Pixels, query: str | Embeddings) -> Map:
        """Return (h, w) similarities of places to a query; they tile the whole picture."""


def where(encoder: Encoder, image: Image | Pixels, query: str | Embeddings) -> Map:
    """Return how much each place of a picture is like a query.

    Args:
        encoder: of any kind.
        image: a PIL image or (H, W, 3) uint8, of any size.
        query: words, or an embedding (D,) of the encoder's space.

    Returns:
        (h, w) cosines; the places are equal rectangles that tile the whole picture.

    Raises:
        SaysoError: if the encoder cannot tell.
    """
    if not isinstance(encoder, SaysWhere):
        raise SaysoError(f"the model {encoder.name} tells what a picture shows, but not where in it")
    return encoder.where(image, query)


def embedded(encoder: Encoder, query: str | Embeddings) -> Embeddings:
    """Return the unit embedding (D,) of a query."""
    return unit(encoder.encode_text([query])[0] if isinstance(query, str) else query)


def peak(places: Map) -> tuple[float, float]:
    """Return x and y of the middle of the best place, as fractions of the picture's width and height."""
    h, w = places.shape
    row, column = divmod(int(places.argmax()), w)
    return (column + 0.5) / w, (row + 0.5) / h


def fitted(image: Image | Pixels, longer: int, stride: int) -> Pixels:
    """Return a picture as (H, W, 3) uint8 with a longer side of about ``longer``, both multiples of a stride.

    Raises:
        SaysoError: if it is not a picture.
    """
    from PIL import Image as PILImage

    picture = PILImage.fromarray(as_rgb(image))
    scale = longer / max(picture.size)
    width, height = (max(1, round(side * scale / stride)) * stride for side in picture.size)
    return np.asarray(picture.resize((width, height), PILImage.Resampling.BICUBIC, reducing_gap=3.0))


def conse_map(logits: Tensor, query: Embeddings) -> Map:
    """Return the cosines (h, w) of a query (384,) and each place's class scores (1000, h, w)."""
    K, h, w = logits.shape
    places = conse.embed_logits(logits.reshape(K, h * w).T).cpu().numpy()  # (h * w, 384)
    return np.asarray((places @ query).reshape(h, w), np.float32)


def token_map(model: Any, inputs: Mapping[str, Tensor], query: Embeddings) -> Map:
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
    places = unit(tokens[: h * w].float().cpu().numpy()) @ query
    return np.asarray(places.reshape(h, w), np.float32)


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
    """Return rows and columns of the tokens: as the processor says (any shape), else a square."""
    if "spatial_shapes" in inputs:
        h, w = (int(side) for side in inputs["spatial_shapes"][0])
        return h, w
    side = round(len(tokens) ** 0.5)
    return side, side

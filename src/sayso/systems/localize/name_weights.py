"""A head's weights from the names of its tags alone.

The last layer of EfficientNet-Lite0 tells ImageNet's 1,000 classes apart, and takes the same features as
the head, so a tag can begin as the mean of the classes whose names are near to its own,

    w = sum_c p(c) w_c - mean_c w_c,    p = softmax(cos(tag, name of c) / 0.07),

and learning from few tagged pictures has only to correct it. The names are compared as ConSE does
(``sayso.encoders.conse``).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sayso.encoders import conse
from sayso.encoders.batching import unit_norm
from sayso.encoders.offline import OfflineEncoder
from sayso.models.efficientnet_lite import Lite0

TEMPERATURE = 0.07


def name_weights(names: Sequence[str]) -> Tensor:
    """Return the weights that names give, (C, 1280), for features of the backbone ``lite0``.

    Raises:
        MissingExtra: if a package of the extra ``offline`` is not installed.
        Unavailable: if a weight file is not the one it should be.
    """
    texts = OfflineEncoder("cpu").encode_text([f"a photo of a {name}" for name in names])
    classes = unit_norm(conse.class_embeddings() - conse.mean_text())
    near = torch.from_numpy(texts @ classes.T / TEMPERATURE).softmax(1)
    weight = Lite0(torch.device("cpu")).classes[0]
    return near @ weight - weight.mean(0)

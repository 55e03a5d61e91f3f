"""A head's weights from the names of its tags alone.

The last layer of EfficientNet-Lite0 or MobileNetV2 tells ImageNet's 1,000 classes apart, and takes the same
features as the head, so a tag can begin as the mean of the classes whose names are near to its own,

    w = sum_c p(c) w_c - mean_c w_c,    p = softmax(cos(tag, name of c) / 0.07),

and learning from few tagged pictures has only to correct it. The names are compared as ConSE does
(``sayso.encoders.conse``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from sayso.encoders import conse
from sayso.encoders.backbones import LITE0, MOBILENET
from sayso.encoders.batching import unit_norm
from sayso.encoders.offline import OfflineEncoder
from sayso.models.efficientnet_lite import Lite0
from sayso.models.mobilenet_v2 import class_weights

TEMPERATURE = 0.07
CLASS_WEIGHTS: dict[str, Callable[[], Tensor]] = {
    LITE0: lambda: Lite0(torch.device("cpu")).classes[0],
    MOBILENET: class_weights,
}


def name_weights(names: Sequence[str], backbone: str = LITE0) -> Tensor:
    """Return the weights that names give, (C, 1280).

    Args:
        names: of C tags.
        backbone: whose features they are for, ``lite0`` or ``mobilenet-v2``.

    Raises:
        SaysoError: if the backbone's weights are not installed.
        MissingExtra: if a package of the extra ``offline`` is not installed.
        Unavailable: if a weight file is not the one it should be.
    """
    texts = OfflineEncoder("cpu").encode_text([f"a photo of a {name}" for name in names])
    classes = unit_norm(conse.class_embeddings() - conse.mean_text())
    near = torch.from_numpy(texts @ classes.T / TEMPERATURE).softmax(1)
    weight = CLASS_WEIGHTS[backbone]()
    return near @ weight - weight.mean(0)

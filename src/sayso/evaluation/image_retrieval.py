"""Caption retrieval: find the picture for a caption, and a caption for the picture.

Captions and pictures are embedded, every caption is compared with every picture,
and the right one's rank is taken (see ``sayso.metrics.retrieval``), both ways. A
picture has several captions; as in the literature on COCO and Flickr30k, each is
a query of its own, and for a picture its best-ranked caption counts. Of Karpathy's splits
the test part is taken, five captions a picture; of a file in COCO's format all that is in it: which
split it is decides what the numbers compare with.

Sources
    [1] Chen et al. 2015, Microsoft COCO Captions. https://arxiv.org/abs/1504.00325
    [2] Karpathy and Fei-Fei 2015 (the retrieval protocol). https://arxiv.org/abs/1412.2306
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.core.io import sha256_of
from sayso.core.progress import Progress
from sayso.data.datasets.coco_captions import CaptionedPictures, read_captioned
from sayso.data.datasets.karpathy import CAPTIONS, is_karpathy, read_karpathy
from sayso.evaluation.clip_retrieval import RANKS
from sayso.evaluation.evaluator import Count, EvaluationOptions, EvaluationResult, FunctionEvaluator, Primary
from sayso.evaluation.picture_features import PictureFeatures, embed_pictures

if TYPE_CHECKING:
    from sayso.encoders.interface import Embeddings, Encoder


def rank_pictures(
    encoder: Encoder,
    captions: CaptionedPictures,
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> EvaluationResult:
    """Embed captions and pictures, and rank the pictures for each caption and the captions for each picture.

    Args:
        encoder: any dual encoder.
        captions: what to rank.
        cache: folder where the pictures' embeddings are kept.
        progress: updated with how many pictures are done.

    Raises:
        SaysoError: if no captioned picture can be read.
    """
    from sayso.metrics.retrieval import both_directions

    try:
        found = embed_pictures(encoder, captions.pictures, cache=cache, progress=progress)
    except SaysoError as error:
        raise SaysoError(f"{error}; give their folder with --images") from error
    texts, owners = embed_captions(encoder, captions, found)
    similarity = texts.astype(np.float64) @ found.embeddings.astype(np.float64).T  # (K captions, N pictures)
    ranks = both_directions(similarity, owners)
    return EvaluationResult(
        protocol="caption retrieval",
        primary=Primary("R@10", ranks["text_to_item"]["R@10"]),
        columns=RANKS,
        rows={"text to picture": ranks["text_to_item"], "picture to text": ranks["item_to_text"]},
        counts={
            "pictures": found.count,
            "captions": Count(len(texts), max(captions.listed, len(captions.texts))),
        },
        missing=found.missing,
        unreadable=(*found.unreadable, *(failure.error for failure in captions.failures)),
        definition={
            "source": captions.source.name,
            "sha256": sha256_of(captions.source),
            "pictures_without_caption": len(captions.pictures) - len(set(captions.owners)),
        },
    )


def embed_captions(
    encoder: Encoder, captions: CaptionedPictures, found: PictureFeatures
) -> tuple[Embeddings, NDArray[np.intp]]:
    """Return the captions of the pictures that could be read, (K, D), and the rows of these pictures, (K,).

    Args:
        encoder: any dual encoder.
        captions: of pictures.
        found: these pictures, N rows of those that could be read.

    Raises:
        SaysoError: if none of them has a caption.
    """
    row = {old: new for new, old in enumerate(found.used)}
    used = [k for k, owner in enumerate(captions.owners) if owner in row]
    if not used:
        raise SaysoError(f"{captions.source}: no picture with a caption can be read")
    texts = encoder.encode_text([captions.texts[k] for k in used])
    return texts, np.array([row[captions.owners[k]] for k in used], np.intp)


def _image_retrieval(
    model: Encoder, data: Path, options: EvaluationOptions, progress: Progress
) -> EvaluationResult:
    """Rank the pictures of a file of captions; see ``Evaluator``."""
    if not is_karpathy(data):
        captions = read_captioned(data, options.images)
        return rank_pictures(model, captions, cache=options.cache, progress=progress)
    captions = read_karpathy(data, options.images)
    result = rank_pictures(model, captions, cache=options.cache, progress=progress)
    definition = {**result.definition, "split": "test, Karpathy's", "captions_a_picture": CAPTIONS}
    return replace(result, protocol="caption retrieval, Karpathy's test split", definition=definition)


IMAGE_RETRIEVAL = FunctionEvaluator(
    name="image-retrieval",
    title="captioned pictures: COCO's format, or Karpathy's splits of COCO and Flickr30k",
    measures="recall and rank of each caption's picture, and of each picture's best caption",
    data="a .json file of captions in COCO format, with the pictures in images/ beside it or in --images, or"
    " of Karpathy's splits",
    measure=_image_retrieval,
    takes=("images",),
)

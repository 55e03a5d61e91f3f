"""Caption retrieval: find the picture for a caption, and a caption for the picture.

Captions and pictures are embedded, every caption is compared with every picture,
and the right one's rank is taken (see ``sayso.metrics.retrieval``), both ways. A
picture has several captions; as in the literature on COCO and Flickr30k, each is
a query of its own, and for a picture its best-ranked caption counts. Whatever is
in the file takes part: which split it is decides what the numbers compare with.

Sources
    [1] Chen et al. 2015, Microsoft COCO Captions. https://arxiv.org/abs/1504.00325
    [2] Karpathy and Fei-Fei 2015 (the retrieval protocol). https://arxiv.org/abs/1412.2306
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.errors import MediaError, SaysoError
from sayso.core.io import sha256_of
from sayso.core.progress import Silent
from sayso.data.datasets.coco_captions import CaptionedPictures, read_captioned
from sayso.evaluation.clip_retrieval import RANKS
from sayso.evaluation.evaluator import DEFAULTS, Count, EvaluationOptions, EvaluationResult, Primary

if TYPE_CHECKING:
    from PIL.Image import Image

    from sayso.core.progress import Progress
    from sayso.encoders.interface import Embeddings, Encoder

BATCH = 64  # pictures in memory at once


def rank_pictures(
    encoder: Encoder, captions: CaptionedPictures, *, progress: Progress | None = None
) -> EvaluationResult:
    """Embed captions and pictures, and rank the pictures for each caption and the captions for each picture.

    Args:
        encoder: any dual encoder.
        captions: what to rank.
        progress: updated with how many pictures are done.

    Raises:
        SaysoError: if no captioned picture can be read.
    """
    from sayso.metrics.retrieval import both_directions

    kept, pictures, missing, unreadable = embed_pictures(encoder, captions.pictures, progress or Silent())
    column = {old: new for new, old in enumerate(kept)}
    used = [k for k, owner in enumerate(captions.owners) if owner in column]
    if not used:
        raise SaysoError(
            f"none of the {len(captions.pictures)} pictures of {captions.source} can be read,"
            f" such as {captions.pictures[0]}; give their folder with --images"
        )
    texts = encoder.encode_text([captions.texts[k] for k in used])
    owners = np.array([column[captions.owners[k]] for k in used])
    similarity = texts.astype(np.float64) @ pictures.astype(np.float64).T  # (K captions, N pictures)
    ranks = both_directions(similarity, owners)
    return EvaluationResult(
        protocol="caption retrieval",
        primary=Primary("R@10", ranks["text_to_item"]["R@10"]),
        columns=RANKS,
        rows={"text to picture": ranks["text_to_item"], "picture to text": ranks["item_to_text"]},
        counts={
            "pictures": Count(len(kept), len(captions.pictures)),
            "captions": Count(len(used), max(captions.listed, len(captions.texts))),
        },
        missing=tuple(missing),
        unreadable=(*unreadable, *(failure.error for failure in captions.failures)),
        definition={
            "source": captions.source.name,
            "sha256": sha256_of(captions.source),
            "pictures_without_caption": len(captions.pictures) - len(set(captions.owners)),
        },
    )


@dataclass(frozen=True)
class ImageRetrieval:
    """Retrieval among captioned pictures."""

    name = "image-retrieval"
    title = "captioned pictures in COCO format"
    measures = "recall and rank of each caption's picture, and of each picture's best caption"
    needs = ("encoder",)
    data = "a .json file of captions in COCO format, with the pictures in images/ beside it or in --images"
    takes = ("images",)

    def __call__(
        self,
        model: Encoder,
        data: Path,
        options: EvaluationOptions = DEFAULTS,
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Rank the pictures of a file of captions; see ``Evaluator``."""
        return rank_pictures(model, read_captioned(data, options.images), progress=progress)


IMAGE_RETRIEVAL = ImageRetrieval()


def embed_pictures(
    encoder: Encoder, paths: list[Path], progress: Progress
) -> tuple[list[int], Embeddings, list[str], list[str]]:
    """Embed the pictures that can be read.

    Args:
        encoder: any dual encoder.
        paths: of the pictures.
        progress: updated with how many are done.

    Returns:
        their indices, their embeddings (N, D), and the names of those that are missing, and unreadable.
    """
    kept: list[int] = []
    embeddings: list[Embeddings] = [np.empty((0, encoder.dim), np.float32)]
    missing: list[str] = []
    unreadable: list[str] = []
    pictures = _read(paths, missing, unreadable)
    while group := list(islice(pictures, BATCH)):
        embeddings.append(encoder.encode_images([picture for _, picture in group]))
        kept += [i for i, _ in group]
        progress.update(kept[-1] + 1, len(paths))
    return kept, np.concatenate(embeddings), missing, unreadable


def _read(paths: list[Path], missing: list[str], unreadable: list[str]) -> Iterator[tuple[int, Image]]:
    """Yield the pictures that can be read, each with its index; list the others."""
    from sayso.media import read_image

    for i, path in enumerate(paths):
        if not path.is_file():
            missing.append(str(path))
            continue
        try:
            yield i, read_image(path)
        except MediaError as error:
            unreadable.append(f"{path}: {error}")

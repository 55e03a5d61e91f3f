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

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.errors import MediaError, SaysoError
from sayso.core.io import sha256_of
from sayso.core.progress import Silent
from sayso.data.datasets.coco_json import annotation_name, find_picture, read_coco_file
from sayso.evaluation.clip_retrieval import RANKS
from sayso.evaluation.evaluator import DEFAULTS, Count, EvaluationOptions, EvaluationResult, Primary

if TYPE_CHECKING:
    from PIL.Image import Image

    from sayso.core.progress import Progress
    from sayso.encoders.interface import Embeddings, Encoder

log = logging.getLogger(__name__)
_FORM = "COCO caption format ('images' with id and file_name, 'annotations' with image_id and caption)"
BATCH = 64  # pictures in memory at once


@dataclass(frozen=True, slots=True)
class Captions:
    """Captioned pictures.

    Args:
        pictures: N paths; the files need not exist.
        texts: the captions.
        owners: for each caption, the index of its picture.
        source: the file they were read from.
        failures: the records that are left out.
        listed: how many captions the file lists.
    """

    pictures: list[Path]
    texts: list[str]
    owners: list[int]
    source: Path
    failures: tuple[str, ...] = ()
    listed: int = 0


def read_captions(path: Path, images: Path | None = None) -> Captions:
    """Read captions in COCO format.

    That is ``images`` with id and file_name, and ``annotations`` with image_id and caption.

    Args:
        path: the .json file.
        images: folder of the pictures; default ``images`` beside the file.

    Raises:
        SaysoError: if the file is not in that format or holds no captions.
    """
    folder = images or path.parent / "images"
    content = read_coco_file(path, _FORM, categories=False)
    number = {id_: n for n, id_ in enumerate(content.pictures)}
    pictures = [find_picture(name, [folder]) or folder / name for name in content.pictures.values()]
    texts, owners, failures = [], [], [failure.error for failure in content.failures]
    for position, id_, row in content.annotations:
        caption = row.get("caption")
        text = str(caption) if isinstance(caption, str | int | float) else ""
        if text.strip():
            texts.append(text)
            owners.append(number[id_])
        else:
            failures.append(f"{annotation_name(row, position)} has no caption")
    if not texts:
        raise SaysoError(f"{path} holds no captions{f': {failures[0]}' if failures else ''}")
    if failures:
        log.warning("%s: left out %s, such as: %s", path, f"{len(failures):,}", failures[0])
    return Captions(pictures, texts, owners, path, tuple(failures), content.listed)


def rank_pictures(
    encoder: Encoder, captions: Captions, *, progress: Progress | None = None
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

    kept, pictures, missing, unreadable = _embed_pictures(encoder, captions.pictures, progress or Silent())
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
        unreadable=(*unreadable, *captions.failures),
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
        return rank_pictures(model, read_captions(data, options.images), progress=progress)


IMAGE_RETRIEVAL = ImageRetrieval()


def _embed_pictures(
    encoder: Encoder, paths: list[Path], progress: Progress
) -> tuple[list[int], Embeddings, list[str], list[str]]:
    """Return the indices and embeddings (N, D) of the readable pictures, and which are missing or broken."""
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

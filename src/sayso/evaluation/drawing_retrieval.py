"""Drawings found by their names: emoji of things that the shipped head for drawings has never seen.

Each drawing is a query by its name, and has to find itself among all drawings, those of the same thing by
other artists included; so two artists halve R@1, and that is the same for every model. With photographs
beside (``--images``), names and captions search one collection of both kinds: neither may hide the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.data.datasets.coco_captions import CaptionedPictures, read_captioned
from sayso.data.datasets.named_drawings import NamedDrawing, read_emoji
from sayso.evaluation.clip_retrieval import RANKS
from sayso.evaluation.evaluator import Count, EvaluationOptions, EvaluationResult, FunctionEvaluator, Primary
from sayso.evaluation.image_retrieval import embed_captions
from sayso.evaluation.picture_features import embed_pictures

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.encoders.interface import Embeddings, Encoder


def _drawing_retrieval(
    model: Encoder, data: Path, options: EvaluationOptions, progress: Progress
) -> EvaluationResult:
    """Rank drawings for their names; see ``Evaluator``."""
    found = [one for one in read_emoji(data) if one.held_out]
    drawn = embed_pictures(model, [one.path for one in found], cache=options.cache, progress=progress)
    found = [found[n] for n in drawn.used]
    texts = model.encode_text([one.names[0] for one in found])
    rows = _by_artist(found, texts, drawn.embeddings)
    counts = {"drawings": drawn.count}
    if options.images is not None:
        captions = read_captioned(options.images / "captions.json")
        counts["photographs"] = _among_photographs(model, captions, (texts, drawn.embeddings), rows)
    return EvaluationResult(
        protocol="named drawings",
        primary=Primary("R@10", rows["all artists"]["R@10"]),
        columns=RANKS,
        rows=rows,
        counts=counts,
        missing=drawn.missing,
        unreadable=drawn.unreadable,
        definition={"things": len({one.thing for one in found})},
        published=({"model": "chance", "source": "10 / drawings", "R@10": 10 / len(found)},),
    )


DRAWING_RETRIEVAL = FunctionEvaluator(
    name="drawing-retrieval",
    title="named emoji of things that the head for drawings never saw",
    measures="recall and rank of each drawing for its name, and of photographs for captions beside drawings",
    data="the node_modules of: npm install emoji-datasource-google@16.0.0 emoji-datasource-twitter@16.0.0"
    " @lobehub/fluent-emoji-3d@1.1.0; --images: a folder with captions.json in COCO format and images/",
    measure=_drawing_retrieval,
    takes=("images",),
)


def _by_artist(
    found: Sequence[NamedDrawing], texts: Embeddings, pictures: Embeddings
) -> dict[str, dict[str, float]]:
    """Return the ranks among the drawings of all artists, and of each artist alone."""
    from sayso.metrics.retrieval import retrieval_from_embeddings

    rows = {"all artists": retrieval_from_embeddings(texts, pictures)}
    for artist in dict.fromkeys(one.artist for one in found):
        own = [n for n, one in enumerate(found) if one.artist == artist]
        rows[artist] = retrieval_from_embeddings(texts[own], pictures[own])
    return rows


def _among_photographs(
    model: Encoder,
    captioned: CaptionedPictures,
    drawn: tuple[Embeddings, Embeddings],
    rows: dict[str, dict[str, float]],
) -> Count:
    """Add the ranks in one collection of drawings and photographs; return how many photographs there are."""
    from sayso.metrics.retrieval import retrieval_from_embeddings

    names, drawings = drawn
    photographs = embed_pictures(model, captioned.pictures)
    taken = photographs.embeddings
    texts, owners = embed_captions(model, captioned, photographs)
    both = np.concatenate([taken, drawings])
    own = np.arange(len(drawings)) + len(taken)
    rows["drawings among photographs"] = retrieval_from_embeddings(names, both, own)
    rows["photographs among drawings"] = retrieval_from_embeddings(texts, both, owners)
    rows["photographs alone"] = retrieval_from_embeddings(texts, taken, owners)
    return photographs.count

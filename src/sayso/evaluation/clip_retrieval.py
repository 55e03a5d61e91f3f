"""Clip retrieval: find the clip for a caption, in any manifest of clips with captions.

The manifest's rows name a file, a span and a text (``path, start_s, end_s, text``). Of each
span, some windows as long as the encoder likes are embedded and averaged, spread evenly from its
beginning to its end, a single one in its middle. Every text is a query among all clips. Features by the
files' names may stand in the place of the files (``clip_features``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sayso.core.errors import SaysoError
from sayso.core.io import sha256_of
from sayso.core.types import Span
from sayso.data.manifest import Failure, read_manifest
from sayso.evaluation.clip_features import embed_features
from sayso.evaluation.evaluator import (
    Count,
    EvaluationOptions,
    EvaluationResult,
    FunctionEvaluator,
    Primary,
    Row,
)
from sayso.evaluation.windows import Windows, embed_windows

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.encoders.interface import Embeddings, Encoder

RANKS = ("R@1", "R@5", "R@10", "median_rank", "mean_rank")


@dataclass(frozen=True, slots=True)
class CaptionedClip:
    """A clip and its caption; ``span`` None is the whole file."""

    path: str
    span: Span | None
    text: str


@dataclass(frozen=True, slots=True)
class RankedClips:
    """How high clips rank for their captions, and captions for their clips.

    Args:
        used: indices of the clips that could be read.
        unreadable: paths of the others.
        rows: ``text to clip`` and ``clip to text``, each as ``sayso.metrics.retrieval`` returns it.
    """

    used: list[int]
    unreadable: tuple[str, ...]
    rows: dict[str, Row]

    @property
    def primary(self) -> Primary:
        """R@10 of text to clip."""
        return Primary("R@10", self.rows["text to clip"]["R@10"])


def _clip_retrieval(
    model: Encoder, data: Path, options: EvaluationOptions, progress: Progress
) -> EvaluationResult:
    """Rank the clips of a manifest; see ``Evaluator``."""
    clips, wrong = read_clips(data)
    if options.features is not None:
        return _of_features(model, data, options.features, clips, wrong)
    windows = Windows(count=options.windows or 1)
    ranked = rank_clips(model, clips, windows=windows, cache=options.cache, progress=progress)
    return EvaluationResult(
        protocol="clip retrieval",
        primary=ranked.primary,
        columns=RANKS,
        rows=ranked.rows,
        counts={"clips": Count(len(ranked.used), len(clips) + len(wrong))},
        unreadable=(*(failure.error for failure in wrong), *ranked.unreadable),
        definition={"sha256": sha256_of(data), "windows": windows.count, "window": asdict(model.clip)},
    )


def _of_features(
    model: Encoder, data: Path, features: Path, clips: Sequence[CaptionedClip], wrong: Sequence[Failure]
) -> EvaluationResult:
    """Rank clips by features of their files, which need not be there."""
    listed = [(Path(clip.path).stem, clip.span, clip.text) for clip in clips]
    found = embed_features(model, features, listed)
    rows = rank_embeddings(model.encode_text(found.texts), found.vectors)
    return EvaluationResult(
        protocol="clip retrieval, from features",
        primary=Primary("R@10", rows["text to clip"]["R@10"]),
        columns=RANKS,
        rows=rows,
        counts={"clips": Count(len(found.texts), len(clips) + len(wrong))},
        missing=found.missing,
        unreadable=(*(failure.error for failure in wrong), *found.unreadable),
        definition={"sha256": sha256_of(data), "features": str(features)},
    )


CLIP_RETRIEVAL = FunctionEvaluator(
    name="clip-retrieval",
    title="clips with texts, in a manifest",
    measures="recall and rank of each text's clip, and of each clip's text",
    data="a manifest (.csv, .jsonl or .parquet) with the columns path, start_s, end_s and text",
    measure=_clip_retrieval,
    takes=("windows", "features"),
)


def read_clips(manifest: Path) -> tuple[list[CaptionedClip], list[Failure]]:
    """Return the captioned clips of a manifest, and the rows that are wrong.

    Raises:
        SaysoError: if the manifest cannot be read, or no row has a text.
    """
    clips, wrong = [], []
    for source in read_manifest(manifest):
        if isinstance(source, Failure):
            wrong.append(source)
        else:
            clips += [CaptionedClip(source.path, row.span, row.text) for row in source.rows if row.text]
    if not clips:
        why = wrong[0].error if wrong else f"{manifest} has no row with a path and a text"
        raise SaysoError(f"{why}: there is nothing to retrieve")
    return clips, wrong


def rank_clips(
    encoder: Encoder,
    clips: Sequence[CaptionedClip],
    *,
    windows: Windows,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> RankedClips:
    """Embed clips and captions, and rank the clips for each caption and the captions for each clip.

    Args:
        encoder: any dual encoder.
        clips: what to rank; clips that are missing or cannot be read are left out.
        windows: which are embedded of a clip, and averaged.
        cache: folder where embeddings are kept; see ``embed_windows``.
        progress: updated with how many clips are done.

    Raises:
        SaysoError: if no clip can be read.
    """
    cuts = [(clip.path, clip.span) for clip in clips]
    used, windowed = embed_windows(encoder, cuts, windows, cache=cache, progress=progress)
    if not used:
        raise SaysoError(f"none of the {len(clips)} clips can be read, such as {clips[0].path}")
    texts, videos = encoder.encode_text([clips[number].text for number in used]), windowed.mean(1)
    read = set(used)
    return RankedClips(
        used,
        tuple(sorted({clip.path for k, clip in enumerate(clips) if k not in read})),
        rank_embeddings(texts, videos),
    )


def rank_embeddings(texts: Embeddings, videos: Embeddings) -> dict[str, Row]:
    """Return how high clips rank for texts, and texts for clips: (N, D) each, one of each a pair."""
    from sayso.metrics.retrieval import retrieval_from_embeddings

    return {
        "text to clip": retrieval_from_embeddings(texts, videos),
        "clip to text": retrieval_from_embeddings(videos, texts),
    }

"""Clip retrieval: find the clip for a caption, in any manifest of clips with captions.

The manifest's rows name a file, a span and a text (``path, start_s, end_s, text``). Of each
span, some windows as long as the encoder likes are embedded and averaged, spread evenly from its
beginning to its end, a single one in its middle. Every text is a query among all clips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.core.errors import SaysoError
from sayso.core.types import Span
from sayso.data.manifest import Failure, read_manifest
from sayso.evaluation.windows import embed_windows

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.encoders.interface import Encoder

PROTOCOL = "clip retrieval"


@dataclass(frozen=True, slots=True)
class CaptionedClip:
    """A clip and what is said of it; ``span`` None is the whole file."""

    path: str
    span: Span | None
    text: str


def read_clips(manifest: Path) -> list[CaptionedClip]:
    """Read captioned clips.

    Raises:
        SaysoError: if the manifest cannot be read, a row is wrong, or no row has a text.
    """
    clips = []
    for source in read_manifest(manifest):
        if isinstance(source, Failure):
            raise SaysoError(source.error)
        clips += [CaptionedClip(source.path, row.span, row.text) for row in source.rows if row.text]
    if not clips:
        raise SaysoError(f"{manifest} has no row with a path and a text: there is nothing to retrieve")
    return clips


def clip_retrieval(
    encoder: Encoder,
    clips: Sequence[CaptionedClip],
    *,
    windows: int = 1,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Embed clips and captions, and rank the clips for each caption.

    Args:
        encoder: any dual encoder.
        clips: what to rank; clips that are missing or cannot be read are left out and counted.
        windows: how many are embedded of a clip, and averaged.
        cache: folder where embeddings are kept; see ``embed_windows``.
        progress: told how many clips are done.

    Returns:
        ``protocol``, ``windows``, ``clips``, ``clips_used``, the paths ``unreadable``, and what
        ``sayso.metrics.retrieval`` returns under ``text_to_clip`` and ``clip_to_text``.

    Raises:
        SaysoError: if no clip can be read.
    """
    from sayso.metrics.retrieval import retrieval_from_embeddings

    cuts = [(clip.path, clip.span) for clip in clips]
    used, windowed = embed_windows(encoder, cuts, windows, cache=cache, progress=progress)
    if not used:
        raise SaysoError(f"none of the {len(clips)} clips can be read, such as {clips[0].path}")
    texts, seen = encoder.encode_text([clips[number].text for number in used]), windowed.mean(1)
    return {
        "protocol": PROTOCOL,
        "windows": windows,
        "clips": len(clips),
        "clips_used": len(used),
        "unreadable": sorted({clip.path for k, clip in enumerate(clips) if k not in set(used)}),
        "text_to_clip": retrieval_from_embeddings(texts, seen),
        "clip_to_text": retrieval_from_embeddings(seen, texts),
    }

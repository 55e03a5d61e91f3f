"""Captions before videos: which videos have words enough, which are silent; the third stage of a corpus.

Captions that people uploaded come before automatic ones. They lie as the site gave them in the folder of the
videos, where whatever reads a folder of videos finds them; a video without any is ``silent``, and ``sayso
transcribe`` can write its captions once it was fetched.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError
from sayso.core.io import write_atomic
from sayso.core.types import Caption
from sayso.systems.corpus.ledger import LedgerRow
from sayso.systems.corpus.limits import HostLimits, Manners
from sayso.systems.corpus.source import CaptionTrack
from sayso.systems.corpus.state import Waiting
from sayso.systems.corpus.storage import shelf
from sayso.systems.corpus.video_site import VideoSite
from sayso.systems.corpus.web import GoneForGood
from sayso.systems.corpus.work_through import sites, work_through
from sayso.text.captions.caption_file import caption_format, read_caption_file
from sayso.text.captions.encoding import decode_text
from sayso.text.captions.sidecar import SUFFIXES
from sayso.text.language.languages import language_of, same_language

SILENT = "silent"
_SUFFIXES = {"WebVTT": "vtt", "SRT": "srt", "TTML": "ttml", "SubStation": "ass", "json3": "json3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionPlan:
    """How captions are got.

    Args:
        folder: of the videos, where they go.
        language: ISO 639.
        min_words: captions have at least so many.
        manners: how a site is asked.
        record: file of what hosts said of waiting.
    """

    folder: Path
    language: str = "en"
    min_words: int = 100
    manners: Manners = field(default_factory=Manners)
    record: Path | None = None


def caption_videos(
    videos: Sequence[Waiting], plan: CaptionPlan, limits: HostLimits | None = None
) -> Iterator[LedgerRow]:
    """Yield a row a video: with its captions, silent, or why not. It can be pickled and run anywhere.

    Args:
        videos: which.
        plan: how.
        limits: shared with others; its own otherwise.
    """
    limits = limits or HostLimits(plan.manners, plan.record)
    site_of = sites(limits)
    yield from work_through("captions", videos, lambda one: _one(one, site_of(one.video.url), plan), limits)


def count_words(captions: Sequence[Caption]) -> int:
    """Return how many words captions have."""
    return sum(len(caption.text.split()) for caption in captions)


def _one(waiting: Waiting, site: VideoSite, plan: CaptionPlan) -> LedgerRow:
    video = waiting.video
    offer = site.offer(video)
    facts: dict[str, Any] = {"media": [list(file) for file in offer.files]}
    spoken = sorted(
        (one for one in offer.tracks if same_language(one.language or plan.language, plan.language)),
        key=lambda one: (one.automatic, language_of(one.language or "") != language_of(plan.language)),
    )
    if not spoken:
        status, why = ("rejected", "no captions in the language") if offer.tracks else ("done", SILENT)
        return LedgerRow("captions", video.id, status, why, offer.attempts, facts=facts)  # type: ignore[arg-type]
    attempts, why = offer.attempts, ""
    for track in spoken:
        try:
            content, path, asked = _content(video.id, track, site, plan)
            attempts = max(attempts, asked)
        except GoneForGood as error:
            why = why or f"captions: {error}"
            continue
        try:
            captions, suffix = _parsed(content)
        except (SaysoError, ValueError):
            why = why or "captions that cannot be read"
            continue
        words = count_words(captions)
        if words < plan.min_words:
            why = "words"
            continue
        target = path or plan.folder / shelf(video.id) / f"{_stem(video.id, track, plan)}.{suffix}"
        if path is None:
            write_atomic(target, content, guarded=False)
        kind = {"automatic": True} if track.automatic else {}
        facts |= {"captions": f"{target.parent.name}/{target.name}", "words": words, **kind}
        return LedgerRow("captions", video.id, "done", "", attempts, facts=facts)
    return LedgerRow("captions", video.id, "rejected", why, attempts)


def _content(
    key: str, track: CaptionTrack, site: VideoSite, plan: CaptionPlan
) -> tuple[bytes, Path | None, int]:
    """Return captions, the file that holds them already, and how often they were asked for now."""
    stem = plan.folder / shelf(key) / _stem(key, track, plan)
    for suffix in SUFFIXES:
        path = stem.with_name(f"{stem.name}.{suffix}")
        if path.is_file():
            return path.read_bytes(), path, 0
    content, attempts = site.captions(track)
    return content, None, attempts


def _parsed(content: bytes) -> tuple[Sequence[Caption], str]:
    """Return captions and the suffix of their format.

    Raises:
        SaysoError: if they are none.
        ValueError: if they are no text.
    """
    with tempfile.NamedTemporaryFile(prefix="sayso-") as copy:
        copy.write(content)
        copy.flush()
        captions = read_caption_file(copy.name).captions
    return captions, _SUFFIXES.get(caption_format(decode_text(content)[0]) or "", "srt")


def _stem(key: str, track: CaptionTrack, plan: CaptionPlan) -> str:
    return f"{key}.{plan.language}{'.auto' if track.automatic else ''}"

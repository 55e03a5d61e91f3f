"""The alignment of a script's file and a film's subtitles."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from sayso.alignment.align import AlignedScript, align_script
from sayso.alignment.clock import fit_clock
from sayso.alignment.placing import place_lines
from sayso.core.errors import SaysoError
from sayso.core.types import Caption
from sayso.data.manifest import Failure

log = logging.getLogger(__name__)
LATE_S = 2.0
SHOWN = 6  # offsets that are logged
OFF_S = 1.0  # median error of the subtitles' times above which they are wrong


def align_files(
    script: str | os.PathLike[str],
    subtitles: str | os.PathLike[str],
    *,
    reference: str | os.PathLike[str] | None = None,
    video: str | os.PathLike[str] | None = None,
) -> tuple[AlignedScript, list[Failure]]:
    """Give a script its times and subtitles their speakers; return both, and unreadable captions.

    Args:
        script: screenplay or transcript: text, Fountain, HTML, PDF.
        subtitles: of the same film: SRT, WebVTT, ASS and other formats.
        reference: captions with the film's own times; they correct the subtitles' frame rate and offset.
        video: the film, whose length is compared with that of the subtitles.

    Raises:
        SaysoError: if a file cannot be read, or there is no caption in the subtitles.
    """
    from sayso.text import read_screenplay

    screenplay = read_screenplay(Path(script))
    for doubt in screenplay.doubts:
        log.warning("%s, line %s: %s", script, doubt.line, doubt.message)
    captions, failures = _captions(Path(subtitles), reference)
    if video is not None:
        _compare_length(captions, Path(video))
    return align_script(screenplay, captions), failures


def _captions(
    subtitles: Path, reference: str | os.PathLike[str] | None
) -> tuple[list[Caption], list[Failure]]:
    """Return the captions, at the film's own times if a reference has those, and what could not be read."""
    read, failures = _read(subtitles)
    if not read:
        raise SaysoError(f"{subtitles}: there are no captions in the file; give the subtitles of the film")
    if reference is None:
        return read, failures
    timed, more = _read(Path(reference))
    clock = fit_clock(read, timed)
    offsets = ", ".join(f"{piece.offset_s:+.2f}" for piece in clock.pieces[:SHOWN])
    more_ = f" and {len(clock.pieces) - SHOWN} more pieces" if len(clock.pieces) > SHOWN else ""
    log.info("subtitle times: x %.5f %s s%s, median error %.2f s", clock.rate, offsets, more_, clock.error_s)
    if clock.error_s > OFF_S:
        wrong = (
            f"{reference}: the times still differ by {clock.error_s:.1f} s in the middle; "
            "the times that were written are wrong: give a reference of the same film"
        )
        more.append(Failure(str(reference), "clock", wrong))
    placed = place_lines(read, timed, clock)
    if placed.left_out:
        log.warning(
            "%s: %d of %d lines are left out, the first at %.0f s: %s has nothing like them where they "
            "would be in the film",
            subtitles,
            len(placed.left_out),
            len(read),
            min(caption.span.start for caption in placed.left_out),
            reference,
        )
    return list(placed.captions), [*failures, *more]


def _read(path: Path) -> tuple[list[Caption], list[Failure]]:
    """Return the captions of a file, and what of it could not be read."""
    from sayso.text import read_caption_file

    found = read_caption_file(path)
    return list(found.captions), [Failure(str(path), "captions", str(problem)) for problem in found.problems]


def _compare_length(captions: Sequence[Caption], video: Path) -> None:
    """Warn if the subtitles are longer than the video: they were timed to another copy."""
    from sayso.media import probe

    length = probe(video).duration
    last = max(caption.span.end for caption in captions)
    if length is not None and last > length + LATE_S:
        log.warning(
            "the subtitles go on %.0f s after the end of %s: they were timed to another frame rate or cut; "
            "give --reference captions with the film's own times",
            last - length,
            video,
        )

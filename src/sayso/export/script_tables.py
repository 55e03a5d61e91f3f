"""An aligned script as tables and captions that other programs read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sayso.core.harmless import harmless_cells
from sayso.core.types import Caption
from sayso.text import write_srt

Row = Mapping[str, object]
COLUMNS = ("scene", "start_s", "end_s", "score", "text")


def descriptions_csv(rows: Iterable[Row]) -> str:
    """Return the descriptions as CSV: scene, start_s, end_s, score, text; empty times where unknown.

    Args:
        rows: of an aligned script: ``kind``, ``text``, ``start_s``, ``end_s``, ``score``.
    """
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    scene: object = ""
    for row in rows:
        if row["kind"] == "heading":
            scene = row["text"]
        elif row["kind"] == "description":
            table.writerow(harmless_cells({"scene": scene, **{name: row[name] for name in COLUMNS[1:]}}))
    return out.getvalue()


def speaker_srt(captions: Iterable[Caption]) -> str:
    """Return captions as SRT with the speaker's name before the text."""
    return write_srt(
        replace(caption, text=f"{caption.speaker}: {caption.text}") if caption.speaker else caption
        for caption in captions
    )


def moments_manifest(video: str, rows: Iterable[Row], least: float = 0.5) -> str:
    """Return a manifest (JSON lines) that ``sayso index`` reads: a moment for each speech and description.

    Args:
        video: the media file, as the manifest names it.
        rows: of an aligned script.
        least: moments with a lower score are left out.
    """
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _moments(video, rows, least))


def _moments(video: str, rows: Iterable[Row], least: float) -> Iterator[Row]:
    for row in rows:
        start, end, score = row["start_s"], row["end_s"], row["score"]
        timed = isinstance(start, float) and isinstance(end, float) and end > start
        likely = isinstance(score, float) and score >= least
        if timed and likely and row["kind"] != "heading":
            spoken = row["kind"] == "dialogue" and row["speaker"]
            text = f"{row['speaker']}: {row['text']}" if spoken else row["text"]
            yield {"path": video, **row, "text": text}

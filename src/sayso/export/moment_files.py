"""Found or picked moments in every format in which they can be taken away."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sayso.core.harmless import harmless, harmless_cells
from sayso.core.types import Caption, Span
from sayso.export.edit_lists import edl, fcpxml, otio
from sayso.export.reel import Reel, lay_out, read_sources
from sayso.text import write_srt

Row = Mapping[str, Any]
MomentFormat = Literal["json", "csv", "srt", "edl", "fcpxml", "otio"]
FORMATS: dict[MomentFormat, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "edl": "text/plain; charset=utf-8",
    "fcpxml": "application/xml; charset=utf-8",
    "otio": "application/json",
}
FIRST = ("path", "title", "kind", "start_s", "end_s", "duration_s")
LEFT_OUT = ("thumb", "meta", "copies")


def moments_as(form: MomentFormat, rows: Sequence[Row], name: str) -> str:
    """Return moments as the text of a file.

    SRT has the times of the video if all are of one; else those of the reel, as EDL, FCPXML and OTIO do.

    Args:
        form: the format.
        rows: hits as ``Hit.to_dict`` gives them.
        name: of the whole: what was looked for.

    Raises:
        SaysoError: if the format needs moments of videos and there is none.
    """
    if form == "json":
        return (
            json.dumps({"query": name, "hits": [dict(row) for row in rows]}, ensure_ascii=False, indent=2)
            + "\n"
        )
    if form == "csv":
        return moments_csv(rows)
    reel = lay_out(rows, read_sources(rows), name)
    if form == "srt":
        return moments_srt(reel, rows)
    return {"edl": edl, "fcpxml": fcpxml, "otio": otio}[form](reel)


def moments_csv(rows: Sequence[Row]) -> str:
    """Return moments as CSV: where they are, all scores, what is said and seen, the manifest's columns."""
    own = [name for name in (rows[0] if rows else ()) if name not in (*FIRST, *LEFT_OUT)]
    extra = list(dict.fromkeys(name for row in rows for name in row.get("meta") or {}))
    columns = [*FIRST, *own, *(f"meta.{name}" for name in extra)]
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(map(harmless, columns))
    for row in rows:
        meta = row.get("meta") or {}
        cells = {name: row.get(name) for name in (*FIRST, *own)}
        table.writerow(harmless_cells(cells | {f"meta.{name}": meta.get(name) for name in extra}))
    return out.getvalue()


def moments_srt(reel: Reel, rows: Sequence[Row]) -> str:
    """Return the shots of a reel as subtitles: what is said, or seen, or the title.

    Args:
        reel: of the rows.
        rows: that it was laid out from.
    """
    videos = [row for row in rows if row["kind"] == "video"]
    if len({row["path"] for row in videos}) == 1:
        spans = [Span(row["start_s"], row["end_s"]) for row in videos]
    else:
        ends = [(shot.at, shot.at + shot.frames) for shot in reel.shots]
        spans = [Span(float(start / reel.rate), float(end / reel.rate)) for start, end in ends]
    texts = [shot.note or shot.name for shot in reel.shots]
    return write_srt(Caption(span, text) for span, text in zip(spans, texts, strict=True))

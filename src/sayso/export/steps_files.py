"""The steps of a video as chapters: WebVTT for players, and the lines that YouTube reads.

A row has ``name``, ``start_s``, ``end_s`` and ``present``; steps that are not present are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sayso.core.types import Caption, Span
from sayso.export.timestamps import timestamp
from sayso.text import write_vtt

Row = Mapping[str, object]
_YOUTUBE_S = 10.0  # the shortest chapter that YouTube takes
_YOUTUBE_LEAST = 3  # chapters, or it shows none


def steps_vtt(rows: Sequence[Row], duration_s: float) -> str:
    """Return WebVTT chapters: a step goes on until the next begins.

    Args:
        rows: of one video, in order of time.
        duration_s: of the video.
    """
    kept = _present(rows)
    ends = [*(start for _, start in kept[1:]), duration_s]
    captions = [
        Caption(Span(start, max(start, end)), name) for (name, start), end in zip(kept, ends, strict=False)
    ]
    return write_vtt(captions)


def youtube_chapters(rows: Sequence[Row], duration_s: float) -> str:
    """Return chapters as YouTube reads them from a description; empty where there are too few.

    The first begins at 0:00 and each lasts 10 s; a step that begins sooner joins the one before.

    Args:
        rows: of one video, in order of time.
        duration_s: of the video.
    """
    chapters = [(0.0, ["Start"])]
    for name, start in _present(rows):
        last, names = chapters[-1]
        if start - last >= _YOUTUBE_S and duration_s - start >= _YOUTUBE_S:
            chapters.append((start, [name]))
        elif names == ["Start"] and start < _YOUTUBE_S:
            chapters[-1] = (0.0, [name])
        else:
            names.append(name)
    if len(chapters) < _YOUTUBE_LEAST:
        return ""
    return "".join(f"{timestamp(start)} {', '.join(names)}\n" for start, names in chapters)


def _present(rows: Sequence[Row]) -> list[tuple[str, float]]:
    kept = [(str(row["name"]), float(str(row["start_s"]))) for row in rows if row["present"]]
    return sorted(kept, key=lambda row: row[1])

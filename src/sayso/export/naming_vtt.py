"""Names of faces as WebVTT: at every moment, who is on screen."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sayso.core.types import Caption, Span
from sayso.text import write_vtt

Row = Mapping[str, object]
SHORTEST_S = 0.2  # a cue that stands for less cannot be read
PIECE_S = 4.0  # as long as the pieces into which sayso index cuts a video


def names_vtt(rows: Iterable[Row], least: float = 0.5) -> str:
    """Return WebVTT whose cues name who is on screen, left to right.

    Args:
        rows: of tracks: ``start_s``, ``end_s``, ``name`` (None for nobody), ``score``, ``box``.
        least: tracks whose name has a lower score are left out.
    """
    return write_vtt(Caption(span, ", ".join(names)) for span, names in people_on_screen(rows, least))


def people_on_screen(rows: Iterable[Row], least: float = 0.5) -> list[tuple[Span, tuple[str, ...]]]:
    """Return who is on screen when, in order; neighbouring stretches of the same people are one."""
    kept = [row for row in rows if row["name"] is not None and _number(row["score"]) >= least]
    kept.sort(key=_left)
    edges = sorted({_number(row[side]) for row in kept for side in ("start_s", "end_s")})
    events = sorted(kept, key=lambda row: _number(row["start_s"]))
    stretches: list[tuple[Span, tuple[str, ...]]] = []
    active: list[Row] = []
    upcoming = 0
    for start, end in itertools.pairwise(edges):
        while upcoming < len(events) and _number(events[upcoming]["start_s"]) <= start:
            active.append(events[upcoming])
            upcoming += 1
        active = [row for row in active if _number(row["end_s"]) > start]
        names = tuple(dict.fromkeys(str(row["name"]) for row in sorted(active, key=_left)))
        if not names:
            continue
        last = stretches[-1] if stretches else None
        if last and last[1] == names and last[0].end == start:
            stretches[-1] = (Span(last[0].start, end), names)
        else:
            stretches.append((Span(start, end), names))
    return [item for item in stretches if item[0].duration >= SHORTEST_S]


def people_manifest(
    video: str,
    rows: Iterable[Row],
    captions: Sequence[Caption] = (),
    least: float = 0.5,
    duration: float | None = None,
) -> str:
    """Return a manifest (JSON lines) that ``sayso index`` reads: the whole film in pieces of 4 s at most.

    A piece with ``who`` has these people on screen all the time. What they do stands in its text.

    Args:
        video: the media file, as the manifest names it.
        rows: as for ``names_vtt``, and ``action`` (``name``, ``score``) where one is known.
        captions: of the film; their text becomes the text of the pieces, "Play it. [Sam: play piano]".
        least: the score from which a name counts.
        duration: of the film in seconds, if known.
    """
    rows = list(rows)
    done = [(Span(_number(row["start_s"]), _number(row["end_s"])), row) for row in rows if row.get("action")]
    pieces = [
        (piece, names)
        for span, names in _whole(people_on_screen(rows, least), duration)
        for piece in _cut(span)
    ]
    lines = []
    for span, names in pieces:
        spoken = [caption.text for caption in captions if caption.span.overlap(span) > 0]
        actions = [_action(row, least) for when, row in done if when.overlap(span) > SHORTEST_S]
        text = " ".join([*spoken, *dict.fromkeys(actions)])
        row = {"path": video, "start_s": round(span.start, 3), "end_s": round(span.end, 3)}
        row |= {"text": text.replace("\n", " ")} | ({"who": ", ".join(names)} if names else {})
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    return "".join(lines)


def _action(row: Row, least: float) -> str:
    action = row["action"]
    what = action["name"] if isinstance(action, dict) else action
    likely = row["name"] is not None and _number(row["score"]) >= least
    return f"[{row['name']}: {what}]" if likely else f"[{what}]"


def _whole(
    stretches: Sequence[tuple[Span, tuple[str, ...]]], duration: float | None
) -> Iterator[tuple[Span, tuple[str, ...]]]:
    """Yield the stretches and, with no names, what lies between them."""
    at = 0.0
    for span, names in stretches:
        if span.start - at >= SHORTEST_S:
            yield Span(at, span.start), ()
        yield span, names
        at = span.end
    if duration is not None and duration - at >= SHORTEST_S:
        yield Span(at, duration), ()


def _cut(span: Span) -> Iterator[Span]:
    count = max(1, math.ceil(span.duration / PIECE_S - 1e-6))
    edges = [span.start + span.duration * k / count for k in range(count + 1)]
    return (Span(start, end) for start, end in itertools.pairwise(edges))


def _left(row: Row) -> float:
    box = row.get("box")
    return float(box[0]) if isinstance(box, list) else 0.0


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0

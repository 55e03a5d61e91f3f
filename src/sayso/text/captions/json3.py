"""YouTube's own caption format, json3: a list of events with segments.

Uploaded captions have one event a caption, in several segments where words are styled.
Automatic ones have a segment a word, with
its offset, and events that only end a line; an event is shown until the line after
next, so that its duration says when it scrolls away, not when its words end.
"""

from __future__ import annotations

import json
import math
from typing import Any

from sayso.text.captions.collector import CaptionCollector
from sayso.text.captions.timed_words import TimedWord, add_word_captions

Event = tuple[int, float, float, list[tuple[float, str]]]


def read_json3(text: str, collector: CaptionCollector) -> None:
    """Read a json3 file, uploaded or automatic.

    Raises:
        SubtitleError: if the file is not JSON, or JSON of another kind.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise collector.error(line, f"expected JSON as YouTube writes it, but {_reason(error)}") from error
    events = document.get("events") if isinstance(document, dict) else None
    if not isinstance(events, list):
        raise collector.error(None, "expected YouTube's json3, an object with a list of 'events'")
    spoken = [event for i, raw in enumerate(events, 1) if (event := _event(i, raw, collector))]
    if any(map(_is_automatic, events)):
        add_word_captions(_words(spoken), collector, timed=True)
        return
    for _, start, end, segments in spoken:
        collector.add(None, start, end, "".join(text for _, text in segments))


def _is_automatic(raw: Any) -> bool:
    """Say whether an event is of a speech recogniser: it ends a line, or its words have their confidence."""
    if not isinstance(raw, dict):
        return False
    segments = raw.get("segs")
    sure = isinstance(segments, list) and any(
        isinstance(seg, dict) and "acAsrConf" in seg for seg in segments
    )
    return bool(raw.get("aAppend")) or sure


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(getattr(error, "msg", error))


def _event(number: int, raw: Any, collector: CaptionCollector) -> Event | None:
    """Return number, start, end (seconds) and timed segments of an event, None if it shows no words."""
    if not isinstance(raw, dict) or not isinstance(raw.get("segs", []), list):
        collector.skip(None, f"expected event {number} to be an object with a list of 'segs'")
        return None
    segments = [
        seg for seg in raw.get("segs", []) if isinstance(seg, dict) and isinstance(seg.get("utf8"), str)
    ]
    if not any(seg["utf8"].strip() for seg in segments):
        return None
    times = [raw.get("tStartMs"), raw.get("dDurationMs", 0), *(seg.get("tOffsetMs", 0) for seg in segments)]
    if not all(isinstance(time, (int, float)) and abs(time) < 1e12 for time in times):
        collector.skip(None, f"expected event {number} to have its times in milliseconds")
        return None
    start, duration, *offsets = (float(time) / 1000 for time in times)
    words = [(start + offset, seg["utf8"]) for offset, seg in zip(offsets, segments, strict=True)]
    return number, start, start + duration, words


def _words(events: list[Event]) -> list[TimedWord]:
    """Return the words of automatic captions; a line ends when the next begins, if not before."""
    events = sorted(events, key=lambda event: event[1])
    words = []
    latest = [start for _, start, *_ in events[1:]] + [math.inf]
    for event, after in zip(events, latest, strict=False):
        number, start, end, segments = event
        end = max(start, min(end, after))
        starts = [min(max(time, start), end) for time, _ in segments]
        for (_, text), begins, ends in zip(segments, starts, [*starts[1:], end], strict=True):
            if text.strip():
                words.append(TimedWord(text, begins, max(begins, ends), number, None))
    return words

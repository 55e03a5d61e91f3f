"""SubStation Alpha: ASS and SSA, one ``Dialogue`` line a caption."""

from __future__ import annotations

import re

from sayso.text.captions.clock import parse_time
from sayso.text.captions.collector import CaptionCollector
from sayso.text.captions.markup import OVERRIDE, split_lines, without_drawings

FIELDS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
SPEAKER = ("name", "actor")
BREAK = re.compile(r"\\[Nn]")


def read_substation(text: str, collector: CaptionCollector) -> None:
    """Read the events of an ASS or SSA file; comments and drawings are left out, the Name is the speaker."""
    fields: tuple[str, ...] = FIELDS
    events = True
    for number, raw in enumerate(split_lines(text), 1):
        key, colon, rest = raw.strip().partition(":")
        if key.startswith("[") and key.endswith("]"):
            events = key.lower() == "[events]"
        elif events and colon and key.lower() == "format":
            fields = _fields(number, rest, collector)
        elif colon and key.lower() == "dialogue":
            _dialogue(number, rest, fields, collector)


def _fields(number: int, rest: str, collector: CaptionCollector) -> tuple[str, ...]:
    fields = tuple(name.strip().lower() for name in rest.split(","))
    if fields[-1] == "text" and "start" in fields and "end" in fields:
        return fields
    collector.skip(number, f"expected a format with Start, End and, last, Text, found {rest.strip()[:60]!r}")
    return FIELDS


def _dialogue(number: int, rest: str, fields: tuple[str, ...], collector: CaptionCollector) -> None:
    values = rest.split(",", len(fields) - 1)
    if len(values) < len(fields):
        collector.skip(number, f"expected {len(fields)} fields between commas, found {len(values)}")
        return
    event = dict(zip(fields, values, strict=True))
    start, end = parse_time(event["start"]), parse_time(event["end"])
    if start is None or end is None:
        wrong = event["start"] if start is None else event["end"]
        collector.skip(number, f"expected a time such as 0:00:05.00, found {wrong.strip()[:60]!r}")
    else:
        shown = OVERRIDE.sub("", without_drawings(event["text"]))
        text = BREAK.sub("\n", shown).replace("\\h", " ")
        collector.add(
            number, start, end, text, next((event[name] for name in SPEAKER if event.get(name)), None)
        )

"""Formats with one caption a line: MicroDVD, MPL2 and TMPlayer.

MicroDVD counts frames, so the frame rate must be known: from the caller, or from
a first line ``{1}{1}25``, or from the video beside the file. MPL2 counts tenths of a
second. TMPlayer gives no ends.
"""

from __future__ import annotations

import re

from sayso.text.captions.clock import parse_time
from sayso.text.captions.collector import CaptionCollector
from sayso.text.captions.markup import split_lines, strip_tags

LINES = {
    "MicroDVD": re.compile(r"\s*\{\s*(\d{1,9})\s*\}\s*\{\s*(\d{0,9})\s*\}(.*)"),
    "MPL2": re.compile(r"\s*\[(\d{1,9})\]\s*\[(\d{0,9})\](.*)"),
    "TMPlayer": re.compile(r"\s*(\d{1,2}:\d{2}:\d{2})()[:=](.*)"),
}
EXAMPLES = {"MicroDVD": "{120}{180}text", "MPL2": "[50][75]text", "TMPlayer": "00:00:05:text"}
FRAME_RATE = re.compile(r"\s*\{1\}\s*\{1\}\s*(\d{1,3}(?:[.,]\d{1,6})?)\s*$")


def detect_line_format(text: str) -> str | None:
    """Return the name of the format whose lines the text has, None if it has none of them."""
    head = [line for line in split_lines(text[:20000]) if line.strip()]
    return next((name for name, line in LINES.items() if any(map(line.match, head))), None)


def declares_rate(text: str) -> bool:
    """Say whether a MicroDVD file begins with its frame rate."""
    first = next((line for line in split_lines(text[:20000]) if line.strip()), "")
    return FRAME_RATE.match(first) is not None


def read_line_format(text: str, collector: CaptionCollector, name: str) -> None:
    """Read a file of the format that ``detect_line_format`` named.

    Args:
        text: of the file.
        collector: where the captions go; its ``fps`` is the frame rate, if known.
        name: of the format.

    Raises:
        SubtitleError: if frames are counted and the frame rate is not known.
    """
    lines = [(number, line) for number, line in enumerate(split_lines(text), 1) if line.strip()]
    a_second = {"MicroDVD": 0.0, "MPL2": 10.0, "TMPlayer": 1.0}[name]
    if name == "MicroDVD":
        declared = FRAME_RATE.match(lines[0][1])
        lines = lines[1:] if declared else lines
        a_second = collector.fps or (float(declared[1].replace(",", ".")) if declared else 0.0)
    if a_second <= 0:
        raise collector.error(
            None,
            "its times are frame numbers, and no video beside it tells their rate; put the rate on top, as "
            "{1}{1}25, or give fps=",
        )
    for number, line in lines:
        match = LINES[name].match(line)
        if match is None:
            collector.skip(number, f"expected a line such as {EXAMPLES[name]!r}, found {line.strip()[:60]!r}")
            continue
        start, end, marked = match.groups()
        begins = parse_time(start) if ":" in start else int(start) / a_second
        text = "\n".join(part.lstrip("/ ") for part in strip_tags(marked).split("|"))
        collector.add(number, begins or 0.0, int(end) / a_second if end else None, text)

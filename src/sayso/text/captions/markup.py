"""From the marked-up lines of a cue to plain text.

Tags, entities, positions and invisible characters go. Line breaks inside one
caption are typography and become spaces, except before a line that begins with
a dash or ``>>``: there another person speaks, and the break stays.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

LINE_END = re.compile(r"\r\n?|\n")
TAG = re.compile(r"</?[A-Za-z][^<>]*>|</?>|<[\d:.]+>")
BRACED = re.compile(r"\{\\[^{}]*\}|\{[A-Za-z]:[^{}]*\}")  # {\an8} of SubStation, {y:i} of MicroDVD
READING_AID = re.compile(r"<rt\b[^<>]*>.*?(?:</rt>|(?=</ruby>)|$)", re.IGNORECASE | re.DOTALL)
OVERRIDE = re.compile(r"\{[^{}]*\}")
DRAWING_MODE = re.compile(r"\\p(\d)")
PATH = re.compile(r"\s*m(?:\s+-?\d+(?:\.\d+)?){2}(?:\s+(?:[mnlbspc]|-?\d+(?:\.\d+)?))+\s*", re.IGNORECASE)
VOICE = re.compile(r"</v>|<v(?:\.[^\s<>]*)?(?:\s([^<>]*))?>")
TURN = re.compile(r"[-‐–—]\s?\D|>>")
# Zero-width spaces, direction and byte-order marks go; joiners stay: Persian and emoji are spelled with them.
INVISIBLE = dict.fromkeys([0x200B, 0x200E, 0x200F, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
CONTROL = dict.fromkeys([*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0)], " ")


def split_lines(text: str) -> list[str]:
    """Split as editors count lines: at CR, LF and CR LF, and nowhere else."""
    return LINE_END.split(text)


def strip_tags(marked: str) -> str:
    """Remove the tags of SRT and WebVTT, then resolve entities; spaces and line breaks stay."""
    if "\\p" in marked:
        marked = without_drawings(marked)
    bare = BRACED.sub("", TAG.sub("", READING_AID.sub("", marked) if "<rt" in marked else marked))
    try:
        return html.unescape(bare)
    except ValueError:  # a character number of thousands of digits
        return bare


def without_drawings(text: str) -> str:
    r"""Leave out what SubStation draws: paths between ``{\p1}`` and ``{\p0}``, and a text that is one."""
    parts, at, drawing = [], 0, False
    for override in OVERRIDE.finditer(text):
        if not drawing:
            parts.append(text[at : override.start()])
        parts.append(override.group())
        modes = DRAWING_MODE.findall(override.group())
        drawing = modes[-1] != "0" if modes else drawing
        at = override.end()
    if not drawing:
        parts.append(text[at:])
    shown = "".join(parts)
    return "" if PATH.fullmatch(OVERRIDE.sub("", shown)) else shown


def split_voices(marked: str) -> Iterator[tuple[str | None, str]]:
    """Split the text of a WebVTT cue by its voices: pairs of speaker (if named) and marked text."""
    speaker, at = None, 0
    for tag in VOICE.finditer(marked):
        yield speaker, marked[at : tag.start()]
        speaker = clean_text(strip_tags(tag[1] or "")) or None
        at = tag.end()
    yield speaker, marked[at:]


def clean_text(text: str) -> str:
    """Return plain text with single spaces, and a line break before each further speaker."""
    text = text.translate(INVISIBLE | CONTROL)
    if not text.isascii():
        text = text.encode(errors="replace").decode()  # a lone surrogate could not be written anywhere
    lines = [" ".join(line.split()) for line in split_lines(text)]
    joined = "".join(("\n" if TURN.match(line) else " ") + line for line in lines if line)
    return joined[1:]

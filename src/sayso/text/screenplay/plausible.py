"""Whether a file can be a screenplay at all: other kinds are refused, odd ones doubted."""

from __future__ import annotations

import json
import re

from sayso.text.captions.caption_file import caption_format
from sayso.text.screenplay.elements import Doubt, Screenplay
from sayso.text.screenplay.html_text import looks_like_html

XML = re.compile(
    r"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<([A-Za-z][\w:.-]*)", re.DOTALL
)
SIGNATURES = {
    "PK\x03\x04": "a packed document (Word, Pages, Celtx?)",
    "{\\rtf": "an RTF document",
    "\xd0\xcf\x11\xe0": "an old Word document",
    "%!PS": "PostScript",
}
HTML_ROOTS = (
    "html",
    "body",
    "head",
    "pre",
    "b",
    "p",
    "div",
    "center",
    "font",
    "table",
    "br",
    "span",
    "i",
    "u",
)
LEAST_SPEECH = 0.05  # of the words of a script without scene headings are somebody's


def other_kind(text: str) -> str | None:
    """Return what a file is that is no screenplay ("XML (<svg>)"), None if it may be one."""
    head = text[:4000].lstrip("\ufeff \t\r\n")
    for signature, what in SIGNATURES.items():
        if head.startswith(signature):
            return what
    root = XML.match(head)
    if root and root[1].lower() not in HTML_ROOTS and root[1] != "FinalDraft" and not looks_like_html(text):
        return f"XML (<{root[1][:40]}>)"
    captions = caption_format(text)
    if captions:
        return f"a caption file ({captions})"
    if head[:1] in "{[" and _is_json(text):
        return "JSON"
    return None


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def implausible(screenplay: Screenplay) -> Doubt | None:
    """Return the doubt whether this is a screenplay, None where headings or speakers say so."""
    spoken = [element for element in screenplay.elements if element.kind == "dialogue"]
    if any(screenplay.of_kind("heading")):
        return None
    if screenplay.style == "transcript":
        lines = {(element.speaker, element.line) for element in spoken}
        once = len(lines) == len({speaker for speaker, _ in lines})
        odd = once and (len(lines) > 2 or any(screenplay.of_kind("description")))
        return Doubt(1, "each 'NAME:' comes once only, so this may be no transcript") if odd else None
    cues = {(element.speaker, element.line) for element in spoken}
    if len(cues) > 1 and len(cues) == len({speaker for speaker, _ in cues}):
        return Doubt(1, "there is no scene heading and nobody speaks twice, so this may be no screenplay")
    words = sum(len(element.text.split()) for element in screenplay.elements)
    said = sum(len(element.text.split()) for element in spoken)
    if said < LEAST_SPEECH * words:
        return Doubt(1, "there is no scene heading and hardly any speech, so this may be no screenplay")
    return None

"""What a single line of a screenplay looks like: a scene heading, a cue, a transition."""

from __future__ import annotations

import re
from typing import NamedTuple

PLACE = r"(?:INT|EXT|EST|INTERIOR|EXTERIOR|I\s?/\s?E|INT\.?\s?/\s?EXT|EXT\.?\s?/\s?INT)"
NUMBER = r"(?:[A-Z]{0,2}\d{1,4}[A-Z]{0,2})"
HEADING = re.compile(
    rf"(?:#?(?P<number>{NUMBER})[.):#]?\s+)?(?P<text>{PLACE}(?:\.\s*|\s*[-–—:]\s*|\s+)\S.*?)"
    rf"(?:\s+#(?P<fountain>[\w.-]+)#|\s{{2,}}#?(?P<right>{NUMBER})[.)]?)?",
    re.IGNORECASE,
)
SCENE = re.compile(r"\[?\(?\s*(?:SCENE|Scene|scene)\b(?:\s+(?P<number>\d+))?\s*[:.–—-]\s*(?P<text>.*?)\)?\]?")
TRANSITION = re.compile(
    r"(?:[A-Z][A-Z' ]{0,30} TO|FADE (?:IN|OUT|UP|TO BLACK)|(?:CUT|FADE|DISSOLVE|WIPE)(?: TO)?(?: [A-Z]+)?|"
    r"THE END|END CREDITS|ROLL CREDITS|INTERCUT)\s*[:.]?"
)
EXTENSION = re.compile(r"\(([^()]*)\)?")
AGAIN = re.compile(r"(?i)\s*(?:cont(?:inued|inuing|'d|’d|d)?\.?|more)\s*")
NAME = re.compile(r"[^\W_](?:[\w.'’`&/,#\"\- ]*[\w.'’`\")])?")
SPOKEN_LABEL = re.compile(
    r"(?P<name>[^\W\d_][\w.'’`&/\- ]{0,38}?)\s*"
    r"(?P<extension>\([^()]{0,60}\)|\[[^\[\]]{0,60}\])?\s*:(?:\s+(?P<text>.*))?"
)
LONGEST_CUE = 45


class CharacterCue(NamedTuple):
    """Who speaks, with what stands behind the name: ``V.O.``; ``again`` if it says that a speech goes on."""

    speaker: str
    extension: str | None
    dual: bool = False
    again: bool = False


class Heading(NamedTuple):
    """A scene heading and its number."""

    text: str
    number: str | None


def parse_heading(text: str) -> Heading | None:
    """Return the scene heading that a line is, or None: "12 INT. HOUSE - DAY 12", "Scene: A cafe."."""
    match = HEADING.fullmatch(text)
    if match:
        number = match["number"] or match["fountain"] or match["right"]
        return Heading(match["text"].strip(), number)
    match = SCENE.fullmatch(text)
    return Heading(match["text"].strip() or text, match["number"]) if match else None


def is_transition(text: str) -> bool:
    """Say whether a line is a transition: "CUT TO:"."""
    return TRANSITION.fullmatch(text) is not None


def is_upper(text: str) -> bool:
    """Say whether all letters outside brackets are capitals, and there are some."""
    bare = EXTENSION.sub("", text)
    return any(map(str.isalpha, bare)) and bare == bare.upper() and bare != bare.lower()


def parse_cue(text: str) -> CharacterCue | None:
    """Return the speaker that a line in capitals names, or None: "BOB (V.O.) (CONT'D)"."""
    dual = text.endswith("^")
    text = text.removesuffix("^").strip()
    if len(text) > LONGEST_CUE or not is_upper(text):
        return None
    found = parse_name(text, dual)
    if found is None:
        return None
    sentence = found.speaker.endswith((".", "!", "?", ",", "-")) and len(found.speaker.split()) > 2
    return None if sentence else found


def parse_name(text: str, dual: bool = False) -> CharacterCue | None:
    """Return a cue in any case: the name, and the extensions without "(CONT'D)"."""
    parts = [part.strip() for part in EXTENSION.findall(text)]
    extensions = [part for part in parts if part and not AGAIN.fullmatch(part)]
    bare = EXTENSION.sub("", text)
    name = " ".join(re.sub(r"(?i)\s*[-–—]\s*cont(?:inued|'d|’d)\s*$", "", bare).split())
    name = name.rstrip(":").strip()
    if not NAME.fullmatch(name):
        return None
    return CharacterCue(name, ", ".join(extensions) or None, dual, again=any(map(AGAIN.fullmatch, parts)))


def parse_label(text: str) -> tuple[CharacterCue, str] | None:
    """Return the speaker and the words of a transcript's line "NAME (smiling): words", or None."""
    match = SPOKEN_LABEL.fullmatch(text)
    if match is None or len(match["name"].split()) > 5 or is_transition(text) or parse_heading(text):
        return None
    extension = (match["extension"] or "").strip("()[] ") or None
    return CharacterCue(" ".join(match["name"].split()), extension), (match["text"] or "").strip()

"""What a single line of a screenplay looks like: a scene heading, a cue, a transition."""

from __future__ import annotations

import re
from typing import NamedTuple

from sayso.text.screenplay.wording import WORDINGS, word_pattern, words_of

NUMBER = r"(?:[A-Z]{0,2}\d{1,4}(?:[.-]\d{1,3})?[A-Z]{0,2})"
OPENINGS = f"{word_pattern('places')}|{word_pattern('abbreviations')}"
HEADING = re.compile(
    rf"(?:#?(?P<number>{NUMBER})[.):#]?\s+)?"
    rf"(?P<text>(?P<place>(?:{OPENINGS})(?:(?P<pair>\.?\s?/\s?)(?:{OPENINGS}))?)"
    r"(?P<mark>\s*[.:]\s*|\s+[-–—]\s*|[-–—]\s*|\s*[/,]\s*|\s+)(?P<rest>\S.*?))"
    rf"(?:\s+#(?P<fountain>[\w.-]+)#|\s{{2,}}#?(?P<right>{NUMBER})[.)]?)?",
    re.IGNORECASE,
)
SCENE = re.compile(r"\[?\(?\s*(?:SCENE|Scene|scene)\b(?:\s+(?P<number>\d+))?\s*[:.–—-]\s*(?P<text>.*?)\)?\]?")
NUMBERED_SCENE = re.compile(
    rf"(?:{word_pattern('scenes')})\s+(?P<number>{NUMBER})\s*[:.–—-]\s*(?P<text>\S.*?)", re.IGNORECASE
)
OMITTED = re.compile(rf"(?P<number>{NUMBER})[.)]?\s+(?P<text>OMIT(?:TED)?)\.?(?:\s+{NUMBER}[.)]?)?")
TRANSITION = re.compile(
    r"(?:[A-Z][A-Z' ]{0,30} TO|(?:CUT|FADE|DISSOLVE|WIPE)(?: TO)?(?: [A-Z]+)?|"
    rf"{'|'.join(re.escape(word) for word in WORDINGS['en'].transitions.split(', '))})\s*[:.]?"
)
OTHER_TRANSITION = re.compile(
    rf"(?:{word_pattern('transitions')})\s*[:.]?|(?:{word_pattern('cuts')})(?:\s+[^\W\d_].{{0,40}})?\s*[:.]"
)
DASHED = re.compile(r"\s[-–—]\s|/")
SHORT_PLACES = ("INT", "EXT")  # these may be written in any case and without a full stop
EXTENSION = re.compile(r"\(([^()]*)\)?")
AGAIN = re.compile(rf"(?i)\s*(?:{word_pattern('again')})\.*\s*")
NAME = re.compile(r"[^\W_](?:[\w.'’`&/,#+\"\- ]*[\w.'’`\")])?")
SPOKEN_LABEL = re.compile(
    r"(?P<name>[^\W\d_][\w.'’`&/\- ]{0,38}?)\s*"
    r"(?P<extension>\([^()]{0,60}\)|\[[^\[\]]{0,60}\])?\s*:(?:\s+(?P<text>.*))?"
)
LONGEST_HEADING = 300
LONGEST_CUE = 45
LONGEST_NAME = 6  # words


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
    if len(text) > LONGEST_HEADING:
        return None
    match = HEADING.fullmatch(text)
    if match and _opens_scene(match):
        number = match["number"] or match["fountain"] or match["right"]
        return Heading(match["text"].strip(), number)
    match = OMITTED.fullmatch(text) or SCENE.fullmatch(text) or NUMBERED_SCENE.fullmatch(text)
    return Heading(match["text"].strip() or text, match["number"]) if match else None


def _opens_scene(match: re.Match[str]) -> bool:
    """Say whether what begins like a scene heading is one: "Innen ist es kalt." is not."""
    place, mark, rest = match["place"], match["mark"].strip(), match["rest"]
    upper = place == place.upper()
    if match["pair"]:
        return upper or bool(mark)
    if len(place) == 1:
        return False
    if place.upper() in SHORT_PLACES:
        return mark != "," and (upper or bool(mark) or bool(DASHED.search(rest)))
    if upper and place in words_of("places"):
        return bool(mark) or bool(DASHED.search(rest)) or is_upper(rest)
    return bool(mark) and mark != "," and (upper or (mark[0] in ".:" and bool(DASHED.search(rest))))


def is_transition(text: str) -> bool:
    """Say whether a line is a transition in any language: "CUT TO:", "SCHNITT AUF:"."""
    return TRANSITION.fullmatch(text) is not None or OTHER_TRANSITION.fullmatch(text) is not None


def is_certain_transition(text: str) -> bool:
    """Say whether a line is a transition that cannot be somebody's name ("FIN" can)."""
    return TRANSITION.fullmatch(text) is not None or (text.endswith(":") and is_transition(text))


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


def is_name(text: str) -> bool:
    """Say whether a line can be a cue in any case: "von Trapp", "VOICE FROM iPHONE"."""
    found = parse_name(text.removesuffix("^"))
    if found is None or len(text) > LONGEST_CUE or text.startswith("("):
        return False
    words = found.speaker.split()
    return len(words) <= LONGEST_NAME and not (
        len(words) > 1 and found.speaker.endswith((".", "!", "?", ","))
    )


def parse_label(text: str) -> tuple[CharacterCue, str] | None:
    """Return the speaker and the words of a transcript's line "NAME (smiling): words", or None."""
    match = SPOKEN_LABEL.fullmatch(text)
    if match is None or len(match["name"].split()) > 5 or is_transition(text) or parse_heading(text):
        return None
    extension = (match["extension"] or "").strip("()[] ") or None
    return CharacterCue(" ".join(match["name"].split()), extension), (match["text"] or "").strip()

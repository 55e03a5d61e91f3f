"""Fountain, the plain-text format of screenplays: what only it has, and writing it.

Its syntax: https://fountain.io/syntax
"""

from __future__ import annotations

import re

from sayso.text.screenplay.elements import Element, Screenplay
from sayso.text.screenplay.marks import is_transition, parse_cue, parse_heading

NOTE = re.compile(r"\[\[|/\*")
NOTE_ENDS = {"[[": "]]", "/*": "*/"}
FIELD = re.compile(r"([A-Za-z][A-Za-z ]{0,30}):[ \t]*(.*)")
TITLE_FIELDS = {
    "title", "credit", "author", "authors", "source", "draft date", "date", "contact", "copyright", "notes",
    "revision",
}  # fmt: skip


def strip_notes(text: str) -> str:
    """Return the text without notes ``[[ ]]`` and cut parts ``/* */``; its lines keep their numbers."""
    kept, at, endless = [], 0, set()
    for begin in NOTE.finditer(text):
        if begin.start() < at or begin[0] in endless:
            continue
        end = text.find(NOTE_ENDS[begin[0]], begin.end())
        if end == -1:
            endless.add(begin[0])  # nor has a later one an end: who looked again would look for ever
            continue
        kept += [text[at : begin.start()], "\n" * text.count("\n", begin.start(), end)]
        at = end + 2
    return "".join(kept) + text[at:]


def take_title(text: str) -> tuple[dict[str, str], str]:
    """Return the fields of the title page and the text with the page blanked out."""
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = FIELD.fullmatch(rows[0].lstrip("\ufeff").strip())
    if first is None or first[1].lower() not in TITLE_FIELDS:
        return {}, text
    fields: dict[str, str] = {}
    name = ""
    end = next((k for k, row in enumerate(rows) if not row.strip()), len(rows))
    for row in rows[:end]:
        match = FIELD.fullmatch(row.lstrip("\ufeff"))
        if match:
            name = match[1].lower()
            fields[name] = match[2].strip()
        else:
            fields[name] = f"{fields.get(name, '')}\n{row.strip()}".strip()
    return fields, "\n".join([""] * end + rows[end:])


def write_fountain(screenplay: Screenplay) -> str:
    """Return a screenplay as Fountain text; what could be misread is marked (``!``, ``@``, ``.``, ``>``)."""
    blocks = []
    if screenplay.title:
        rows = (
            f"{name.title()}: " + value.replace("\n", "\n    ") for name, value in screenplay.title.items()
        )
        blocks.append("\n".join(rows))
    last: Element | None = None
    for element in screenplay.elements:
        goes_on = element.speaker is not None and _same_speech(last, element)
        block = _write(element)
        if goes_on:
            blocks[-1] += "\n" + block
        else:
            blocks.append(f"{_cue(element)}\n{block}" if element.speaker is not None else block)
        last = element
    return "\n\n".join(blocks) + "\n"


def _same_speech(last: Element | None, element: Element) -> bool:
    """Say whether an element goes under the cue of the one before."""
    if last is None or last.speaker != element.speaker or last.extension != element.extension:
        return False
    return last.dual == element.dual and (last.kind, element.kind) != ("dialogue", "dialogue")


def _cue(element: Element) -> str:
    name = element.speaker or ""
    extension = f" ({element.extension})" if element.extension else ""
    plain = parse_cue(name + extension)
    mark = (
        "" if plain and plain.speaker == name and not is_transition(name) and not parse_heading(name) else "@"
    )
    return f"{mark}{name}{extension}{' ^' if element.dual else ''}"


def _write(element: Element) -> str:
    text = element.text
    if element.kind == "heading":
        number = f" #{element.number}#" if element.number else ""
        found = parse_heading(text)
        return f"{'' if found and found.text == text else '.'}{text}{number}"
    if element.kind == "transition":
        return text if is_transition(text) and text.endswith("TO:") else f"> {text}"
    if element.kind == "description":
        risky = parse_heading(text) or parse_cue(text) or is_transition(text) or text[0] in "!@.>~#="
        return f"!{text}" if risky else text
    return text

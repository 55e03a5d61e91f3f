"""What a person may type: words, pictures, clips, and sums of them.

dog on a beach              one text
2:dog + beach - night       a weighted sum of texts
dog + ./pool.jpg            a text and a picture
talk.mp4@12.5               the clip around second 12.5 of a video

and, in front of or between them, who has to be on screen:

who:ilsa playing piano           Ilsa is on screen; what fits best comes first
who:"ilsa lund" who:rick         both are
a bar - who:sam                  Sam is not

Who is on screen is the column ``who`` of a manifest, as ``sayso name`` writes it: "Ilsa Lund, Rick". Any
words of a name will do. The names lie in the JSON that a hit shows, where a filter matches them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import MediaError, QueryError, SaysoError, nothing_at
from sayso.index.kept import Kept
from sayso.index.sql import sql_string

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder

_OPERATOR = re.compile(r"(?:^|(?<=\s))([+-])(?=\s)")
_WEIGHT = re.compile(r"(\d+(?:\.\d+)?):\s*(?=\D)")
_MOMENT = re.compile(r"(.+)@(\d+(?:\.\d+)?)$")
_STRETCH = re.compile(r"(.+@\d+(?:\.\d+)?)-\d+(?:\.\d+)?$")  # as sayso clip takes it
_WHOLE_VIDEO_FRAMES = 32
HEAVIEST = 1e6
_WHO = re.compile(
    r'(?<!\S)(?:(?P<sign>[+-])\s+)?who:(?:"(?P<name>[^"]*)"|(?P<word>[^\s"]*))|"[^"]*"', re.IGNORECASE
)
_BETWEEN_NAMES = r'[^0-9A-Za-z"\\]'  # a letter that is not ASCII begins with a backslash


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of a query: ``weight`` times the embedding of a text or of a file."""

    weight: float
    text: str = ""
    file: str = ""


def parse_query(query: str, *, files: bool = True) -> list[Term]:
    """Split a query into its terms. A term in double quotes is a text, whatever it holds.

    Args:
        query: what a person typed.
        files: whether a term may name a picture or a clip on this machine.

    Raises:
        QueryError: if a term is empty, or there is none.

    Examples:
        >>> [(term.weight, term.text) for term in parse_query('2:dog + "a pool" - night')]
        [(2.0, 'dog'), (1.0, 'a pool'), (-1.0, 'night')]
    """
    masked = re.sub(r'"[^"]*"', lambda match: "x" * len(match[0]), query)
    marks = list(_OPERATOR.finditer(masked))
    starts = [0, *(mark.end() for mark in marks)]
    ends = [*(mark.start() for mark in marks), len(query)]
    signs = ["+", *(mark[1] for mark in marks)]
    pieces = [query[start:end].strip() for start, end in zip(starts, ends, strict=True)]
    if marks and not pieces[0]:
        pieces, signs = pieces[1:], signs[1:]
    if not all(pieces):
        raise QueryError(f"the query {query!r} has an empty term; write it like: 2:dog + beach - night")
    return [
        _term(piece, -1.0 if sign == "-" else 1.0, files) for piece, sign in zip(pieces, signs, strict=True)
    ]


def _term(piece: str, sign: float, files: bool) -> Term:
    weight = _WEIGHT.match(piece)
    if weight:
        if float(weight[1]) > HEAVIEST:
            raise QueryError(f"the weight {weight[1][:20]} is too large; weights reach to {HEAVIEST:g}")
        sign, piece = sign * float(weight[1]), piece[weight.end() :].strip()
    if len(piece) >= 2 and piece[0] == piece[-1] == '"':
        return Term(sign, text=piece[1:-1])
    if files and _names_file(piece):
        return Term(sign, file=piece)
    return Term(sign, text=piece)


def _names_file(piece: str) -> bool:
    path = (_MOMENT.match(piece) or [piece, piece])[1]
    return piece.startswith(("./", "../", "/", "~/")) or os.path.isfile(path)  # noqa: PTH113


def text_of(terms: Sequence[Term]) -> str:
    """Return the words to look for in what is said."""
    return " ".join(term.text for term in terms if term.weight > 0)


def embed_query(
    terms: Sequence[Term], encoder: Encoder, like: Any = None, kept: Kept[NDArray[np.float32]] | None = None
) -> NDArray[np.float32]:
    """Return the (D,) embedding of the sum of terms, plus a picture or clip ``like``.

    Args:
        terms: from ``parse_query``; may be empty if ``like`` is given.
        encoder: of the index.
        like: a PIL image, a (H, W, 3) uint8 array, or a path as in ``embed_file``.
        kept: (D,) sums of terms of text by this encoder, which need not be made again.

    Raises:
        MediaError: if a file is not there or cannot be read.
        QueryError: if the terms cancel each other out.
    """
    total = np.zeros(encoder.dim, np.float32)
    worded = [term for term in terms if term.text]
    if worded:
        total += (kept or Kept(1)).get(tuple(worded), lambda: _sum_of(worded, encoder))
    for term in terms:
        if term.file:
            total += np.float32(term.weight) * embed_file(term.file, encoder)
    if isinstance(like, str | os.PathLike):
        total += embed_file(os.fspath(like), encoder)
    elif like is not None:
        total += encoder.encode_images([like])[0]
    norm = float(np.linalg.norm(total))
    if norm < 1e-6:
        raise QueryError("the terms of the query cancel each other out; leave one of them away")
    if encoder.similarity == "cosine":
        total /= np.float32(norm)
    return total


def _sum_of(terms: Sequence[Term], encoder: Encoder) -> NDArray[np.float32]:
    weights = np.array([term.weight for term in terms], np.float32)
    return np.asarray(weights @ encoder.encode_text([term.text for term in terms]), np.float32)


def embed_file(name: str, encoder: Encoder) -> NDArray[np.float32]:
    """Return the (D,) embedding of a picture, a video, or ``video@second``.

    Raises:
        MediaError: if the file is not there or cannot be read.
        SaysoError: if a video ends before the second.
    """
    from sayso.media import kind_of, probe, read_clip, read_image, sniff

    moment = None if os.path.exists(os.path.expanduser(name)) else _MOMENT.match(name)  # noqa: PTH110, PTH111
    path = os.path.expanduser(moment[1] if moment else name)  # noqa: PTH111
    if not os.path.isfile(path):  # noqa: PTH113
        hint = "the query names it as a file; name one that is there, or write words"
        if span := _STRETCH.match(name):
            hint = f"a query takes one second of a video: {span[1]}"
        raise MediaError(nothing_at(path, hint))
    try:
        if (sniff(path) or kind_of(path)) == "picture":
            return _only(encoder.encode_images([read_image(path)]))
        spec, known = encoder.clip, probe(path)
        if moment is None:
            end = known.duration or spec.duration
            start, frames = min(known.start, end), _WHOLE_VIDEO_FRAMES
        else:
            start = max(known.start, float(moment[2]) - spec.duration / 2)
            end, frames = start + spec.duration, spec.frames
            if known.length is not None and float(moment[2]) > known.length:
                raise SaysoError(f"{path} ends at {known.length:.1f} s, before second {moment[2]}")
        clip = read_clip(path, start, end, frames=frames, size=spec.size, crop=spec.crop)
    except MediaError as error:
        raise MediaError(f"the query names a file that cannot be read: {error}") from error
    return _only(encoder.encode_video(clip.frames[None]))


def _only(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    vector: NDArray[np.float32] = embeddings[0]
    return vector


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has to be on screen, or has not to be."""

    name: str
    present: bool = True


def split_people(query: str) -> tuple[list[Person], str]:
    """Return the people a query asks for, and the rest of it.

    Raises:
        QueryError: if ``who:`` is followed by nothing.
    """
    people: list[Person] = []

    def take(match: re.Match[str]) -> str:
        name = match["name"] if match["name"] is not None else match["word"]
        if name is None:
            return match[0]  # a text in quotes, whatever it holds
        if not name.strip():
            raise QueryError(f"the query {query!r} does not say who; write it like: who:ilsa playing piano")
        people.append(Person(" ".join(name.split()), match["sign"] != "-"))
        return " "

    rest = _WHO.sub(take, query).strip()
    return people, re.sub(r"^\+\s+|\s+\+$", "", rest) if people else query


def people_filter(sql: str | None, people: Sequence[Person]) -> str | None:
    """Return a SQL filter for the clips that have these people and pass the filter ``sql``."""
    conditions = [f"({sql})"] if sql else []
    for person in people:
        named = f"regexp_like(shown, {sql_string(_pattern(person.name))}, 'i')"
        conditions.append(named if person.present else f"NOT {named}")
    return " AND ".join(conditions) or None


def _pattern(name: str) -> str:
    """Return a regular expression for the JSON of a clip that has a name among those of its people."""
    letters = "".join(_letter(letter) for letter in name)
    return f'"who": "([^"]*{_BETWEEN_NAMES})?{letters}({_BETWEEN_NAMES}[^"]*)?"'


def _letter(letter: str) -> str:
    """Return a pattern for one letter as JSON writes it, great or small."""
    forms = dict.fromkeys([letter] if letter.isascii() else [letter.lower(), letter.upper()])
    return "(" + "|".join(re.escape(json.dumps(form)[1:-1]) for form in forms) + ")"

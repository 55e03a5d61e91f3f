"""A short film: who speaks is drawn, what is done is drawn, and the screenplay of both is known.

Two people talk and do things. The screenplay says who, the subtitles say when, and words differ a little
between them, as an actor's do. What a script can teach is all there, and its truth too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sayso.core.types import Box, Caption, Span
from sayso.people.tracks import Track
from sayso.toyworld.draw import Colour, Pose, draw_shape, to_bytes
from sayso.toyworld.scene import Frames, film_place, film_step
from sayso.toyworld.shapes import disc
from sayso.toyworld.styles import PALETTE, draw_style
from sayso.toyworld.words import COLOURS, OBJECTS

PEOPLE = ("ANNA", "BEN")
_SCENES = (("INT. KITCHEN - DAY", 6), ("EXT. GARDEN - EVENING", 7))  # headings, and how many shots each has
_STORY = (  # who, what the script says, what is heard; a verb of the toy world where something is done
    (
        "ANNA",
        "Good morning, Ben. Have you seen the {first} anywhere?",
        "Morning, Ben. Seen the {first} anywhere?",
    ),
    ("BEN", "It was under the newspaper when I came down.", "It was under that newspaper when I came down."),
    ("ANNA", "lifts the {first}", "lift"),
    (
        "BEN",
        "Careful, my grandmother brought that from Lisbon.",
        "Careful, my grandmother brought it from Lisbon.",
    ),
    ("ANNA", "washes the {first}", "wash"),
    ("ANNA", "There, now nobody can say that it is dirty.", "There, now nobody can say it's dirty."),
    ("BEN", "And what are we going to do with the {second}?", "And what shall we do with the {second}?"),
    ("ANNA", "Hold it still and look the other way.", "Hold it still and look the other way."),
    ("ANNA", "paints the {second}", "paint"),
    (
        "BEN",
        "Our neighbours will laugh about this for a whole week.",
        "Our neighbours will laugh for a whole week.",
    ),
    ("BEN", "shakes the {second}", "shake"),
    ("BEN", "cuts the {second}", "cut"),
    (
        "ANNA",
        "Let them laugh, tomorrow we sell it at the market.",
        "Let them laugh, we sell it at the market.",
    ),
)
_SPEECH_S, _ACTION_S, _EMPTY_S = 3.0, 3.6, 1.5
_FILM, _SHOTS, _FACES = 7, 8, 9  # random streams, beside those of how-to videos and tasks
_LIPS_HZ, _DESCRIPTOR = 12.5, 16
_HEAD, _SKIN, _DARK = 0.45, (0.93, 0.76, 0.62), (0.08, 0.06, 0.06)
_SHIRTS, _HAIR = ("red", "blue"), ((0.75, 0.5, 0.15), (0.15, 0.1, 0.08))


@dataclass(frozen=True, slots=True)
class FilmShot:
    """What a shot shows: ``who`` speaks, or does something to a thing.

    Args:
        who: one of ``PEOPLE``.
        written: the speech, or the description, of the screenplay.
        heard: the words of the subtitles; empty where nobody speaks.
        verb: a key of ``VERBS``; empty where somebody speaks.
        colour: a key of ``COLOURS``, of the thing.
        thing: a key of ``OBJECTS``.
        span: seconds.
    """

    who: str
    written: str
    heard: str
    verb: str
    colour: str
    thing: str
    span: Span


def film_shots(seed: int) -> list[FilmShot]:
    """Return the shots of the film of a seed, in order: the story is the same, its things are not."""
    rng = np.random.default_rng([seed, _FILM])
    colours, things = (rng.choice(list(names), 2, replace=False) for names in (COLOURS, OBJECTS))
    kinds = [(str(colour), str(thing)) for colour, thing in zip(colours, things, strict=True)]
    names = {place: " ".join(kind) for place, kind in zip(("first", "second"), kinds, strict=True)}
    shots, now = [], _EMPTY_S
    for number, (who, written, heard) in enumerate(_STORY):
        speaks = " " in heard
        span = Span(round(now, 1), round(now + (_SPEECH_S if speaks else _ACTION_S), 1))
        text = written.format(**names) if speaks else f"{who.title()} {written.format(**names)}."
        kind = kinds[number >= _SCENES[0][1]]
        shots.append(
            FilmShot(who, text, heard.format(**names) * speaks, "" if speaks else heard, *kind, span)
        )
        now = span.end
    return shots


def screenplay_text(shots: list[FilmShot]) -> str:
    """Return the screenplay as a writer types it."""
    parts, left = [], list(shots)
    for heading, count in _SCENES:
        parts.append(heading)
        parts += [f"{shot.who}\n{shot.written}" if shot.heard else shot.written for shot in left[:count]]
        left = left[count:]
    return "\n\n".join(parts) + "\n"


def film_captions(shots: list[FilmShot]) -> list[Caption]:
    """Return the subtitles: what is heard, not who says it."""
    spoken = (shot for shot in shots if shot.heard)
    return [Caption(Span(shot.span.start + 0.3, shot.span.end - 0.3), shot.heard) for shot in spoken]


def film_tracks_of(shots: list[FilmShot], seed: int, size: int) -> list[Track]:
    """Return the face tracks of the film as drawn, with moving lips and a descriptor of whose face it is.

    Args:
        shots: of ``film_shots``.
        seed: of the film.
        size: side of its frames, pixels.
    """
    rng = np.random.default_rng([seed, _FACES])
    faces = rng.standard_normal((len(PEOPLE), _DESCRIPTOR))
    tracks = []
    for shot in (shot for shot in shots if shot.heard):
        samples = int((shot.span.end - shot.span.start) * _LIPS_HZ)
        lips = rng.standard_normal(samples) * 0.02
        descriptor = faces[PEOPLE.index(shot.who)] + 0.3 * rng.standard_normal(_DESCRIPTOR)
        x, y, reach = *_middle(shot.who), 0.85 * _HEAD
        edges = ((1 + side) * size / 2 for side in (x - reach, y - reach, x + reach, y + reach))
        tracks.append(Track(shot.span, Box(*edges), lips, descriptor))
    return tracks


def render_film(shots: list[FilmShot], seed: int, size: int, fps: int) -> Iterator[Frames]:
    """Yield the film shot by shot, (T, size, size, 3) uint8 RGB; it begins and ends with an empty place.

    Args:
        shots: of ``film_shots``.
        seed: of the film.
        size: side of its frames, pixels.
        fps: frames a second.
    """
    rng = np.random.default_rng([seed, _SHOTS])
    empty = round(_EMPTY_S * fps)
    yield film_place(rng, draw_style(rng, size), empty, size)
    now = empty
    for shot in shots:
        frames = round(shot.span.end * fps) - now
        if shot.heard:
            yield _film_speaker(rng, shot.who, frames, size, fps)
        else:
            yield film_step(rng, draw_style(rng, size), shot.verb, shot.colour, shot.thing, frames, size)
        now += frames
    yield film_place(rng, draw_style(rng, size), empty, size)


def _film_speaker(rng: np.random.Generator, who: str, frames: int, size: int, fps: int) -> Frames:
    """Return somebody who speaks, (T, size, size, 3) uint8 RGB."""
    canvas = film_place(rng, draw_style(rng, size), frames, size).astype(np.float32) / np.float32(255)
    x, y = _middle(who)
    number = PEOPLE.index(who)

    def put(dx: float, dy: float, width: float, height: ArrayLike, colour: Colour) -> None:
        pose = Pose.still(frames, x + dx, y + dy, width, 1.0)
        high = np.broadcast_to(np.asarray(height, np.float32), frames)
        draw_shape(canvas, disc, Pose(pose.x, pose.y, pose.angle, pose.width, high), colour)

    opened = np.abs(np.sin(2 * np.pi * 2.1 * np.arange(frames, dtype=np.float32) / fps + rng.uniform(0, 3)))
    put(0, 1.0, 0.85, 0.72, PALETTE[_SHIRTS[number]])
    put(0, -0.12, _HEAD * 1.12, _HEAD * 1.1, _HAIR[number])
    put(0, 0, _HEAD * 0.9, _HEAD, _SKIN)
    for side in (-1, 1):
        put(side * 0.16, -0.08, 0.055, 0.055, _DARK)
    put(0, 0.17, 0.13, 0.02 + 0.08 * opened, (0.6, 0.15, 0.15))
    return to_bytes(canvas)


def _middle(who: str) -> tuple[float, float]:
    """Return where a face is, from -1 to 1 across and down the picture."""
    return (-0.15, 0.15)[PEOPLE.index(who)], -0.1

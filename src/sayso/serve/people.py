"""Who is on screen in an index, as ``sayso name`` says, and what they look like."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.core.errors import SaysoError
from sayso.generators.media_part import MediaPart
from sayso.index.hints import ANYBODY
from sayso.index.timed import read_rows

if TYPE_CHECKING:
    from sayso.index import Index
    from sayso.people.face_models import FaceModels

log = logging.getLogger(__name__)
MOST = 24  # people that are offered
FACE_SIDE = 112  # pixels
_models_turn = threading.Lock()
_models: list[FaceModels | None] = []


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody who is on screen.

    Args:
        name: as ``who:`` takes it.
        clips: how many clips show the person.
        clip: the id of one that does, alone where there is such a clip.
    """

    name: str
    clips: int
    clip: str


def people_in(index: Index) -> tuple[Named, ...]:
    """Return who is on screen in an index, those in most clips first."""
    query = index.store.clips.search().where(f"regexp_like(shown, '{ANYBODY}')").select(["id", "shown"])
    rows = read_rows(query).to_pylist()
    return count_people((row["id"], _names(json.loads(row["shown"]))) for row in rows)


def count_people(clips: Iterable[tuple[str, list[str]]]) -> tuple[Named, ...]:
    """Return who is in clips, given by their ids and names, those in most clips first."""
    counts: dict[str, int] = {}
    best: dict[str, tuple[int, str]] = {}
    for clip, names in clips:
        for name in names:
            counts[name] = counts.get(name, 0) + 1
            best[name] = min(best.get(name, (len(names), clip)), (len(names), clip))
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    return tuple(Named(name, counts[name], best[name][1]) for name in ranked[:MOST])


def _names(shown: dict[str, Any]) -> list[str]:
    who = str(shown["meta"].get("who") or "")
    return list(dict.fromkeys(name.strip() for name in who.split(",") if name.strip()))


@lru_cache(maxsize=256)
def face_in(path: str, middle_s: float) -> bytes | None:
    """Return the JPEG of the surest face of a frame, upright; None where no face can be made out.

    Args:
        path: of the video.
        middle_s: second of the frame.
    """
    from sayso.media import thumbnail

    with _models_turn:
        models = _face_models()
        if models is None:
            return None
        try:
            frame = MediaPart(Path(path), middle_s).read()
        except SaysoError:
            return None
        faces = models.detect(frame)
        return thumbnail(models.aligned_chip(frame, faces[0], FACE_SIDE)) if faces else None


def _face_models() -> FaceModels | None:
    if not _models:
        try:
            from sayso.people.face_models import FaceModels

            _models.append(FaceModels())
        except SaysoError as error:
            log.info("faces are shown as whole frames: %s", error)
            _models.append(None)
    return _models[0]

"""The face tracks of a film, kept shot by shot in a file, so that a run that was cut off goes on.

The first line says which file the tracks are of, and its shots; each line after it holds the
tracks of one shot. A half line, left by a run that was killed, is dropped.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from sayso.core.errors import MediaError, SaysoError, nothing_at
from sayso.core.io import write_atomic
from sayso.core.ownership import refuse_foreign
from sayso.core.progress import Progress
from sayso.core.types import Span
from sayso.people.faces import FPS, track_faces
from sayso.people.shots import find_shots
from sayso.people.tracks import FilmTracks, Track, parse_track

FORMAT = 2


def film_tracks(
    film: str | os.PathLike[str],
    store: str | os.PathLike[str] | None = None,
    *,
    fps: float = FPS,
    progress: Progress | None = None,
) -> FilmTracks:
    """Return the face tracks of a film, going on with what ``store`` already holds.

    Args:
        film: the video.
        store: the file that keeps the tracks; one of another film or another rate is begun anew.
        fps: frames a second to look at.
        progress: updated in seconds, then in shots.

    Raises:
        MediaError: if the film cannot be read.
        MissingExtra: if the extra ``faces`` is not installed.
        SaysoError: if the store cannot be written.
    """
    if not Path(film).is_file():
        raise MediaError(nothing_at(film, "give the path of the film"))
    if store is None:
        shots = find_shots(film, progress=progress)
        found = track_faces(film, shots.spans, fps=fps, progress=progress)
        return FilmTracks(found.tracks, (*shots.problems, *found.problems))
    return _resumed(film, Path(store), fps, progress)


def _resumed(film: str | os.PathLike[str], store: Path, fps: float, progress: Progress | None) -> FilmTracks:
    """Return the tracks of the store and those of the shots that it does not hold yet, which it then does."""
    size, problems = Path(film).stat(), list[MediaError]()
    known = {"format": FORMAT, "size": size.st_size, "mtime_ns": size.st_mtime_ns, "fps": fps}
    lines = _stored_lines(store, known)
    stored = len(lines) > 0
    if not stored:
        refuse_foreign(store, grows=True)
        shots = find_shots(film, progress=progress)
        problems += shots.problems
        lines = [{**known, "shots": [[shot.start, shot.end] for shot in shots.spans]}]
    spans = [Span(*edges) for edges in lines[0]["shots"]]
    tracks = [parse_track(row) for line in lines[1:] for row in line["tracks"]]
    try:
        text = "".join(json.dumps(line) + "\n" for line in lines)
        write_atomic(store, text, guarded=not stored, grows=True)
        with store.open("a", encoding="utf-8") as file:

            def keep(shot: int, found: list[Track]) -> None:
                row = {"shot": shot, "tracks": [track.to_dict() for track in found]}
                file.write(json.dumps(row) + "\n")
                file.flush()

            done = len(lines) - 1
            found = track_faces(film, spans, fps=fps, shot_done=keep, first_shot=done, progress=progress)
    except OSError as error:
        raise SaysoError(f"{store} cannot be written: {error.strerror}; give another --out") from error
    return FilmTracks((*tracks, *found.tracks), (*problems, *found.problems))


def _stored_lines(store: Path, known: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the lines of a store that are whole and in order; none if it is of something else."""
    lines: list[dict[str, Any]] = []
    try:
        text = store.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    for number, line in enumerate(text.splitlines()):
        try:
            row = json.loads(line)
        except ValueError:
            break
        if not isinstance(row, dict) or (number and row.get("shot") != number - 1):
            break
        lines.append(row)
    same = lines and all(lines[0].get(key) == value for key, value in known.items()) and "shots" in lines[0]
    return lines if same else []

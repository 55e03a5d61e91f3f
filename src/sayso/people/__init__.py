"""People in films: shots, faces, and tracks of faces (extra ``faces``)."""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.people.faces import track_faces
    from sayso.people.shots import Shots, find_shots
    from sayso.people.track_store import film_tracks
    from sayso.people.tracks import FilmTracks, Track, read_tracks, write_tracks
else:
    __getattr__ = exports(
        __name__,
        {
            "FilmTracks": "sayso.people.tracks",
            "Shots": "sayso.people.shots",
            "Track": "sayso.people.tracks",
            "film_tracks": "sayso.people.track_store",
            "find_shots": "sayso.people.shots",
            "read_tracks": "sayso.people.tracks",
            "track_faces": "sayso.people.faces",
            "write_tracks": "sayso.people.tracks",
        },
    )


__all__ = [
    "FilmTracks",
    "Shots",
    "Track",
    "film_tracks",
    "find_shots",
    "read_tracks",
    "track_faces",
    "write_tracks",
]

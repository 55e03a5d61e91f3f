"""What reads the world: videos and pictures.

Videos are decoded by PyAV, pictures by Pillow; both libraries are loaded when a
file is opened. Every file that cannot be read is a ``MediaError`` of one sentence.
"""

from sayso.core.lazy import exports

__getattr__ = exports(
    __name__,
    {
        "ClipFrames": "sayso.media.clip",
        "Probe": "sayso.media.header",
        "Track": "sayso.media.tracks",
        "film_tracks": "sayso.media.track_store",
        "find_shots": "sayso.media.shots",
        "kind_of": "sayso.media.kinds",
        "probe": "sayso.media.header",
        "read_clip": "sayso.media.clip",
        "read_image": "sayso.media.images",
        "read_tracks": "sayso.media.tracks",
        "sniff": "sayso.media.kinds",
        "stream_frames": "sayso.media.stream",
        "thumbnail": "sayso.media.images",
        "track_faces": "sayso.media.faces",
        "write_tracks": "sayso.media.tracks",
    },
)

__all__ = [
    "ClipFrames",
    "Probe",
    "Track",
    "film_tracks",
    "find_shots",
    "kind_of",
    "probe",
    "read_clip",
    "read_image",
    "read_tracks",
    "sniff",
    "stream_frames",
    "thumbnail",
    "track_faces",
    "write_tracks",
]

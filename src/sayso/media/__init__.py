"""What reads the world: videos and pictures.

Videos are decoded by PyAV, pictures by Pillow; both libraries are loaded when a
file is opened. Every file that cannot be read is a ``MediaError`` of one sentence.
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.media.clip import ClipFrames, read_clip
    from sayso.media.header import Probe, probe
    from sayso.media.images import read_image, thumbnail
    from sayso.media.keyframes import KeyFrame, NoKeyFramesError, key_frames
    from sayso.media.kinds import kind_of, sniff
    from sayso.media.sound import NoSound, SoundFacts, probe_sound, stream_sound
    from sayso.media.stream import stream_frames
else:
    __getattr__ = exports(
        __name__,
        {
            "ClipFrames": "sayso.media.clip",
            "KeyFrame": "sayso.media.keyframes",
            "NoKeyFramesError": "sayso.media.keyframes",
            "NoSound": "sayso.media.sound",
            "Probe": "sayso.media.header",
            "SoundFacts": "sayso.media.sound",
            "key_frames": "sayso.media.keyframes",
            "kind_of": "sayso.media.kinds",
            "probe": "sayso.media.header",
            "probe_sound": "sayso.media.sound",
            "read_clip": "sayso.media.clip",
            "read_image": "sayso.media.images",
            "sniff": "sayso.media.kinds",
            "stream_frames": "sayso.media.stream",
            "stream_sound": "sayso.media.sound",
            "thumbnail": "sayso.media.images",
        },
    )


__all__ = [
    "ClipFrames",
    "KeyFrame",
    "NoKeyFramesError",
    "NoSound",
    "Probe",
    "SoundFacts",
    "key_frames",
    "kind_of",
    "probe",
    "probe_sound",
    "read_clip",
    "read_image",
    "sniff",
    "stream_frames",
    "stream_sound",
    "thumbnail",
]

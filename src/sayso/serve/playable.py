"""What browsers play or show as it is, and under which content type.

The rest is made on the fly: video as fragmented MP4, pictures as JPEG. The list
is what Chromium, Firefox and Safari all play; where a browser plays less, its
player reports an error, and the page then asks for the stream.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sayso.core.errors import MediaError
from sayso.index.hit import Media

if TYPE_CHECKING:
    from sayso.media.header import Probe

OTHER = "application/octet-stream"
"""Sent as an attachment: never shown by the browser as something active."""

PICTURES = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
SOUNDS = {
    ".aac": "audio/aac",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
}
PLAYED_VIDEOS = {
    "mp4": ("video/mp4", {"h264", "av1"}, {"aac", "mp3", None}),
    "webm": ("video/webm", {"vp8", "vp9", "av1"}, {"opus", "vorbis", None}),
}
_SAME_CLOCK_S = 0.005
_MP4_NAMES = {"mov", "mp4", "m4a", "m4v"}


def playable(media: Media, origin_s: float = 0.0) -> Literal["direct", "stream"]:
    """Return whether browsers take the file as it is (direct), or what is made of it (stream).

    Args:
        media: the file.
        origin_s: the container's time that is second 0 of a video. Browsers count the container's time.
    """
    if origin_s > _SAME_CLOCK_S:
        return "stream"
    if media.kind == "sound":
        return "direct"
    if media.kind == "picture":
        return "direct" if Path(media.path).suffix.lower() in PICTURES else "stream"
    _, video, audio = PLAYED_VIDEOS.get(family(media), ("", set(), set()))
    return "direct" if media.video_codec in video and media.audio_codec in audio else "stream"


def facts_of(media: Media) -> Probe | None:
    """Return what a video says of itself now; None for a picture, or where it cannot be read."""
    from sayso.media import probe

    if media.kind in ("picture", "sound"):
        return None
    try:
        return probe(media.path)
    except MediaError:
        return None


def content_type(media: Media) -> str:
    """Return the content type under which the file is sent."""
    if media.kind in ("picture", "sound"):
        return (PICTURES | SOUNDS).get(Path(media.path).suffix.lower(), OTHER)
    return PLAYED_VIDEOS[family(media)][0] if family(media) in PLAYED_VIDEOS else OTHER


def family(media: Media) -> str:
    """Return mp4, webm, or '' for every other container.

    FFmpeg reads Matroska and WebM by one name; only the suffix tells which it is.
    """
    names = set((media.container or "").lower().split(","))
    if names & _MP4_NAMES:
        return "mp4"
    if names & {"matroska", "webm"} and Path(media.path).suffix.lower() == ".webm":
        return "webm"
    return ""

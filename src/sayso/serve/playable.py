"""What browsers play or show as it is, and under which content type.

The rest is made on the fly: video as fragmented MP4, pictures as JPEG. The list
is what Chromium, Firefox and Safari all play; where a browser plays less, its
player reports an error, and the page then asks for the stream.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sayso.index.hit import Media

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
PLAYED_VIDEOS = {
    "mp4": ("video/mp4", {"h264", "av1"}, {"aac", "mp3", None}),
    "webm": ("video/webm", {"vp8", "vp9", "av1"}, {"opus", "vorbis", None}),
}
_MP4_NAMES = {"mov", "mp4", "m4a", "m4v"}


def playable(media: Media) -> Literal["direct", "stream"]:
    """Return whether browsers take the file as it is (direct), or what is made of it (stream)."""
    if media.kind == "picture":
        return "direct" if Path(media.path).suffix.lower() in PICTURES else "stream"
    _, video, audio = PLAYED_VIDEOS.get(family(media), ("", set(), set()))
    return "direct" if media.video_codec in video and media.audio_codec in audio else "stream"


def content_type(media: Media) -> str:
    """Return the content type under which the file is sent."""
    if media.kind == "picture":
        return PICTURES.get(Path(media.path).suffix.lower(), OTHER)
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

"""What the page plays from the file, and what it asks to be made."""

from __future__ import annotations

import pytest

from sayso.index import Media
from sayso.serve.playable import OTHER, content_type, playable


def media(path: str, container=None, video=None, audio=None, kind="video") -> Media:
    return Media(path, path, kind, path, 1.0, 64, 48, video, audio, container, 1)


MP4, MKV = "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"


@pytest.mark.parametrize(
    ("path", "container", "video", "audio", "expected", "kind"),
    [
        ("a.mp4", MP4, "h264", "aac", "direct", "video/mp4"),
        ("a.MP4", "mp4", "h264", None, "direct", "video/mp4"),
        ("a.mov", MP4, "h264", "aac", "direct", "video/mp4"),
        ("a.mp4", MP4, "av1", "aac", "direct", "video/mp4"),
        ("a.mp4", MP4, "hevc", "aac", "stream", "video/mp4"),
        ("a.mp4", MP4, "mpeg4", "aac", "stream", "video/mp4"),
        ("a.mov", MP4, "h264", "pcm_s16le", "stream", "video/mp4"),
        ("a.mp4", MP4, "h264", "ac3", "stream", "video/mp4"),
        ("a.mov", MP4, "prores", None, "stream", "video/mp4"),
        ("a.webm", MKV, "vp8", "vorbis", "direct", "video/webm"),
        ("a.webm", MKV, "vp9", "opus", "direct", "video/webm"),
        ("a.webm", MKV, "av1", None, "direct", "video/webm"),
        ("a.webm", MKV, "h264", "opus", "stream", "video/webm"),
        ("a.mkv", MKV, "vp9", "opus", "stream", OTHER),
        ("a.mkv", MKV, "h264", "aac", "stream", OTHER),
        ("a.avi", "avi", "h264", "mp3", "stream", OTHER),
        ("a.wmv", "asf", "wmv2", "wmav2", "stream", OTHER),
        ("a.ts", "mpegts", "h264", "aac", "stream", OTHER),
        ("a.ogv", "ogg", "theora", "vorbis", "stream", OTHER),
        ("a.mp4", None, None, None, "stream", OTHER),
    ],
)
def test_videos(path, container, video, audio, expected, kind):
    film = media(path, container, video, audio)
    assert (playable(film), content_type(film)) == (expected, kind)


@pytest.mark.parametrize(
    ("path", "expected", "kind"),
    [
        ("a.jpg", "direct", "image/jpeg"),
        ("a.JPEG", "direct", "image/jpeg"),
        ("a.png", "direct", "image/png"),
        ("a.webp", "direct", "image/webp"),
        ("a.gif", "direct", "image/gif"),
        ("a.avif", "direct", "image/avif"),
        ("a.tiff", "stream", OTHER),
        ("a.heic", "stream", OTHER),
        ("a.svg", "stream", OTHER),
        ("a.html", "stream", OTHER),
        ("noname", "stream", OTHER),
    ],
)
def test_pictures(path, expected, kind):
    picture = media(path, kind="picture")
    assert (playable(picture), content_type(picture)) == (expected, kind)


@pytest.mark.parametrize(
    ("path", "kind"),
    [("a.wav", "audio/wav"), ("a.MP3", "audio/mpeg"), ("a.m4a", "audio/mp4"), ("a.wma", OTHER)],
)
def test_sound_is_played_as_it_is(path, kind):
    sound = media(path, kind="sound")
    assert (playable(sound), content_type(sound)) == ("direct", kind)

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from media import films
from media.conftest import SORTS
from sayso.core.errors import MediaError
from sayso.media import kind_of, sniff
from sayso.media.kinds import PICTURE_SUFFIXES, VIDEO_SUFFIXES, is_sound


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.mp4", "video"),
        ("A.MKV", "video"),
        ("x/y.webm", "video"),
        ("a.b.JPG", "picture"),
        ("a.gif", "picture"),
        ("a.heic", "picture"),
        ("a.txt", None),
        ("mp4", None),
        (".mp4", None),
        ("", None),
        (Path("a.avi"), "video"),
    ],
)
def test_by_name(name, kind):
    assert kind_of(name) == kind


def test_no_suffix_is_both():
    assert not VIDEO_SUFFIXES & PICTURE_SUFFIXES
    assert all(
        suffix == suffix.lower() and suffix.startswith(".") for suffix in VIDEO_SUFFIXES | PICTURE_SUFFIXES
    )


@pytest.mark.parametrize("name", sorted(set(SORTS) - {"raw.h264"}))
def test_videos_by_their_first_bytes(film, tmp_path, name):
    disguised = tmp_path / "holiday.jpg"
    disguised.write_bytes(film(name).read_bytes())
    assert sniff(disguised) == "video"
    assert not is_sound(disguised.read_bytes())


FORMATS = "JPEG PNG GIF BMP TIFF WEBP PPM ICO JPEG2000 DDS ICNS AVIF QOI".split()  # noqa: SIM905


@pytest.mark.parametrize("format_", FORMATS)
def test_pictures_by_their_first_bytes(tmp_path, format_):
    Image.init()
    if format_ not in Image.SAVE:
        pytest.skip("this Pillow does not write it")
    disguised = tmp_path / "holiday.mp4"
    Image.new("RGB", (64, 48), "red").save(disguised, format_)
    assert sniff(disguised) == "picture"


@pytest.mark.parametrize(
    "content",
    [
        b"x",
        b"hello world" * 9,
        b"<html></html>",
        b"#!/bin/sh\n",
        b"%PDF-1.7",
        b"PK\x03\x04" + bytes(60),
        bytes(5000),
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b"ID3\x04",
        b"OggS" + bytes(24) + b"OpusHead",
        b"BM",
        b"P",
        b"G" * 100,
        b"const x = 1;\n" * 400,
    ],
)
def test_tells_nothing_of_other_files(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    assert sniff(tmp_path / "file") is None


@pytest.mark.parametrize(
    "head", [b"ID3\x04", b"fLaC", b"\xff\xfb\x90", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x20ftypM4A "]
)
def test_sound(tmp_path, head):
    (tmp_path / "file").write_bytes(head + bytes(100))
    assert is_sound((tmp_path / "file").read_bytes())
    assert sniff(tmp_path / "file") is None


def test_real_files(shared_data):
    assert {sniff(path) for path in (shared_data / "videos").iterdir()} == {"video"}
    assert {sniff(path) for path in (shared_data / "coco" / "images").iterdir()} == {"picture"}


def test_says_what_cannot_be_read(tmp_path):
    with pytest.raises(MediaError, match=r"nothing.mp4: there is nothing at this path"):
        sniff(tmp_path / "nothing.mp4")
    films.make(tmp_path / "a.mp4", 3)
    assert sniff(str(tmp_path / "a.mp4")) == "video"

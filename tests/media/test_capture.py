"""When, where and with what: from files that Pillow and FFmpeg write."""

from __future__ import annotations

import os
import struct
import time
from datetime import UTC, datetime

import av
import numpy as np
import pytest
from PIL import Image

from sayso.media.capture import Capture, read_capture
from sayso.media.images import read_image

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
MTIME = datetime(2023, 3, 4, 5, 6, 7, tzinfo=UTC).timestamp()
XMP = """<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF>
<rdf:Description exif:DateTimeOriginal="2010-06-05T15:12:51.53+01:00" tiff:Make="Canon">
<tiff:Model>Canon EOS 40D</tiff:Model><exif:GPSLatitude>48,51.4623N</exif:GPSLatitude>
<exif:GPSLongitude>2,17.7E</exif:GPSLongitude></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"""


@pytest.fixture(autouse=True)
def in_paris(monkeypatch):
    """Let this machine stand in Paris."""
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def picture(path, tags=None, original=None, gps=None, **options):
    """Write a picture with EXIF data."""
    exif = Image.Exif()
    for number, value in (tags or {}).items():
        exif[number] = value
    exif.get_ifd(0x8769).update(original or {})
    exif.get_ifd(0x8825).update(gps or {})
    Image.new("RGB", (40, 30), "teal").save(path, exif=exif, **options)
    return path


def film(path, tags, form=None, **options):
    """Write a video of three frames with a container's tags."""
    with av.open(str(path), "w", format=form, options=options) as container:
        container.metadata.update(tags)
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def read(path):
    return read_capture(path, MTIME, now=NOW)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_all_that_exif_says(tmp_path, suffix):
    path = picture(
        tmp_path / f"IMG_20150101_000001{suffix}",
        {0x010F: "Apple", 0x0110: "Apple iPhone 12", 0x0112: 6},
        {0x9003: "2019:06:01 14:03:22", 0x9291: "5", 0x9011: "-07:00"},
        {1: "N", 2: (37.0, 46.0, 30.0), 3: "W", 4: (122.0, 25.0, 12.0)},
    )
    assert read(path) == Capture(
        taken="2019-06-01T14:03:22.500",
        utc_offset_min=-420,
        taken_from="exif",
        camera="Apple iPhone 12",
        latitude=37.775,
        longitude=-122.42,
        width=30,
        height=40,
    )


def test_without_an_offset_only_the_wall_time_is_known(tmp_path):
    path = picture(tmp_path / "a.jpg", {0x010F: "SONY", 0x0110: "DSC-RX100"}, {0x9003: "2019:06:01 14:03:22"})
    found = read(path)
    assert (found.taken, found.utc_offset_min) == ("2019-06-01T14:03:22", None)
    assert found.camera == "SONY DSC-RX100"


def test_a_turned_tiff(tmp_path):
    path = picture(tmp_path / "a.tiff", {0x0132: "2019:06:01 14:03:22", 0x0110: "Scanner", 0x0112: 6})
    found = read(path)
    assert (found.taken, found.camera) == ("2019-06-01T14:03:22", "Scanner")
    assert (found.width, found.height) == read_image(path).size == (30, 40)


def test_heic_is_read_like_jpeg(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    path = picture(tmp_path / "a.heic", {}, {0x9003: "2019:06:01 14:03:22", 0x9011: "+02:00"})
    found = read(path)
    assert (found.taken, found.utc_offset_min, found.taken_from) == ("2019-06-01T14:03:22", 120, "exif")
    assert (found.width, found.height) == (40, 30)


def test_a_date_that_cannot_be_gives_way_to_the_next(tmp_path):
    future = picture(tmp_path / "IMG_20200203_040506.jpg", {}, {0x9003: "2036:01:01 10:00:00"})
    assert (read(future).taken, read(future).taken_from) == ("2020-02-03T04:05:06", "name")
    unset = picture(tmp_path / "b.jpg", {0x0132: "2012:12:12 12:12:12"}, {0x9003: "1980:01:01 00:00:00"})
    assert (read(unset).taken, read(unset).taken_from) == ("2012-12-12T12:12:12", "exif")
    nothing = picture(tmp_path / "c.jpg", {}, {0x9003: "0000:00:00 00:00:00"})
    assert (read(nothing).taken, read(nothing).utc_offset_min) == ("2023-03-04T06:06:07", 60)
    assert read(nothing).taken_from == "mtime"
    assert read_capture(nothing, NOW.timestamp() + 1e6, now=NOW).taken is None


def test_xmp_counts_where_exif_is_lost(tmp_path):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.jpg", xmp=XMP.encode())
    assert read(tmp_path / "a.jpg") == Capture(
        "2010-06-05T15:12:51.530", 60, "exif", "Canon EOS 40D", 48.857705, 2.295, 40, 30
    )


@pytest.mark.parametrize(
    ("name", "tags", "taken", "offset"),
    [
        ("a.mp4", {"creation_time": "2019-06-01T12:03:22Z"}, "2019-06-01T14:03:22", 120),
        ("a.mkv", {"creation_time": "2019-01-01T12:03:22Z"}, "2019-01-01T13:03:22", 60),
        ("a.mkv", {"DATE_RECORDED": "2019-06-01 14:03:22-0300"}, "2019-06-01T14:03:22", -180),
        ("a.mkv", {"DATE": "2019-06-01T14:03:22+09:00"}, "2019-06-01T14:03:22", 540),
        ("a.avi", {"date": "2003-03-10 12:00:00"}, "2003-03-10T12:00:00", None),
    ],
)  # fmt: skip
def test_containers(tmp_path, name, tags, taken, offset):
    found = read(film(tmp_path / name, tags))
    assert (found.taken, found.utc_offset_min, found.taken_from) == (taken, offset, "container")


def test_quicktime_says_the_zone_the_place_and_the_phone(tmp_path):
    tags = {
        "creation_time": "2019-06-01T05:03:30Z",
        "com.apple.quicktime.creationdate": "2019-06-01T14:03:22+0900",
        "com.apple.quicktime.make": "Apple",
        "com.apple.quicktime.model": "iPhone 12",
        "com.apple.quicktime.location.ISO6709": "+35.6586+139.7454+040.000/",
    }
    path = film(tmp_path / "a.mov", tags, movflags="use_metadata_tags")
    found = read(path)
    assert (found.taken, found.utc_offset_min, found.taken_from) == ("2019-06-01T14:03:22", 540, "container")
    assert (found.camera, found.latitude, found.longitude) == ("Apple iPhone 12", 35.6586, 139.7454)


def test_android_says_the_place(tmp_path):
    found = read(film(tmp_path / "a.mp4", {"location": "+48.8577+002.2950/"}))
    assert (found.latitude, found.longitude) == (48.8577, 2.295)


def set_made(path, seconds):
    """Write when a film was made, seconds since 1904, into its header."""
    content = bytearray(path.read_bytes())
    for box in (b"mvhd", b"tkhd", b"mdhd"):
        at = content.index(box)
        content[at + 8 : at + 16] = struct.pack(">II", seconds, seconds)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("since_1904", "taken"),
    [
        (0, None),  # nobody set it
        (2082844800, None),  # 1970: a clock that nobody set
        (1559390602, "2019-06-01T14:03:22"),  # since 1970: an old error of some programs
        (2082844800 + 1559390602, "2019-06-01T14:03:22"),
        (0xFFFFFFFF, None),  # the year 2040
    ],
)
def test_oddities_of_mp4(tmp_path, since_1904, taken):
    found = read(set_made(film(tmp_path / "a.mp4", {"creation_time": "2010-01-01T00:00:00Z"}), since_1904))
    assert (found.taken if found.taken_from == "container" else None) == taken


def avi_made(path, text):
    """Put the chunk IDIT into an AVI's header, as cameras do."""
    content = path.read_bytes()
    at = content.index(b"LIST", 12)  # the header
    size = struct.unpack("<I", content[at + 4 : at + 8])[0]
    chunk = b"IDIT" + struct.pack("<I", len(text)) + text
    end = at + 8 + size
    whole = (
        content[: at + 4]
        + struct.pack("<I", size + len(chunk))
        + content[at + 8 : end]
        + chunk
        + content[end:]
    )
    path.write_bytes(whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:])
    return path


@pytest.mark.parametrize("text", [b"MON MAR 10 12:34:56 2003\n\0", b"2003/03/10 12:34:56\0\0\0\0\0\0\0"])
def test_an_avi_of_a_camera_says_its_wall_time(tmp_path, text):
    found = read(avi_made(film(tmp_path / "a.avi", {}), text))
    assert (found.taken, found.utc_offset_min) == ("2003-03-10T12:34:56", None)


def test_what_cannot_be_read_has_the_date_of_its_name_or_of_the_file(tmp_path):
    (tmp_path / "VID_20190601_140322.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + os.urandom(200))
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff\xe1" + os.urandom(300))
    assert read(tmp_path / "VID_20190601_140322.mp4").taken_from == "name"
    assert read(tmp_path / "b.jpg").taken_from == "mtime"
    assert read(tmp_path / "gone.jpg").taken_from == "mtime"


def test_damaged_exif_never_stops_it(tmp_path):
    whole = picture(tmp_path / "a.jpg", {0x010F: "Apple"}, {0x9003: "2019:06:01 14:03:22"}).read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(30):
        content = bytearray(whole)
        for place in rng.integers(20, 220, 4):
            content[place] = rng.integers(256)
        (tmp_path / "b.jpg").write_bytes(content)
        assert read(tmp_path / "b.jpg").taken is not None

from __future__ import annotations

import os
import subprocess
import sys

import av
import numpy as np
import pytest
from av.stream import Disposition

from media import films
from sayso.core.errors import MediaError
from sayso.media import probe, read_clip, stream_frames
from sayso.media.container import open_video


@pytest.mark.parametrize(
    "name", ["http:evil", "concat:a|b", "file:x.mp4", "-i", "%04d.mp4", "a b\n.mp4", "pipe:0", "ü.mp4"]
)
def test_a_name_is_never_taken_for_anything_else(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    films.make(tmp_path / "plain.mp4", 10).rename(tmp_path / name)
    assert probe(name).fps == 30
    assert read_clip(name, 0, 0.2, frames=1).frames.shape == (1, 72, 96, 3)


def test_a_name_that_is_no_text(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4")
    films.make(tmp_path / "plain.mp4", 10).rename(path)
    assert len(list(stream_frames(path, fps=10))) == 3
    with open(path, "wb") as file:
        file.write(b"broken")
    with pytest.raises(MediaError, match=r"caf\ufffd.mp4 is not a video") as raised:
        probe(path)
    str(raised.value).encode()


PLAYLISTS = {
    "x.ffconcat": "ffconcat version 1.0\nfile 'plain.mp4'\n",
    "x.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nplain.mp4\n#EXT-X-ENDLIST\n",
    "x.mpd": "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><Period></Period></MPD>",
    "x.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5000 RTP/AVP 96\n",
    "x.srt": "1\n00:00:00,000 --> 00:00:01,000\nhello\n",
    "x.txt": "hello\n" * 500,
}


@pytest.mark.parametrize("name", PLAYLISTS)
@pytest.mark.parametrize("suffix", ["", ".mp4"])
def test_files_that_name_other_files_are_refused(tmp_path, name, suffix):
    films.make(tmp_path / "plain.mp4", 10)
    path = tmp_path / (name + suffix)
    path.write_text(PLAYLISTS[name])
    for call in (
        probe,
        lambda path: read_clip(path, 0, 1, frames=1),
        lambda path: list(stream_frames(path, fps=1)),
    ):
        with pytest.raises(MediaError, match=r"is not a video that can be read"):
            call(path)


def test_refuses_frames_above_the_limit_before_decoding(tmp_path):
    path = films.make(tmp_path / "large.mp4", 3, size=(640, 480))
    assert read_clip(path, 0, 0.1, frames=1, max_pixels=640 * 480).frames.shape == (1, 480, 640, 3)
    message = (
        r"large.mp4 says that its frames are 640 x 480 pixels, above the limit of 0.24 million.*max_pixels"
    )
    for call in (probe, lambda path, **o: read_clip(path, 0, 1, frames=1, **o)):
        with pytest.raises(MediaError, match=message):
            call(path, max_pixels=240_000)
    with pytest.raises(MediaError, match=r"above the limit"):
        next(stream_frames(path, fps=1, max_pixels=240_000))


def test_says_that_a_picture_is_one(tmp_path):
    from PIL import Image

    Image.new("RGB", (8, 8)).save(tmp_path / "still.mp4", "JPEG")
    with pytest.raises(MediaError, match=r"still.mp4 is a picture, not a video; give a video"):
        probe(tmp_path / "still.mp4")


def test_a_cover_picture_is_no_video(tmp_path):
    """A song with its cover: a stream of one still picture, marked as such."""
    path = tmp_path / "song.m4a"
    with av.open(str(path), "w", format="mp4") as out:
        sound = out.add_stream("aac", rate=8000, layout="mono")
        cover = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 96, 72, "yuvj420p"
        cover.disposition = Disposition.attached_pic.value
        out.mux(cover.encode(av.VideoFrame.from_ndarray(films.draw(7), "rgb24")))
        out.mux(cover.encode())
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        out.mux([*sound.encode(frame), *sound.encode()])
    with av.open(str(path)) as file:
        assert len(file.streams.video) == 1
    with pytest.raises(MediaError, match=r"song.m4a is not a video: it holds only sound"):
        probe(path)


def test_says_that_a_header_is_missing(tmp_path):
    path = films.make(tmp_path / "cut.mp4", 100)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(MediaError, match=r"cut.mp4 is a damaged or incomplete video \(invalid data found"):
        probe(path)


def test_closes_the_file(tmp_path):
    path = films.make(tmp_path / "plain.mp4", 10)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    if before is None:
        pytest.skip("this system does not list open files")
    for _ in range(5):
        probe(path)
        next(iter(stream_frames(path, fps=1)))
        read_clip(path, 5, 6, frames=2)
    assert len(os.listdir("/proc/self/fd")) <= before


def test_nothing_is_printed(tmp_path, film):
    path = films.make(tmp_path / "holed.mp4", 60, g="10")
    data = bytearray(path.read_bytes())
    data[2000:2400] = bytes(range(200)) * 2
    path.write_bytes(data)
    code = (
        "import sys\nfrom sayso.media import read_clip, stream_frames, probe\n"
        "from sayso.core.errors import SaysoError\n"
        "calls = probe, lambda p: read_clip(p, 1, 1.5, frames=3), lambda p: list(stream_frames(p, fps=5))\n"
        "for call in calls:\n"
        "    for path in sys.argv[1:]:\n"
        "        try:\n            call(path)\n        except SaysoError:\n            pass\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, path, film("plain.mp4"), __file__],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (result.stdout, result.stderr) == ("", "")


def test_reopening_starts_at_the_beginning(film):
    with open_video(film("plain.mp4")) as source:
        first = next(source.container.decode(source.stream))
        for _ in source.container.demux(source.stream):
            pass
        source.reopen()
        assert next(source.container.decode(source.stream)).pts == first.pts


def test_says_that_there_is_no_decoder(tmp_path):
    path = films.make(tmp_path / "plain.mkv", 10)
    path.write_bytes(path.read_bytes().replace(b"V_MPEG4/ISO/AVC", b"V_FUTURE/CODEC1"))
    with pytest.raises(MediaError, match=r"plain.mkv: this build of FFmpeg has no decoder for its pictures"):
        probe(path)


def test_streams_that_appear_late_do_not_disturb(film, monkeypatch):
    """PyAV looks for streams by number after the last packet, and fails on those that it did not know."""
    with open_video(film("broadcast.ts")) as source:

        class Late:
            def demux(self, stream):
                yield from real.demux(stream)
                raise IndexError("list index out of range")

        real, source.container = source.container, Late()
        assert sum(1 for _ in source.packets()) == 120
        source.container = real

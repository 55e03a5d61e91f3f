"""Damaged files of every kind: each call returns or says in one sentence what is wrong, soon."""

from __future__ import annotations

import faulthandler
import io
import random
import struct
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from media import films
from sayso.core.errors import MediaError, SaysoError
from sayso.media import probe, read_clip, read_image, sniff, stream_frames, thumbnail

LIMIT_S = 100.0
VIDEOS = {
    "a.mp4": {"g": "10"},
    "b.mkv": {"g": "10"},
    "c.avi": {"codec": "mpeg4", "bf": "2"},
    "d.ts": {"g": "10"},
    "e.webm": {"codec": "libvpx", "deadline": "realtime", "cpu_used": "16"},
    "f.mpg": {"codec": "mpeg2video"},
    "g.mov": {"codec": "mjpeg", "pixels": "yuvj420p", "strict": "unofficial"},
    "h.mp4": {"codec": "libx265", "x265_params": "log-level=none"},
    "i.flv": {"codec": "flv"},
    "j.wmv": {"codec": "wmv2"},
    "k.webm": {"codec": "libvpx-vp9", "deadline": "realtime", "cpu_used": "8"},
    "l.mp4": {"g": "10", "muxer": {"movflags": "frag_keyframe+empty_moov"}},
}
PICTURES = "JPEG PNG GIF BMP TIFF WEBP JPEG2000 AVIF ICO PPM TGA PCX SGI DDS".split()  # noqa: SIM905
Damage = Callable[[random.Random, bytes], bytes]


def truncate(rng: random.Random, data: bytes) -> bytes:
    return data[: int(len(data) * rng.random())]


def flip_bits(rng: random.Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    for _ in range(rng.choice([1, 3, 10, 100])):
        damaged[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def flip_in_header(rng: random.Random, data: bytes) -> bytes:
    head = min(len(data), 600)
    end = rng.random() < 0.5  # where the index of some containers lies
    part = flip_bits(rng, data[-head:] if end else data[:head])
    return data[:-head] + part if end else part + data[head:]


def large_numbers(rng: random.Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    for _ in range(rng.choice([1, 2, 5])):
        place = rng.randrange(max(1, len(data) - 4))
        value = rng.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 0xFFFF, rng.getrandbits(32)])
        damaged[place : place + 4] = struct.pack(rng.choice(["<I", ">I"]), value)
    return bytes(damaged)


def cut_out(rng: random.Random, data: bytes) -> bytes:
    start, end = sorted(rng.randrange(len(data)) for _ in range(2))
    return data[:start] + data[end:]


def repeat(rng: random.Random, data: bytes) -> bytes:
    start, end = sorted(rng.randrange(len(data)) for _ in range(2))
    return data[:end] + data[start:]


def overwrite(rng: random.Random, data: bytes) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + rng.randbytes(rng.randrange(1, 2000)) + data[start + 500 :]


def huge_sizes(rng: random.Random, data: bytes) -> bytes:
    """Write a large width and height wherever the true ones stand."""
    damaged = data
    value = rng.choice([16384, 30000, 65535, 1 << 24])
    for form in ("<HH", ">HH", "<II", ">II"):
        large = min(value, 0xFFFF if "H" in form else 0x7FFFFFFF)
        for small in ((96, 72), (72, 96)):
            damaged = damaged.replace(struct.pack(form, *small), struct.pack(form, large, large))
    return damaged


DAMAGES: list[Damage] = [
    truncate,
    flip_bits,
    flip_in_header,
    large_numbers,
    cut_out,
    repeat,
    overwrite,
    huge_sizes,
    lambda *_: b"",
]


def originals(folder: Path) -> dict[str, bytes]:
    """Return small whole files: name -> content."""
    files = {name: films.make(folder / name, 30, **options).read_bytes() for name, options in VIDEOS.items()}
    Image.init()
    for format_ in [known for known in PICTURES if known in Image.SAVE]:
        buffer = io.BytesIO()
        Image.fromarray(films.draw(1234)).save(buffer, format_)
        files[f"picture.{format_.lower()}"] = buffer.getvalue()
    return files


def damaged_files(folder: Path, count: int, seed: int) -> Iterator[Path]:
    """Yield files on disk, damaged in turn in every way, half of them under a name of another kind."""
    rng = random.Random(seed)
    whole = originals(folder)
    for k in range(count):
        name = rng.choice(sorted(whole))
        content = DAMAGES[k % len(DAMAGES)](rng, whole[name])
        shown = rng.choice([name, name, rng.choice(sorted(whole)), "x.txt"])
        path = folder / f"{seed}-{k}-{name.replace('.', '_')}{Path(shown).suffix}"
        path.write_bytes(content)
        yield path
        path.unlink()


def read_every_way(path: Path) -> None:
    """Call all that reads files, the way an index does and the way a person might."""
    calls = [
        lambda: sniff(path),
        lambda: probe(path),
        lambda: read_clip(path, 0.0, 0.5, frames=2, size=32, crop="center"),
        lambda: read_clip(path, 0.4, 0.9, fps=10),
        lambda: read_clip(path, 1.2, 2.0, frames=2, size=16),
        lambda: [None for _ in stream_frames(path, fps=4, size=32)],
        lambda: [None for _ in stream_frames(path, fps=2, size=32, exact=False, threads=2)],
        lambda: thumbnail(read_image(path, size=32)),
    ]
    told: list[SaysoError] = []
    for call in calls:
        began = time.monotonic()
        try:
            call()
        except SaysoError as error:
            told.append(error)
        assert time.monotonic() - began < LIMIT_S, f"{path} took too long"
    assert all(type(error) is MediaError for error in told)
    assert all(path.name in str(error) and "\n" not in str(error) for error in told)


def run(folder: Path, count: int, seed: int) -> None:
    faulthandler.dump_traceback_later(600 + count, exit=True)  # a hang ends with its place
    try:
        for path in damaged_files(folder, count, seed):
            read_every_way(path)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.mark.parametrize("seed", [0, *(pytest.param(s, marks=pytest.mark.slow) for s in (1, 2))])
def test_damaged_files(tmp_path, seed):
    run(tmp_path, 100, seed)


@pytest.mark.slow
def test_a_thousand_damaged_files(tmp_path, record_property):
    record_property("inputs", 1000)
    run(tmp_path, 1000, 100)


@pytest.mark.slow
def test_a_thousand_damages_of_real_files(tmp_path, shared_data, record_property):
    record_property("inputs", 1000)
    rng = random.Random(7)
    videos = sorted((shared_data / "videos").iterdir())
    pictures = sorted((shared_data / "coco" / "images").iterdir())[:20]
    for k in range(1000):
        path = rng.choice([*videos, *pictures])
        content = path.read_bytes()[: rng.choice([40_000, 150_000, 10**9])]
        damaged = tmp_path / f"{k}{path.suffix}"
        damaged.write_bytes(DAMAGES[k % len(DAMAGES)](rng, content))
        read_every_way(damaged)
        damaged.unlink()


@pytest.mark.parametrize("name", ["a.mp4", "b.mkv", "c.avi", "g.mov"])
def test_huge_declared_frames_are_refused_or_harmless(tmp_path, name):
    import resource

    whole = originals(tmp_path)[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in range(4):
        (tmp_path / "huge").write_bytes(huge_sizes(random.Random(seed), whole))
        read_every_way(tmp_path / "huge")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000  # KiB


def test_time_stamps_that_jump_for_years_end_the_reading(tmp_path):
    """One frame that claims to come centuries later must not be repeated until then."""
    stamps = [33 * k for k in range(20)] + [2**33 + 33 * k for k in range(5)]
    base = Fraction(1, 1000)
    path = films.make(tmp_path / "jump.mkv", 25, codec="ffv1", stamps=stamps, time_base=base)
    count, said = 0, ""
    try:
        for _ in stream_frames(path, fps=30):
            count += 1
            assert count < 1000
    except MediaError as error:
        said = str(error)
    assert "the time stamps jump" in said
    assert np.isclose(count, 20, atol=1)


def test_a_frame_rate_of_one_in_a_century_ends_the_reading(tmp_path):
    data = films.make(tmp_path / "slow.avi", 30, codec="mpeg4").read_bytes()
    assert data.count(struct.pack("<II", 1, 30)) == 1
    (tmp_path / "slow.avi").write_bytes(
        data.replace(struct.pack("<II", 1, 30), struct.pack("<II", 1 << 30, 1))
    )
    frames = stream_frames(tmp_path / "slow.avi", fps=30)
    assert len(list(islice(frames, 1))) == 1
    with pytest.raises(MediaError, match="the time stamps jump"):
        next(frames)


def test_a_last_frame_that_claims_to_stay_for_years_does_not(tmp_path):
    path = tmp_path / "stays.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 72, "yuv420p"
        frames = [av.VideoFrame.from_ndarray(films.draw(k), "rgb24") for k in range(10)]
        packets = [packet for frame in [*frames, None] for packet in stream.encode(frame)]
        packets[-1].duration = 10**9
        out.mux(packets)
    with av.open(str(path)) as file:
        assert [packet.duration for packet in file.demux(video=0) if packet.size][-1] > 10**9
    assert len(list(stream_frames(path, fps=25))) == 10  # a header that lies is no damage

"""Broken inputs by the hundred: no crash, no hang, each one listed; and what is whole is indexed."""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

import toy
from command import python
from waiting import PATIENCE_S

RUN = """
import json, sys
sys.path.insert(0, {tests!r})
import toy
from sayso import Index
index = Index.open(sys.argv[1], toy.ColourEncoder())
report = index.add(sys.argv[2])
paths = sorted(index.store.records())
print(json.dumps(dict(failures=[failure.to_dict() for failure in report.failures], done=paths)))
"""


def huge_png(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body


def huge_bmp(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHIIiiHHIIIIII", 100, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


def mutate(whole: bytes, rng: random.Random) -> bytes:
    """Truncate, flip bits, cut a hole, or repeat a stretch."""
    data = bytearray(whole)
    kind = rng.randrange(4)
    at = rng.randrange(len(data))
    if kind == 0:
        return bytes(data[:at])
    if kind == 1:
        for _ in range(rng.randrange(1, 40)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        return bytes(data)
    end = min(len(data), at + rng.randrange(1, 400))
    return bytes(data[:at] + data[end:]) if kind == 2 else bytes(data[:end] + data[at:])


def break_things(folder: Path, count: int, seed: int) -> tuple[set[str], set[str]]:
    """Fill a folder; return the paths that must be listed, and those that may be either."""
    rng = random.Random(seed)
    seeds = folder.parent / "seeds"
    seeds.mkdir()
    whole = [
        toy.make_video(seeds / "a.mp4", ["red", "blue"], fps=2),
        toy.make_video(seeds / "b.mkv", ["green"], fps=4),
        toy.make_video(seeds / "c.avi", ["cyan"], fps=3),
        toy.make_picture(seeds / "d.png", "white"),
        toy.make_picture(seeds / "e.jpg", "magenta"),
        toy.make_picture(seeds / "f.gif", "yellow"),
        toy.make_picture(seeds / "g.webp", "yellow"),
        toy.make_picture(seeds / "h.tiff", "black"),
    ]
    contents = [path.read_bytes() for path in whole]
    either = set()
    for k in range(count):
        source = rng.randrange(len(whole))
        suffix = rng.choice(whole).suffix if rng.random() < 0.2 else whole[source].suffix
        path = folder / f"mutated{k}{suffix}"
        path.write_bytes(mutate(contents[source], rng))
        either.add(str(path))
    listed = {
        "empty.mp4": b"",
        "empty.jpg": b"",
        "text.mp4": b"this is no video",
        "text.png": b"this is no picture",
        "zeros.mkv": b"\0" * 5000,
        "noise.mp4": rng.randbytes(5000),
        "noise.jpg": rng.randbytes(5000),
        "huge.png": huge_png(100_000, 100_000),
        "wide.png": huge_png(2**31 - 1, 2),
        "huge.bmp": huge_bmp(60_000, 60_000),
        "list.mp4": b"#EXTM3U\n#EXTINF:1,\n/etc/hostname\n",
        "concat.mp4": b"ffconcat version 1.0\nfile /etc/hostname\n",
    }
    for name, content in listed.items():
        (folder / name).write_bytes(content)
    must = {str(folder / name) for name in listed}
    (folder / "loop").symlink_to(folder)
    (folder / "self.mp4").symlink_to(folder / "self.mp4")
    (folder / "dangling.jpg").symlink_to(folder / "nowhere.jpg")
    os.mkfifo(folder / "pipe.mp4")
    (folder / "folder.mp4").mkdir()
    with open(os.fsencode(folder) + b"/caf\xe9.mp4", "wb") as file:
        file.write(contents[0])
    must |= {str(folder / name) for name in ("self.mp4", "dangling.jpg", "pipe.mp4", "caf\\xe9.mp4")}
    if os.geteuid() != 0:
        (folder / "secret.mp4").write_bytes(contents[0])
        (folder / "secret.mp4").chmod(0)
        must.add(str(folder / "secret.mp4"))
    return must, either


def check(tmp_path: Path, count: int, seed: int) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    must, either = break_things(folder, count, seed)
    whole = {
        str(toy.make_video(folder / "whole.mp4", ["red"])),
        str(toy.make_picture(folder / "whole.png", "red")),
    }
    program = RUN.format(tests=str(Path(toy.__file__).parent))
    done = subprocess.run(
        [*python(program), str(tmp_path / "x.index"), str(folder)],
        capture_output=True, text=True, timeout=PATIENCE_S + count, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr == ""
    report = json.loads(done.stdout)
    failed = {row["path"] for row in report["failures"]}
    indexed = set(report["done"])
    assert whole <= indexed
    assert must <= failed
    assert not must & indexed
    assert either <= failed | indexed, "every file is either listed or indexed"
    for row in report["failures"]:
        assert row["error"]
        assert "Traceback" not in row["error"]


def test_broken_inputs(tmp_path):
    check(tmp_path, count=120, seed=0)


@pytest.mark.slow
def test_a_thousand_broken_inputs(tmp_path, record_property):
    record_property("inputs", 1000)
    check(tmp_path, count=1000, seed=1)

"""A library as people have it: an hour of 1080p video and 2,000 pictures, indexed and searched.

    python benchmarks/large_library.py DATA --work FOLDER                  # about 8 minutes on 2 quiet cores
    python benchmarks/large_library.py DATA --work FOLDER --minutes 10     # a shorter film

DATA holds ``coco/images/`` and ``coco_more/images/``. The film is made once: photographs and drawn things
that move over each other with noise, in shots of 2 to 9 s, 25 frames a second, x264 ``veryfast`` otherwise
as it is, one or a few minutes of it repeated by stream copy. The pictures are cut out of the photographs,
320 x 240 and smaller.

Each step is a process of its own; printed are its seconds, how many times real time that is, its largest
resident memory, and what is on disk.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

WIDTH, HEIGHT, RATE = 1920, 1080, 25
PICTURES = 2000


def photographs(data):
    return sorted([*(data / "coco" / "images").glob("*.jpg"), *(data / "coco_more" / "images").glob("*.jpg")])


def write_part(path, pictures, seconds):
    """Encode the part that is repeated."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, RATE)
        stream.codec_context.thread_count = 2
        left = shot = 0
        for _ in range(seconds * RATE):
            if left == 0:
                left, shot = int(rng.integers(2 * RATE, 9 * RATE)), shot + 1
                picture = Image.open(pictures[shot % len(pictures)]).convert("RGB")
                scene = np.asarray(picture.resize((WIDTH + 240, HEIGHT + 240), Image.Resampling.BILINEAR))
                things, steps = rng.uniform(0, 800, (4, 2)), rng.uniform(-6, 6, (4, 2))
                grain = rng.integers(0, 6, (HEIGHT, WIDTH, 1), np.uint8)
            left, things = left - 1, (things + steps) % (HEIGHT - 120)
            y, x = left // 2 % 240, left % 240
            frame = np.minimum(scene[y : y + HEIGHT, x : x + WIDTH], 249) + np.roll(grain, left * 7, 0)
            for top, side in things.astype(int):
                frame[top : top + 120, side : side + 120] = 255 - frame[top : top + 120, side : side + 120]
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        out.mux(stream.encode())


def repeat(part, path, times):
    """Write a film that is a part, so many times, by stream copy."""
    with av.open(str(path), "w") as out:
        stream, at = None, 0
        for _ in range(times):
            with av.open(str(part)) as source:
                video = source.streams.video[0]
                stream = stream or out.add_stream_from_template(video)
                for packet in source.demux(video):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts, packet.stream = packet.pts + at, packet.dts + at, stream
                    out.mux(packet)
                at += video.duration


def write_pictures(folder, pictures):
    rng = np.random.default_rng(1)
    folder.mkdir()
    for k in range(PICTURES):
        with Image.open(pictures[k % len(pictures)]) as image:
            side = int(rng.integers(120, min(image.size) + 1))
            x, y = (int(rng.integers(0, length - side + 1)) for length in image.size)
            cut = image.convert("RGB").crop((x, y, x + side, y + side * 3 // 4)).resize((320, 240))
        cut.save(folder / f"{k:04d}.jpg", quality=85)


def made(work, data, minutes, part_s):
    """Return the folder of the library, made if it is not there."""
    library, pictures = work / f"library-{minutes}", photographs(data)
    if not library.is_dir():
        began = time.perf_counter()
        waiting = work / "making"
        shutil.rmtree(waiting, ignore_errors=True)
        waiting.mkdir(parents=True)
        write_part(work / "part.mp4", pictures, part_s)
        repeat(work / "part.mp4", waiting / "film.mp4", minutes * 60 // part_s)
        write_pictures(waiting / "pictures", pictures)
        waiting.rename(library)
        print(f"made in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return library


def step(name, minutes, *arguments):
    """Run the command; print what it took."""
    before, began = os.times(), time.perf_counter()
    code = "import sys, resource; from sayso.cli.main import main\ntry:\n    main()\nfinally:\n"
    code += "    print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    env = {**os.environ, "SAYSO_OFFLINE": "1", "SAYSO_NO_DAEMON": "1", "SAYSO_CONFIG": ""}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=env,
        check=False,
    )
    took, after = time.perf_counter() - began, os.times()
    if done.returncode:
        raise SystemExit(done.stderr)
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    peak = int(done.stderr.rpartition("peak ")[2].split()[0]) / 1e6
    rate = f"{60 * minutes / took:.0f}" if minutes else ""
    said = done.stdout.strip().splitlines()[-1][-60:]
    print(f"| {name} | {took:.1f} | {cpu:.1f} | {rate} | {peak:.2f} | {said} |", flush=True)


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--part", type=int, default=120, help="seconds that are encoded, and then repeated")
    parser.add_argument("--only", choices=("all", "keyframes"))
    options = parser.parse_args()
    library = made(options.work, options.data, options.minutes, options.part)
    film = library / "film.mp4"
    with av.open(str(film)) as opened:
        keys = sum(p.is_keyframe for p in opened.demux(video=0))
    print(f"{film.stat().st_size / 1e6:.0f} MB, {keys} key frames; {PICTURES} pictures\n")
    print("| step | s | CPU s | x real time | peak GB | said |\n| --- | --: | --: | --: | --: | --- |")
    for sample in ("keyframes", "all") if options.only is None else (options.only,):
        index = options.work / f"{sample}.index"
        shutil.rmtree(index, ignore_errors=True)
        for what, minutes in (("film.mp4", options.minutes), ("pictures", 0)):
            step(
                f"index the {what}, {sample}",
                minutes,
                "index",
                index,
                library / what,
                "--sample",
                sample,
                "-m",
                "offline",
            )
        step("bring it up to date", 0, "index", index, library)
        step("search", 0, "search", index, "a cat on a sofa", "--paths", "-n", "1")
        print(f"| on disk | | | | | {size_of(index) / 1e6:.1f} MB |")
    print(
        f"largest of this script: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()

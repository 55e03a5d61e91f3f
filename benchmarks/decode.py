"""Frames of video read per second: ours next to PyAV, OpenCV, decord, torchcodec and ffmpeg, in one run.

    python benchmarks/decode.py                       # 60 s of 640x360 H.264, 30 fps, one frame a second
    python benchmarks/decode.py --gop 30              # key frames as often as telephones write them
    python benchmarks/decode.py --video FILE --fps 2

Every way gives the same: one frame for each second of video, scaled to a short side
of 224, RGB in memory. The video is made here with x264's default settings. The last
lines read several files at once in Python threads, which only helps where the
interpreter's lock is let go. OpenCV, decord and torchcodec take part where they are installed and load.
The least CPU seconds of several rounds are shown beside those of the clock.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from results import Report, json_option

from sayso.media import probe, stream_frames

WIDTH, HEIGHT, RATE = 640, 360, 30
SIZE = 224


def make_video(path: Path, seconds: int, gop: int | None) -> None:
    """Write scenes of textured surfaces that pan, with things that move across them and noise."""
    rng = np.random.default_rng(0)
    options = {} if gop is None else {"g": str(gop)}
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        left = 0
        for _ in range(seconds * RATE):
            if left == 0:
                left, scene, at = int(rng.integers(45, 240)), surface(rng), np.zeros(2)
                speed, things = rng.uniform(0, 1.5, 2), rng.uniform(0, 260, (6, 2))
                steps = rng.uniform(-4, 4, (6, 2))
            left, at, things = left - 1, at + speed, (things + steps) % (HEIGHT - 60)
            y, x = int(at[0] / 3) % 100, int(at[1]) % 200
            frame = scene[y : y + HEIGHT, x : x + WIDTH].astype(np.int16)
            for top, side in things.astype(int):
                frame[top : top + 60, 2 * side : 2 * side + 60] = (
                    255 - frame[top : top + 60, 2 * side : 2 * side + 60]
                )
            frame += rng.integers(-4, 5, (HEIGHT, WIDTH, 1), np.int16)
            picture = av.VideoFrame.from_ndarray(np.clip(frame, 0, 255).astype(np.uint8), "rgb24")
            out.mux(stream.encode(picture))
        out.mux(stream.encode())


def surface(rng: np.random.Generator) -> np.ndarray:
    """Return a smooth picture with a fine texture, larger than a frame."""
    height, width = (HEIGHT + 100) // 2, (WIDTH + 200) // 2
    smooth = rng.normal(size=(height, width, 3)).cumsum(0).cumsum(1)
    smooth = (smooth - smooth.min()) / np.ptp(smooth) * 215
    return (smooth + rng.integers(0, 40, (height, width, 1))).astype(np.uint8).repeat(2, 0).repeat(2, 1)


def decoded(path: Path, kind: str, count: int):
    """Yield every frame, decoded by plain PyAV."""
    with av.open(str(path)) as file:
        stream = file.streams.best("video")
        stream.thread_type, stream.codec_context.thread_count = kind, count
        yield from file.decode(stream)


def wanted(path: Path, fps: float, kind: str = "NONE", count: int = 1):
    """Yield the frames that stand for a cell, the plain way."""
    cell, last = 0, None
    for frame in decoded(path, kind, count):
        while last is not None and frame.time > (cell + 0.5) / fps + 1e-6:
            yield last
            cell += 1
        last = frame


def scaled(width: int, height: int) -> tuple[int, int]:
    scale = SIZE / min(width, height)
    return round(width * scale), round(height * scale)


def plain_all(path: Path, _fps: float, kind: str, count: int) -> None:
    for _ in decoded(path, kind, count):
        pass


def kept_reformatter_taken(path: Path, fps: float) -> None:
    reformatter = VideoReformatter()
    for frame in wanted(path, fps):
        size = scaled(frame.width, frame.height)
        reformatter.reformat(frame, *size, "rgb24", interpolation="BICUBIC").to_ndarray()


def kept_reformatter_all(path: Path, _fps: float) -> None:
    reformatter = VideoReformatter()
    for frame in decoded(path, "NONE", 1):
        size = scaled(frame.width, frame.height)
        reformatter.reformat(frame, *size, "rgb24", interpolation="BICUBIC").to_ndarray()


def frame_reformat_taken(path: Path, fps: float) -> None:
    for frame in wanted(path, fps):
        frame.reformat(*scaled(frame.width, frame.height), "rgb24", interpolation="BICUBIC").to_ndarray()


def filter_graph(path: Path, fps: float) -> None:
    with av.open(str(path)) as file:
        stream = file.streams.best("video")
        stream.thread_type = "NONE"
        width, height = scaled(stream.width, stream.height)
        graph = av.filter.Graph()
        rate = Fraction(fps).limit_denominator(1000)
        links = [
            graph.add_buffer(template=stream),
            graph.add("fps", f"fps={rate}:start_time=0"),
            graph.add("scale", f"{width}:{height}:flags=bicubic"),
            graph.add("format", "rgb24"),
            graph.add("buffersink"),
        ]
        graph.link_nodes(*links).configure()
        for frame in chain(file.decode(stream), [None]):
            graph.push(frame)
            while True:
                try:
                    graph.pull().to_ndarray()
                except (av.error.BlockingIOError, av.error.EOFError):
                    break


def ffmpeg(path: Path, fps: float, threads: int) -> None:
    filters = f"fps={fps},scale=-2:{SIZE}:flags=bicubic"
    read = ["ffmpeg", "-v", "error", "-threads", str(threads), "-i", str(path), "-an", "-vf", filters]
    subprocess.run([*read, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], check=True, stdout=subprocess.DEVNULL)


def wanted_numbers(frames: int, rate: float, fps: float) -> list[int]:
    """Return the numbers of the frames that stand for the cells, the nearest to each middle."""
    return [
        min(frames - 1, int((cell + 0.5) * rate / fps)) for cell in range(max(1, round(frames / rate * fps)))
    ]


def opencv(path: Path, fps: float) -> None:
    import cv2

    cv2.setNumThreads(1)
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    count, rate = (capture.get(key) for key in (cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FPS))
    numbers = set(wanted_numbers(int(count), rate, fps))
    for number in range(int(count)):
        if not capture.grab():
            break
        if number in numbers:
            _, frame = capture.retrieve()
            size = scaled(frame.shape[1], frame.shape[0])
            cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC), cv2.COLOR_BGR2RGB)
    capture.release()


def decord_batch(path: Path, fps: float) -> None:
    import decord

    width, height = scaled(*(getattr(probe(path), side) for side in ("width", "height")))
    reader = decord.VideoReader(str(path), width=width, height=height, num_threads=1)
    reader.get_batch(wanted_numbers(len(reader), reader.get_avg_fps(), fps)).asnumpy()


def torchcodec_batch(path: Path, fps: float) -> None:
    from torchcodec.decoders import VideoDecoder
    from torchcodec.transforms import Resize

    known = probe(path)
    width, height = scaled(known.width, known.height)
    decoder = VideoDecoder(str(path), num_ffmpeg_threads=1, transforms=[Resize((height, width))])
    numbers = wanted_numbers(len(decoder), decoder.metadata.average_fps, fps)
    decoder.get_frames_at(numbers).data.permute(0, 2, 3, 1).contiguous().numpy()


def loads(name: str) -> bool:
    """Tell whether a package is there, and its libraries too."""
    try:
        importlib.import_module(name)
    except (ImportError, OSError, RuntimeError):
        return False
    return True


def ours(path: Path, fps: float, **options) -> None:
    for _ in stream_frames(path, fps=fps, size=SIZE, **options):
        pass


def at_once(path: Path, fps: float, files: int, **options) -> None:
    readers = [threading.Thread(target=ours, args=(path, fps), kwargs=options) for _ in range(files)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()


def ways() -> dict[str, tuple[Callable[..., None], dict, int]]:
    """Return name -> what to call, with which options, how many files that reads."""
    found = {
        "PyAV, decoding only, 1 thread": (plain_all, {"kind": "NONE", "count": 1}, 1),
        "PyAV, decoding only, 2 slice threads": (plain_all, {"kind": "SLICE", "count": 2}, 1),
        "PyAV, decoding only, 2 frame threads": (plain_all, {"kind": "FRAME", "count": 2}, 1),
        "PyAV, filter graph fps, scale, format": (filter_graph, {}, 1),
        "PyAV, one reformatter, every frame": (kept_reformatter_all, {}, 1),
        "PyAV, one reformatter, taken frames": (kept_reformatter_taken, {}, 1),
        "PyAV, frame.reformat, taken frames": (frame_reformat_taken, {}, 1),
        "OpenCV, 1 thread": (opencv, {}, 1),
        "decord, 1 thread": (decord_batch, {}, 1),
        "torchcodec, 1 thread": (torchcodec_batch, {}, 1),
        "ffmpeg -threads 1": (ffmpeg, {"threads": 1}, 1),
        "ffmpeg -threads 2": (ffmpeg, {"threads": 2}, 1),
        "stream_frames": (ours, {}, 1),
        "stream_frames threads=2": (ours, {"threads": 2}, 1),
        "stream_frames exact=False": (ours, {"exact": False}, 1),
        "stream_frames exact=False threads=2": (ours, {"exact": False, "threads": 2}, 1),
        "stream_frames, 2 files at once": (at_once, {"files": 2}, 2),
        "stream_frames exact=False, 2 files at once": (at_once, {"files": 2, "exact": False}, 2),
    }
    there = {
        "ffmpeg": bool(shutil.which("ffmpeg")),
        **{name: loads({"OpenCV": "cv2"}.get(name, name)) for name in ("OpenCV", "decord", "torchcodec")},
    }
    lacking = [name for name, is_there in there.items() if not is_there]
    if lacking:
        print(f"without {', '.join(lacking)}, which this machine has not, or which does not load")
    return {way: how for way, how in found.items() if not way.startswith(tuple(lacking))}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--video", type=Path, help="read this file instead of making one")
    parser.add_argument("--seconds", type=int, default=60, help="length of the video that is made")
    parser.add_argument("--gop", type=int, help="frames from one key frame to the next, at most (x264: 250)")
    parser.add_argument("--fps", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3, help="the fastest of so many is taken")
    json_option(parser)
    options = parser.parse_args()
    report = Report("decode", options)
    with tempfile.TemporaryDirectory() as name:
        path = options.video or Path(name, "made.mp4")
        if options.video is None:
            make_video(path, options.seconds, options.gop)
        frames = sum(1 for _ in decoded(path, "NONE", 1))
        known = probe(path)
        chosen = ways()
        clock, busy = dict.fromkeys(chosen, float("inf")), dict.fromkeys(chosen, float("inf"))
        for _ in range(options.rounds):
            for way, (call, given, _) in chosen.items():
                began, used = time.perf_counter(), cpu_seconds()
                call(path, options.fps, **given)
                busy[way] = min(busy[way], cpu_seconds() - used)
                clock[way] = min(clock[way], time.perf_counter() - began)
    what = f"{known.width} x {known.height} {known.video_codec}, {frames} frames"
    title = f"{what}, of which {options.fps:g} a second are wanted"
    report.table(title, ["way", "frames/s", "frames a CPU second", "CPU, x `stream_frames`"])
    own = busy["stream_frames"]
    for way, (_, _, files) in chosen.items():
        per_s, per_cpu_s = frames * files / clock[way], frames * files / busy[way]
        report.row(way, f"{per_s:,.0f}", f"{per_cpu_s:,.0f}", f"{busy[way] / files / own:.2f}")
    report.close()


def cpu_seconds() -> float:
    """Return the processor's time of this process and of those it has waited for."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    main()

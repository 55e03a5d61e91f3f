"""Hours of video indexed per hour, next to decoding alone and encoding alone, in one run.

    python benchmarks/index.py                 # 640x360 H.264, 30 fps, one frame a second, 'offline'

Two busy cores that decode at rate d and encode at rate e can at best do both at
1 / (1/d + 1/e). The last line prints what share of that ``Index.add`` reaches,
with hashing, thumbnails and writing included.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np

import sayso
from sayso.engine.extract import default_workers
from sayso.media import stream_frames

WIDTH, HEIGHT, RATE = 640, 360, 30


def make_video(path: Path, seconds: int) -> None:
    """Write moving textures with x264's default settings, about 1 Mbit/s."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (2 * HEIGHT // 8, 2 * WIDTH // 8, 3), np.uint8)
    scene = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for k in range(seconds * RATE):
            x, y = (k * 2) % WIDTH, int(HEIGHT / 2 * (1 + np.sin(k / 40)))
            frame = np.ascontiguousarray(scene[y : y + HEIGHT, x : x + WIDTH])
            frame[100:160, (5 * k) % (WIDTH - 60) :][:, :60] = k % 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode())


def timed(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="offline")
    parser.add_argument("--seconds", type=int, default=120, help="length of the video that is made")
    parser.add_argument("--copies", type=int, default=30, help="how many files of that video are indexed")
    options = parser.parse_args()
    encoder = sayso.load(options.model)
    spec = encoder.clip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "media")
        folder.mkdir()
        make_video(folder / "0.mp4", options.seconds)
        for k in range(1, options.copies):
            shutil.copy(folder / "0.mp4", folder / f"{k}.mp4")
        files = sorted(folder.iterdir())
        total = options.seconds * options.copies

        def decode(path: Path) -> None:
            for _ in stream_frames(path, fps=spec.fps, size=spec.size, crop="none", exact=False):
                pass

        def plain(path: Path) -> None:
            with av.open(str(path)) as container:
                container.streams.video[0].thread_type = "AUTO"
                for k, frame in enumerate(container.decode(video=0)):
                    if k % RATE == RATE // 2:
                        frame.reformat(width=398, height=224, format="rgb24").to_ndarray()

        with ThreadPoolExecutor(default_workers()) as pool:
            d = total / timed(lambda: list(pool.map(decode, files)))
            p = total / timed(lambda: list(pool.map(plain, files)))
        frames = np.random.default_rng(0).integers(0, 255, (16, 4, spec.size, spec.size, 3), np.uint8)
        encoder.encode_video(frames)
        rounds = max(2, round(total * spec.fps / 64))
        e = rounds * 64 / spec.fps / timed(lambda: [encoder.encode_video(frames) for _ in range(rounds)])
        index = sayso.Index.open(Path(name, "bench.index"), encoder)
        both = total / timed(lambda: index.add(folder))
    bound = 1 / (1 / d + 1 / e)
    print(f"decoding alone        {d:8.1f} hours of video per hour (plain PyAV, every frame: {p:.1f})")
    print(f"encoding alone        {e:8.1f}")
    print(f"bound 1/(1/d + 1/e)   {bound:8.1f}")
    print(f"Index.add             {both:8.1f}   ratio to the bound {both / bound:.2f}")


if __name__ == "__main__":
    main()

"""Training clips a second out of the loader: next to read_clip in one thread, in one run.

    python benchmarks/loader.py                    # 6 videos of 32 s, 640x360 H.264, 30 fps
    python benchmarks/loader.py --frames 16 --fps 5 --size 112
    python benchmarks/loader.py --captions         # what a batch of captions costs the training thread

Every way cuts the same clips: 32 frames at 10 a second, short side 224, a random
square of 224, from random captions. ``read_clip`` is called for one clip after the other, which
is what a worker does. ``torch DataLoader`` draws the same examples in processes, which is the
usual way; it leaves out everything else the loader does. ``ffmpeg`` starts the
command for each clip, as the public MIL-NCE code does. Each way starts anew in every round.

``--captions``: 1,024 examples a batch with 5 captions of 10 words each; CPU time of the thread that trains,
for fetching a batch and having its words as tensors: when it tokenises itself, and when the loader's
threads collate.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from decode import make_video

from sayso.core.types import Caption, Span
from sayso.data import Clips, Loader, read_corpus
from sayso.data.batch import Batch, Example, stack
from sayso.data.sampler import Sampler
from sayso.evaluation.record import commit
from sayso.text import write_vtt

BATCH = 8
STEPS_A_ROUND = 5  # of --captions: a step's cost differs threefold with what the caches hold
CAPTION_S = 4.0


def make_corpus(folder: Path, videos: int, seconds: int) -> None:
    for i in range(videos):
        make_video(folder / f"v{i}.mp4", seconds, None)
        spans = [Span(CAPTION_S * k, CAPTION_S * (k + 1)) for k in range(int(seconds / CAPTION_S))]
        said = [Caption(span, f"caption {k} of video {i}") for k, span in enumerate(spans)]
        (folder / f"v{i}.vtt").write_text(write_vtt(said), encoding="utf-8")


class Drawn:
    """The loader's examples as a dataset that torch can take."""

    def __init__(self, dataset: Clips, clips: int) -> None:
        self.dataset, self.clips, self.sampler = dataset, clips, Sampler(len(dataset), 0)

    def __len__(self) -> int:
        return self.clips

    def __getitem__(self, position: int) -> np.ndarray:
        item = self.sampler.item(0, position)
        (example,) = self.dataset.sample(item, self.sampler.rng(0, item))
        return example["frames"]


def read_clips(dataset: Clips, clips: int) -> None:
    drawn = Drawn(dataset, clips)
    for position in range(clips):
        drawn[position]


def load(dataset: Clips, clips: int, *, workers: int) -> None:
    given = sum(len(batch["frames"]) for batch in Loader(dataset, BATCH, workers=workers, epochs=1))
    assert given == clips


def torch_loader(dataset: Clips, clips: int, *, workers: int) -> None:
    from torch.utils.data import DataLoader

    for _ in DataLoader(Drawn(dataset, clips), BATCH, num_workers=workers, multiprocessing_context="fork"):
        pass


def ffmpeg(dataset: Clips, clips: int) -> None:
    sampler, corpus = Sampler(len(dataset), 0), dataset.corpus
    for position in range(clips):
        caption = sampler.item(0, position)
        start_s, path = corpus.caption(caption).span.start, corpus.paths[corpus.video_of(caption)]
        square = f"crop=min(iw\\,ih):min(iw\\,ih),scale={dataset.size}:{dataset.size},fps={dataset.fps}"
        command = [
            "ffmpeg",
            "-v",
            "error",
            "-ss",
            str(start_s),
            "-t",
            str(dataset.frames / dataset.fps + 0.1),
        ]
        command += ["-i", path, "-vf", square, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:"]
        pixels = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.uint8)
        assert len(pixels.reshape(-1, dataset.size, dataset.size, 3)) >= dataset.frames - 1


class Captions:
    """Examples of a small feature and 5 captions of 10 words."""

    group = 1

    def __init__(self, items: int) -> None:
        rng = np.random.default_rng(0)
        self.words = [f"word{n}" for n in range(5000)]
        self.texts = [
            tuple(" ".join(self.words[n] for n in numbers) for numbers in rng.integers(5000, size=(5, 10)))
            for _ in range(items)
        ]

    def __len__(self) -> int:
        return len(self.texts)

    def name(self, item: int) -> str:
        """Return its number."""
        return str(item)

    def sample(self, item: int, rng: np.random.Generator) -> list[Example]:  # noqa: ARG002  none is random
        """Return the example."""
        return [{"features": np.zeros(64, np.float32), "texts": self.texts[item]}]


def training_thread(batches: int, step_s: float = 1.0) -> None:
    """Print the CPU time of the training thread a batch, when it tokenises and when it does not."""
    import torch

    from sayso.engine.tensor_batch import TensorBatch
    from sayso.models.bow_text import WordTokenizer

    dataset, device, weights = Captions(1024 * 4), torch.device("cpu"), torch.rand(512, 512)
    torch.set_num_threads(1)
    tokenizer = WordTokenizer(dataset.words, lower=True)

    def collate(examples: list[Example]) -> Batch:
        words = tokenizer([text for one in examples for text in one["texts"]]).numpy()
        return stack([{"features": one["features"]} for one in examples]) | {"words": words}

    for way, made in (("the training thread tokenises", stack), ("the loader's threads collate", collate)):
        busy, count = 0.0, 0
        stream = iter(Loader(dataset, 1024, collate=made, workers=2))
        next(stream)
        for _ in range(batches):
            end = time.perf_counter() + step_s
            while time.perf_counter() < end:  # a step of the model: it computes, outside the interpreter
                weights @ weights
            began = time.thread_time()
            batch = next(stream)
            if made is stack:
                words = tokenizer([text for bag in batch["texts"].tolist() for text in bag])
            else:
                words = TensorBatch(batch, device)["words"]
            busy += time.thread_time() - began
            count += words.shape[0]
        stream.close()
        print(
            f"{way:34}{busy / batches * 1000:9.3f} ms a batch{busy / count * 1e6:9.2f} ms per 1,000 captions"
        )


def ways() -> dict[str, tuple[Callable[..., None], dict[str, int]]]:
    found: dict[str, tuple[Callable[..., None], dict[str, int]]] = {"read_clip, one thread": (read_clips, {})}
    found |= {f"Loader, {n} threads": (load, {"workers": n}) for n in (1, 2, 4)}
    found["torch DataLoader, 2 processes"] = (torch_loader, {"workers": 2})
    if shutil.which("ffmpeg"):
        found["ffmpeg a clip, its own threads"] = (ffmpeg, {})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--videos", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=32, help="length of each video")
    parser.add_argument("--frames", type=int, default=32)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=3, help="the fastest of so many is taken")
    parser.add_argument("--captions", action="store_true", help="time the training thread on captions")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    if options.captions:
        training_thread(batches=STEPS_A_ROUND * options.rounds)
        return
    with tempfile.TemporaryDirectory() as name:
        make_corpus(Path(name), options.videos, options.seconds)
        shape = {"frames": options.frames, "fps": options.fps, "size": options.size}
        dataset = Clips(read_corpus(name), per_video=None, **shape)
        clips = len(dataset) // BATCH * BATCH
        chosen = ways()
        took = dict.fromkeys(chosen, float("inf"))
        for _ in range(options.rounds):
            for way, (call, given) in chosen.items():
                began = time.perf_counter()
                call(dataset, clips, **given)
                took[way] = min(took[way], time.perf_counter() - began)
    rows = [{"way": way, "clips_per_s": clips / seconds} for way, seconds in took.items()]
    print(f"{os.cpu_count()} cores, {clips} clips of {shape}")
    print(f"{'':34}{'clips/s':>9}{'x read_clip':>13}")
    for row in rows:
        row["ratio"] = row["clips_per_s"] / rows[0]["clips_per_s"]
        print(f"{row['way']:34}{row['clips_per_s']:9.1f}{row['ratio']:13.2f}")
    if options.out:
        made_by = {
            "command": "python benchmarks/loader.py",
            "commit": commit(),
            "clip": shape,
            "clips": clips,
        }
        made_by |= {"machine": platform.platform(), "cores": os.cpu_count()}
        made_by |= {"date": datetime.now(UTC).isoformat(timespec="seconds")}
        options.out.write_text(json.dumps({**made_by, "rows": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

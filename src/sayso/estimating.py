"""What a corpus of so many videos costs: core-hours, bytes and the parameters of its index.

Nothing comes from a table: a short video is decoded and embedded here, an index of vectors is made, and what
that took is multiplied. Processor time is counted, not time on the clock, so that a busy machine gives nearly
the same answer as an idle one. Speech is not measured, nor what a site sends in a second.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import MediaError, UsageError
from sayso.core.progress import Progress, Silent
from sayso.engine.extract import Finished, extract
from sayso.engine.segment import Job, JobClip
from sayso.index.maintaining import PARTITION, SAMPLED
from sayso.media import probe

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder
    from sayso.index.store import Store

PROBE_S = 30
WIDTH, HEIGHT, FPS = 640, 360, 25
PROBE_CLIPS = 65_536
ROUNDS = 50
"""How often at most the vectors that centroids are trained on are compared with all of them."""

FEW, MANY = 8, 256
"""Partitions of two indices, whose difference is what comparing vectors with centroids takes."""

WINDOW_S = 4.0
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Rates:
    """What was measured.

    Args:
        probe: the video that was read.
        encoder: the model that embedded it.
        dim: D, length of a vector.
        probe_s: seconds of video that were read.
        read_core_s: core-seconds that decoding and embedding a second of video takes.
        video_bytes: bytes of a second of video.
        thumb_bytes: bytes of a clip's picture.
        row_bytes: bytes of a clip in the index besides its vector and its picture.
        indexed: how many drawn vectors an index was made of.
        vector_core_s: core-seconds a vector that making their index takes.
        code_bytes: bytes a vector in that index.
        compare_core_s: core-seconds that comparing a vector with the centroid of a partition takes.
    """

    probe: str
    encoder: str
    dim: int
    probe_s: float
    read_core_s: float
    video_bytes: float
    thumb_bytes: float
    row_bytes: float
    indexed: int
    vector_core_s: float
    code_bytes: float
    compare_core_s: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a corpus costs.

    Args:
        videos: how many.
        hours: they last in all.
        clips: they are cut into.
        rates: what was measured.
        requests_a_second: to the one host that has them.
    """

    videos: int
    hours: float
    clips: int
    rates: Rates
    requests_a_second: float = 1.0

    def costs(self) -> dict[str, float]:
        """Return core-hours, bytes, days and the parameters of the index, by name."""
        rates = self.rates
        partitions = max(1, round(self.clips / PARTITION))
        sample = min(self.clips, partitions * SAMPLED)
        further = max(0, partitions - max(1, round(rates.indexed / PARTITION)))
        compared = (self.clips + sample * ROUNDS) * further
        vectors = self.clips * rates.dim * 2
        thumbs, rows, codes = (
            self.clips * one for one in (rates.thumb_bytes, rates.row_bytes, rates.code_bytes)
        )
        return {
            "read_core_hours": self.hours * rates.read_core_s,
            "index_core_hours": (self.clips * rates.vector_core_s + compared * rates.compare_core_s) / HOUR_S,
            "fetch_days": 3 * self.videos / self.requests_a_second / HOUR_S / 24,
            "video_bytes": self.hours * HOUR_S * rates.video_bytes,
            "vector_bytes": vectors,
            "thumb_bytes": thumbs,
            "row_bytes": rows,
            "code_bytes": codes,
            "index_bytes": vectors + thumbs + rows + codes,
            "partitions": partitions,
            "training_vectors": sample,
            "training_bytes": sample * rates.dim * 4,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        costs = {name: round(value, 3) for name, value in self.costs().items()}
        asked = {name: getattr(self, name) for name in ("videos", "hours", "clips", "requests_a_second")}
        return {**asked, "measured": asdict(self.rates), **costs}


def estimate_corpus(
    videos: int,
    hours: float,
    model: Encoder | str = "auto",
    *,
    clips: int | None = None,
    sample: str | os.PathLike[str] | None = None,
    requests_a_second: float = 1.0,
    device: str = "auto",
    progress: Progress | None = None,
) -> Estimate:
    """Return what a corpus costs, by what a short probe takes on this machine.

    Args:
        videos: how many.
        hours: they last in all.
        model: what embeds them: an encoder, or what ``sayso.load_encoder`` takes, loaded once all else is
            known to make sense.
        clips: they are cut into; by default one every 4 seconds.
        sample: a video such as theirs; by default one is drawn, of 640 x 360 pixels, whose bytes say little
            of those of a filmed one.
        requests_a_second: to the host that has them.
        device: for the encoder, if it is loaded here.
        progress: what to report to.

    Raises:
        SaysoError: if the sample cannot be read, a number makes no sense, or there is no such model.
    """
    if videos < 1 or not 0 < hours < math.inf or (clips is not None and clips < 1):
        raise UsageError(f"a corpus has videos and hours; got {videos} videos, {hours:g} hours")
    if not 0 < requests_a_second < math.inf:
        raise UsageError(f"requests a second are above 0; got {requests_a_second:g}")
    if sample is not None:
        probe(sample)
    rates = measure_rates(_loaded(model, device), sample, progress)
    return Estimate(videos, hours, clips or math.ceil(hours * HOUR_S / WINDOW_S), rates, requests_a_second)


def _loaded(model: Encoder | str, device: str) -> Encoder:
    from sayso.encoders import load_encoder

    return load_encoder(model, device=device) if isinstance(model, str) else model


def measure_rates(
    encoder: Encoder, sample: str | os.PathLike[str] | None = None, progress: Progress | None = None
) -> Rates:
    """Read a short video into an index, and make an index of vectors; return what that takes.

    Args:
        encoder: embeds the video.
        sample: the video; None: one is drawn.
        progress: what to report to.

    Raises:
        SaysoError: if the sample cannot be read.
    """
    bar = progress or Silent()
    with tempfile.TemporaryDirectory(prefix="sayso-estimate-") as name:
        folder = Path(name)
        bar.update(0, 3, "drawing a video" if sample is None else os.fspath(sample))
        source = Path(sample) if sample is not None else _draw(folder / "drawn.mp4")
        bar.update(1, 3, "reading it")
        read = _read(source, encoder)
        bar.update(2, 3, "making an index of vectors")
        vectors = _index_vectors(folder / "vectors.index", encoder)
        bar.update(3, 3, "")
    return Rates(
        probe="a drawn video of 640 x 360" if sample is None else os.fspath(sample),
        encoder=encoder.name,
        dim=encoder.dim,
        **read,
        **vectors,
    )


def _read(source: Path, encoder: Encoder) -> dict[str, Any]:
    """Decode and embed a video; return seconds, core-seconds and bytes."""
    side = encoder.clip.size
    encoder.encode_video(np.zeros((1, encoder.clip.frames, side, side, 3), np.uint8))  # what is done once
    began = time.process_time()
    *clips, done = extract([Job(os.fspath(source), "video", WINDOW_S)], encoder)
    took = time.process_time() - began
    held = [clip for clip in clips if isinstance(clip, JobClip)]
    if not held or not isinstance(done, Finished) or done.error:
        why = done.error if isinstance(done, Finished) else None
        raise MediaError(why or f"{source} holds no frame that can be read")
    seconds = held[-1].span.end
    return {
        "probe_s": seconds,
        "read_core_s": took / seconds,
        "video_bytes": source.stat().st_size / seconds,
        "thumb_bytes": sum(len(clip.thumb) for clip in held) / len(held),
    }


def _index_vectors(address: Path, encoder: Encoder) -> dict[str, Any]:
    """Make an index of drawn vectors; return core-seconds and bytes a vector."""
    from sayso.index.adding import identity_of
    from sayso.index.drawn import drawn_rows
    from sayso.index.maintaining import maintain
    from sayso.index.store import Store

    store = Store(address)
    store.create(identity_of(encoder))
    drawn = np.random.default_rng(0).standard_normal((PROBE_CLIPS, encoder.dim), np.float32)
    clips, media = drawn_rows(store.identity, 0, drawn)
    store.append(clips)
    store.commit(media)
    vectors = PROBE_CLIPS * encoder.dim * 2
    rows = _bytes_below(address / "clips.lance" / "data") - vectors
    began = time.process_time()
    maintain(store)
    took = time.process_time() - began
    codes = _bytes_below(address / "clips.lance" / "_indices")
    compared = _compare_rate(store)
    shutil.rmtree(address)
    return {
        "row_bytes": max(0, rows) / PROBE_CLIPS,
        "indexed": PROBE_CLIPS,
        "vector_core_s": took / PROBE_CLIPS,
        "code_bytes": codes / PROBE_CLIPS,
        "compare_core_s": compared,
    }


def _compare_rate(store: Store) -> float:
    """Return core-seconds that comparing a vector with a centroid takes; 0 for what is too small to tell."""
    from lancedb.index import IvfRq

    if not any(index.columns == ["vector"] for index in store.clips.list_indices()):
        return 0.0
    took = []
    for partitions in (FEW, FEW, MANY):  # the first also warms up
        metric, began = store.identity.metric, time.process_time()
        how = IvfRq(distance_type=metric, num_partitions=partitions, sample_rate=4, max_iterations=2)
        store.clips.create_index("vector", config=how, replace=True)
        took.append(time.process_time() - began)
    return max(0.0, took[2] - took[1]) / (MANY - FEW) / PROBE_CLIPS


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _draw(path: Path) -> Path:
    """Write a how-to video of drawn steps, 640 x 360 pixels and 25 frames a second."""
    from sayso.toyworld.howto import training_video
    from sayso.toyworld.write import render, write_video

    def pieces() -> Iterator[NDArray[np.uint8]]:
        left = PROBE_S * FPS
        for number in range(1000):
            for piece in render(training_video(0, number), size=HEIGHT, fps=FPS):
                wide = np.pad(piece[:left], ((0, 0), (0, 0), (0, WIDTH - HEIGHT), (0, 0)), mode="edge")
                yield wide
                left -= len(wide)
                if left <= 0:
                    return

    write_video(path, pieces(), FPS)
    return path

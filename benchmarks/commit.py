"""Seconds and bytes that committing costs: a writer that commits as it goes, and one commit for many shards.

    python benchmarks/commit.py                      # 1,200,000 media in 5,000 shards, about 10 minutes
    python benchmarks/commit.py --shards 500 --by-5s 1000 2000

A small vector stands for all clips of a medium: what is measured are the commits, not the clips. Three ways:

shards       what many writers and one committer do: a fragment and a JSON file a shard, commits when a
             sixteenth more is ready (``sayso.index.commit``)
each 5 s     what one ``sayso index`` does while it encodes: HowTo100M has 113 clips of 4 s a video, which at
             20.7 clips a second come every 5.4 s, so a commit a medium of each table, merged by path. It
             grows with the square, so it is run for some thousand media; the rest is reckoned, marked by ~
1,024 rows   the same, as if clips came as fast as they can be written

Bytes are those that the process has handed to the operating system (``wchar`` of /proc/self/io).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from sayso.index.commit import is_due, settle_shards
from sayso.index.schema import MEDIA_SCHEMA, SCHEMA_VERSION, Identity, clips_schema
from sayso.index.shards import ShardFolder, ShardSink
from sayso.index.store import Store

DIM = 8
IDENTITY = Identity(SCHEMA_VERSION, "benchmark", "be" * 32, DIM, True, "")
TO_FILL = {pa.string(): "", pa.float64(): 0.0, pa.binary(): b""}


def tables(first: int, count: int) -> tuple[pa.Table, pa.Table]:
    """Return clips and media, one each for the numbers from ``first`` on."""
    names = [f"{number:020x}" for number in range(first, first + count)]
    paths = [f"/corpus/{name[-4:-2]}/{name}.mp4" for name in names]
    rng = np.random.default_rng(first)
    vectors = pa.array(rng.random(count * DIM).astype(np.float16))
    known = {"id": [f"{name}-0" for name in names], "media_id": names, "path": paths}
    clips = [
        pa.FixedSizeListArray.from_arrays(vectors, DIM)
        if field.name == "vector"
        else pa.array(known.get(field.name) or [TO_FILL.get(field.type)] * count, field.type)
        for field in clips_schema(IDENTITY)
    ]
    known |= {"content": [name * 3 for name in names], "kind": ["video"] * count, "clips": [1] * count}
    known |= {"added": ["2026-01-01T00:00:00+00:00"] * count}
    media = [pa.array(known.get(field.name) or [None] * count, field.type) for field in MEDIA_SCHEMA]
    schema = clips_schema(IDENTITY)
    return pa.Table.from_arrays(clips, schema=schema), pa.Table.from_arrays(media, schema=MEDIA_SCHEMA)


class Meter:
    """Seconds and bytes since it was made."""

    def __init__(self) -> None:
        self.start, self.bytes = time.perf_counter(), self._written()

    @staticmethod
    def _written() -> int:
        lines = Path("/proc/self/io").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("wchar")).split()[1])

    def read(self) -> dict[str, float]:
        """Return both, rounded."""
        seconds, written = time.perf_counter() - self.start, self._written() - self.bytes
        return {"seconds": round(seconds, 1), "MB": round(written / 1e6, 1)}


def new_store(folder: Path, name: str) -> Store:
    store = Store(folder / name)
    store.create(IDENTITY)
    return store


def by_shards(folder: Path, shards: int, media: int) -> list[dict[str, float]]:
    """Return what it came to at an eighth, a quarter, half and all of the shards."""
    store, points = new_store(folder, "shards.index"), []
    meter, commits, committed, waiting = Meter(), 0, 0, 0
    shown = {shards // 8, shards // 4, shards // 2, shards}
    for number in range(1, shards + 1):
        sink = ShardSink(store)
        clips, rows = tables(number * media, media)
        sink.append(clips)
        sink.commit(rows)
        ShardFolder(store).write(sink.shard(f"{number:040x}", {}))
        waiting += 1
        if is_due(waiting, committed) or number in shown:
            with store.writing():
                settle_shards(store)
            commits, committed, waiting = commits + 1, committed + waiting, 0
        if number in shown:
            points.append({"media": number * media, "shards": number, "commits": commits, **meter.read()})
            print("shards", json.dumps(points[-1]), flush=True)
    if store.clips.count_rows() != shards * media or store.media.count_rows() != shards * media:
        raise SystemExit("rows are missing")
    return points


def as_it_goes(folder: Path, media: int, at_once: int) -> dict[str, float]:
    """Write media as one writer does, ``at_once`` a commit."""
    store = new_store(folder, f"{media}-{at_once}.index")
    meter = Meter()
    for first in range(0, media, at_once):
        clips, rows = tables(first, min(at_once, media - first))
        store.append(clips)
        merging = store.media.merge_insert("path").when_matched_update_all()
        merging.when_not_matched_insert_all().execute(rows)
    return {"media": media, "commits": -(-media // at_once), **meter.read()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shards", type=int, default=5000)
    parser.add_argument("--media", type=int, default=240, help="of a shard")
    parser.add_argument("--by-5s", type=int, nargs="+", default=[1000, 2000], help="media of that way")
    parser.add_argument("--rows", type=int, default=200_000, help="media of the way by 1,024 rows")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        points = []
        for media in options.by_5s:
            points.append(as_it_goes(folder, media, 1))
            print("each 5 s", json.dumps(points[-1]), flush=True)
        if options.rows:
            print("1,024 rows", json.dumps(as_it_goes(folder, options.rows, 512)), flush=True)
        ours = by_shards(folder, options.shards, options.media)
    compare(points, ours)


def compare(points: list[dict[str, float]], ours: list[dict[str, float]]) -> None:
    """Print how many times fewer bytes shards take: at the sizes that were run, and reckoned for all."""
    whole = ours[-1]
    each = whole["MB"] / whole["media"]
    for point in points:
        print(
            f"{point['media']:,} media: {point['MB'] / (each * point['media']):.0f} x fewer bytes by shards"
        )
    sizes = np.array([[point["media"] ** 2, point["media"]] for point in points], float)
    found, *_ = np.linalg.lstsq(sizes, np.array([point["MB"] for point in points]), rcond=None)
    all_mb = found @ [whole["media"] ** 2, whole["media"]]
    print(f"~{whole['media']:,} media: {all_mb / 1e6:.1f} TB each 5 s, {all_mb / whole['MB']:.0f} x fewer")
    growth = [point["MB"] / point["media"] * 1e6 for point in ours]
    print("bytes a medium by shards, at each size:", ", ".join(f"{value:.0f}" for value in growth))


if __name__ == "__main__":
    main()

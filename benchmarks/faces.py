"""Face tracks of real videos: how many, and how fast.

    OMP_NUM_THREADS=1 python benchmarks/faces.py VIDEO...

A line says the seconds of the video, those that finding the shots and the faces took, how many shots
and tracks there are, for how long somebody's face is followed, and how far the descriptors of the tracks
are from each other that are on screen at once (two people: about 0.6 and more is to be expected).
"""

from __future__ import annotations

import argparse
import itertools
import time
from pathlib import Path

import numpy as np

from sayso.core.errors import MediaError
from sayso.media import probe
from sayso.people import Track, find_shots, track_faces


def apart(tracks: list[Track]) -> str:
    """Return the least distance of the descriptors of two tracks that are on screen at once."""
    distances = [
        np.linalg.norm(one.descriptor - other.descriptor)
        for one, other in itertools.combinations(tracks, 2)
        if one.span.overlap(other.span) > 0.2
    ]
    return f"{min(distances):.2f}" if distances else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("videos", type=Path, nargs="+")
    asked = parser.parse_args()
    print("| video | s | size | shots | shots found in s | tracks | faces found in s | s of faces | apart |")
    print("| --- | --: | --: | --: | --: | --: | --: | --: | --: |")
    for video in asked.videos:
        try:
            header, began = probe(video), time.perf_counter()
            shots = find_shots(video).spans
            middle = time.perf_counter()
            tracks = track_faces(video, shots).tracks
        except MediaError as error:
            print(f"| {video.stem} | {error} |")
            continue
        took = middle - began, time.perf_counter() - middle
        followed = sum(track.span.duration for track in tracks)
        print(
            f"| {video.stem} | {header.duration or 0:.1f} | {header.width}x{header.height} | {len(shots)} "
            f"| {took[0]:.2f} | {len(tracks)} | {took[1]:.2f} | {followed:.1f} | {apart(tracks)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

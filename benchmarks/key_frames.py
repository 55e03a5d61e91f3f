"""What ``sayso index --sample keyframes`` costs in recall, and how coarse its times are.

    python benchmarks/key_frames.py DATA

DATA holds ``coco/captions.json``, ``coco/images/`` and, for the mixed collection, ``videos/`` and
``tvperson/``. The captioned pictures become shots of 2 to 9 s of films (panned over slowly, cut hard, 24
frames a second), so that it is known when what each caption says is on screen. The films are encoded as
people's are: x264 as it is (a key frame at each cut it notices, and every 250 frames), as a telephone does
(every second), as a camera or a screen recorder does (every 2 or 10 s, cuts or not), and with no key frame
but the first. Each is indexed by all frames and by key frames alone, and every caption is asked for.

R@1, R@10: how often one of the first moments is of the right film and has the middle of the right shot, or
lies in it. start: how far that moment's start is from the shot's, median and mean of those within the first
ten, seconds. differs: R@10 less that of all frames; in brackets lie 95 % of 2,000 bootstrap samples of the
pictures. The mixed collection is that of ``sayso evaluate search``: captions of its pictures are asked for,
and what is said in its videos. ``--films`` alone leaves the films out.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from sayso import Index
from sayso.data.datasets.coco_captions import read_captioned
from sayso.encoders import load_encoder
from sayso.evaluation.search_collection import build_collection

WIDTH, HEIGHT, RATE = 384, 288, 24
SHOTS = 16
ENCODED = {
    "x264 as it is": {},
    "telephone: every second": {"g": "24", "sc_threshold": "0"},
    "camera: every 2 s, at no cut": {"g": "48", "sc_threshold": "0"},
    "every 10 s, at no cut": {"g": "240", "sc_threshold": "0"},
    "the first frame alone": {"g": "100000", "keyint_min": "100000", "sc_threshold": "0"},
}


def shots_of(pictures, rng):
    """Return films: lists of (picture, length in frames)."""
    order = list(pictures)
    rng.shuffle(order)
    lasting = [(path, rng.randint(2 * RATE, 9 * RATE)) for path in order]
    return [lasting[start : start + SHOTS] for start in range(0, len(lasting), SHOTS)]


def write_film(path, shots, options):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"preset": "veryfast", **options})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, RATE)
        for picture, frames in shots:
            image = Image.open(picture).convert("RGB").resize((WIDTH + 48, HEIGHT + 36))
            pixels = np.asarray(image)
            for k in range(frames):
                x, y = 48 * k // frames, 36 * k // frames
                part = np.ascontiguousarray(pixels[y : y + HEIGHT, x : x + WIDTH])
                out.mux(stream.encode(av.VideoFrame.from_ndarray(part, "rgb24")))
        out.mux(stream.encode())


def truth(films):
    """Return of each picture: its film's name, and when it is on screen."""
    found = {}
    for k, shots in enumerate(films):
        at = 0
        for picture, frames in shots:
            found[picture] = (f"film{k}", at / RATE, (at + frames) / RATE)
            at += frames
    return found


def ask(index, captions, where):
    """Return for each caption: the rank of its shot (or 99), and how far off the moment begins (or nan)."""
    ranks, errors = [], []
    for text, picture in captions:
        film, start_s, end_s = where[picture]
        hits = index.search('"{}"'.format(text.replace('"', " ")), limit=10)
        right = [
            k
            for k, hit in enumerate(hits)
            if hit.title == film
            and (
                hit.start_s <= (start_s + end_s) / 2 < hit.end_s
                or start_s <= (hit.start_s + hit.end_s) / 2 < end_s
            )
        ]
        ranks.append(right[0] if right else 99)
        errors.append(abs(hits[right[0]].start_s - start_s) if right else np.nan)
    return np.array(ranks), np.array(errors)


def differing(ranks, others, owners):
    """Return R@10 less that of the others, and between what 95 % of bootstrap samples of the pictures lie."""
    gain = (ranks < 10).astype(float) - (others < 10)
    groups = [gain[owners == one] for one in np.unique(owners)]
    rng = np.random.default_rng(0)
    draws = [
        np.concatenate([groups[k] for k in rng.integers(len(groups), size=len(groups))]).mean()
        for _ in range(2000)
    ]
    return gain.mean(), *np.percentile(draws, [2.5, 97.5])


def films_table(data, encoder, folder, encoded, asked):
    pictures = read_captioned(data / "coco" / "captions.json")
    texts = zip(pictures.texts, pictures.owners, strict=True)
    rows = [(text, owner, pictures.owners[:k].count(owner)) for k, (text, owner) in enumerate(texts)]
    captions = [(text, pictures.pictures[owner]) for text, owner, number in rows if number < asked]
    owners = np.array([owner for _, owner, number in rows if number < asked])
    films = shots_of(pictures.pictures, random.Random(0))
    where = truth(films)
    total_s = sum(end - start for _, start, end in where.values())
    print(f"{len(films)} films, {total_s:.0f} s, {len(where)} shots, {len(captions)} captions\n")
    print("| films | indexed by | clips | x real time | R@1 | R@10 | differs | start, median | mean |")
    print("| --- | --- | --: | --: | --: | --: | --: | --: | --: |")
    for number, name in enumerate(encoded):
        options = ENCODED[name]
        media = folder / f"films{number}"
        media.mkdir()
        for k, shots in enumerate(films):
            write_film(media / f"film{k}.mp4", shots, options)
        before = None
        for keys in (False, True):
            index = Index.open(folder / f"{number}-{keys}.index", encoder)
            began = time.perf_counter()
            index.add(media, keys_only=keys)
            took = time.perf_counter() - began
            ranks, errors = ask(index, captions, where)
            low = (
                ""
                if before is None
                else "{:+.3f} ({:+.3f} to {:+.3f})".format(*differing(ranks, before, owners))
            )
            print(
                f"| {name} | {'key frames' if keys else 'all'} | {len(index)} | {total_s / took:.0f} "
                f"| {(ranks < 1).mean():.3f} | {(ranks < 10).mean():.3f} | {low} "
                f"| {np.nanmedian(errors):.2f} | {np.nanmean(errors):.2f} |",
                flush=True,
            )
            before = ranks


def mixed_table(data, encoder, folder):
    media = folder / "mixed"
    media.mkdir()
    asked = [one for one in build_collection(data, media, captions=True) if one.present]
    print("\n| mixed collection, indexed by | clips | asked | R@1 | R@10 | differs | 95 % |")
    print("| --- | --: | --- | --: | --: | --: | --: |")
    found = {}
    for sample in ("all", "keyframes"):
        index = Index.open(folder / f"mixed-{sample}.index", encoder)
        index.add(media, keys_only=sample == "keyframes")
        found[sample] = finds(index, asked)
        for kind in ("visual", "spoken"):
            chosen = np.array([one.kind == kind for one in asked])
            owners = np.array([one.file if kind == "visual" else one.text for one in asked])[chosen]
            first, ten = found[sample][chosen].mean(0)
            missed, before = (99 * (1 - found[name][chosen, 1]) for name in (sample, "all"))
            mean, low, high = differing(missed, before, owners)
            differs = f"{mean:+.3f} | {low:+.3f} to {high:+.3f}" if sample != "all" else " | "
            print(f"| {sample} | {len(index)} | {kind} | {first:.3f} | {ten:.3f} | {differs} |", flush=True)


def finds(index, asked, reach=10):
    """Return whether each query finds what it asks for first, and among the first so many."""
    found = []
    for one in asked:
        hits = index.search('"{}"'.format(one.text.replace('"', " ")), limit=reach)
        right = [
            one.file in {Path(path).name for path in (hit.path, *(copy.path for copy in hit.copies))}
            and (one.span is None or (hit.start_s < one.span.end and hit.end_s > one.span.start))
            for hit in hits
        ]
        found.append([any(right[:1]), any(right)])
    return np.array(found, float)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="offline")
    parser.add_argument("--films", nargs="*", choices=ENCODED, default=list(ENCODED))
    parser.add_argument("--captions", type=int, default=5, help="that are asked for, of each picture")
    parser.add_argument("--no-mixed", action="store_true", help="without the mixed collection")
    options = parser.parse_args()
    encoder = load_encoder(options.model)
    with tempfile.TemporaryDirectory() as folder:
        if options.films:
            films_table(options.data, encoder, Path(folder), options.films, options.captions)
        if not options.no_mixed:
            mixed_table(options.data, encoder, Path(folder))


if __name__ == "__main__":
    main()

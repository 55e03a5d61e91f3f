"""Names of real face tracks from subtitles, a transcript, lip motion and the tracks' times.

    python benchmarks/naming.py shared/data/tvperson
    python benchmarks/naming.py shared/data/tvperson --curve curve.png

The tracks, their lips and the subtitles are real; the data has no descriptors. So names are given once
without any, and once for each of several noise levels with descriptors drawn around each true
identity. Nothing else of the truth is used: speakers come from aligning the transcript.

Drawn descriptors have 128 numbers. Identities differ in 32 directions. What makes two tracks of one
person differ is 40 % pose (8 directions, of which identities use 8 too), 30 % the look of the minute
(light, clothes: shared by a person's tracks of one minute, along the directions of identity), 30 % even
noise; one track in ten is seen badly, and has twice the pose and noise. Levels are mean distances of two
tracks of one person and of two people, as descriptors of 2017 have them (same below about 0.5, dlib):

    close   0.40 and 0.80    frontal faces, good light
    usual   0.50 and 0.75    the limit up to which two faces are held to be one
    far     0.60 and 0.75    profiles and low light: one track in four is nearer to another person's
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from sayso.data.datasets.tvperson import Episode, read_episodes
from sayso.export.naming_curve import curve_png
from sayso.metrics.naming import naming, precision_curve, reliability
from sayso.systems.align_script import align_script
from sayso.systems.name_actors import cast_of, name_actors, speaking_faces

LEVELS = {"close": (0.40, 0.80), "usual": (0.50, 0.75), "far": (0.60, 0.75)}


def draw(episode: Episode, same: float, other: float, seed: int) -> np.ndarray:
    """Return descriptors (N, 128) around each true identity, at these mean distances."""
    rng = np.random.default_rng(seed)
    people = sorted(set(episode.names))
    who = np.array([people.index(name) for name in episode.names])
    minute = np.array([int(track.span.start // 60) for track in episode.tracks])
    N, K, spread = len(who), len(people), same**2 / 2
    basis = np.linalg.qr(rng.standard_normal((128, 40)))[0].T
    identity, pose = basis[:32], basis[24:32]
    centre = rng.standard_normal((K, 32)) @ identity * np.sqrt((other**2 - same**2) / 2 / 32)
    look = rng.standard_normal((K, minute.max() + 1, 32)) @ identity * np.sqrt(0.3 * spread / 32)
    badly = np.where(rng.random(N) < 0.1, 2.0, 1.0)[:, None]
    turned = rng.standard_normal((N, 8)) @ pose * np.sqrt(0.4 * spread / 8)
    noise = rng.standard_normal((N, 128)) * np.sqrt(0.3 * spread / 128)
    return centre[who] + look[who, minute] + badly * (turned + noise)


def confusion(X: np.ndarray, names: list[str]) -> float:
    """Return the equal error rate of telling by distance whether two tracks are of one person."""
    who = np.array(names)
    distance = np.linalg.norm(X[:, None] - X, axis=2)
    pairs = np.triu(np.ones_like(distance, dtype=bool), 1)
    same = pairs & (who[:, None] == who)
    near, apart = np.sort(distance[same]), np.sort(distance[pairs & ~same])
    cuts = np.quantile(near, np.linspace(0, 1, 200))
    missed = 1 - np.searchsorted(near, cuts, side="right") / len(near)
    mistaken = np.searchsorted(apart, cuts, side="right") / len(apart)
    return float(np.maximum(missed, mistaken).min())


def precision_of(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the proportion named and the precision, of rows as ``judged`` returns them."""
    scores = np.column_stack([rows[:, 0], np.full(len(rows), -1.0)])
    return precision_curve(scores, 1 - rows[:, 1].astype(int))


def score(probabilities: np.ndarray, names: list[str], truth: list[str]) -> dict[str, float]:
    """Return accuracy, AP, mean of per-class AP, and the calibration error; all tracks count."""
    number = {name: k for k, name in enumerate(names)}
    right = np.array([number.get(name, len(names)) for name in truth])
    return naming(probabilities, right) | {"ECE": reliability(probabilities, right)["error"]}


def judged(probabilities: np.ndarray, names: list[str], truth: list[str]) -> np.ndarray:
    """Return rows of confidence and whether the name is right, so that episodes can be ranked together."""
    best = probabilities.argmax(1)
    number = {name: k for k, name in enumerate(names)}
    right = best == np.array([number.get(name, len(names)) for name in truth])
    return np.column_stack([probabilities.max(1), right])


def measure(episode: Episode, seeds: int, curves: dict[str, list]) -> list[tuple[str, dict[str, float]]]:
    """Return a row for each way to name the episode's tracks; add their curves to ``curves``."""
    lines = align_script(episode.script, episode.captions).lines
    names = cast_of(lines)
    share = np.array([sum(line.speaker == name for line in lines) for name in names], dtype=float)
    most = np.tile(np.append(share, 0) / share.sum(), (len(episode.tracks), 1))
    rule = speaking_faces(episode.tracks, lines, names)
    filled = np.where(rule.lips.max(1, keepdims=True) > 0.7, rule.probabilities, 0.01 * most)
    rows = [
        ("most frequent speaker", most),
        ("speaking face alone", rule.probabilities),
        ("speaking face, else most frequent", filled),
        ("ours, no descriptors", name_actors(episode.tracks, lines, names=names).probabilities),
    ]
    scored = [(how, score(P, names, episode.names)) for how, P in rows]
    for how, P in rows:
        curves.setdefault(how, []).append(judged(P, names, episode.names))
    for level, (same, other) in LEVELS.items():
        drawn = []
        for seed in range(seeds):
            X = draw(episode, same, other, seed)
            tracks = [replace(track, descriptor=x) for track, x in zip(episode.tracks, X, strict=True)]
            P = name_actors(tracks, lines, names=names).probabilities
            curves.setdefault(f"ours, {level}", []).append(judged(P, names, episode.names))
            result = score(P, names, episode.names)
            drawn.append(result | {"pairs confused": confusion(X, episode.names)})
        scored.append((f"ours, {level}", {key: float(np.mean([d[key] for d in drawn])) for key in drawn[0]}))
    return scored


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3, help="drawings of each level")
    parser.add_argument("--curve", type=Path, help="draw precision over the proportion named, as a PNG")
    options = parser.parse_args()
    curves: dict[str, list] = {}
    print("| episode | names from | accuracy | AP | mAP | calibration error | pairs confused |")
    print("| --- | --- | --: | --: | --: | --: | --: |")
    for episode in read_episodes(options.folder):
        for how, result in measure(episode, options.seeds, curves):
            cells = (result["accuracy"], result["AP"], result["mAP"], result["ECE"])
            confused = f"{result['pairs confused']:.3f}" if "pairs confused" in result else ""
            numbers = " | ".join(f"{value:.3f}" for value in cells)
            print(f"| {episode.name} | {how} | {numbers} | {confused} |", flush=True)
    if options.curve:
        drawn = {how: precision_of(np.concatenate(rows)) for how, rows in curves.items()}
        options.curve.write_bytes(curve_png(drawn))


if __name__ == "__main__":
    main()

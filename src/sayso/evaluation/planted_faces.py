"""Face descriptors drawn around true identities, for face tracks whose data has none.

Drawn descriptors have 128 numbers. Identities differ in 32 directions. What makes two tracks of one
person differ is 40 % pose (8 directions, of which identities use 8 too), 30 % the appearance of the minute
(light, clothes: shared by a person's tracks of one minute, along the directions of identity), 30 % even
noise; one track in ten is seen badly, and has twice the pose and noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sayso.core.arrays import Floats
from sayso.people.tracks import Track

LEVELS = {  # mean distances of two tracks of one person and of two people; same below about 0.5 (dlib, 2017)
    "close": (0.40, 0.80),  # frontal faces, good light
    "usual": (0.50, 0.75),  # the limit up to which two faces are held to be one
    "far": (0.60, 0.75),  # profiles and low light: one track in four is nearer to another person's
}


def planted_descriptors(
    tracks: Sequence[Track], names: Sequence[str], same: float, other: float, seed: int
) -> Floats:
    """Return descriptors (N, 128) of tracks.

    Args:
        tracks: N of them.
        names: of the N tracks, the true ones.
        same: mean distance of two tracks of one person.
        other: mean distance of two tracks of two people.
        seed: of what is drawn.
    """
    rng = np.random.default_rng(seed)
    people = sorted(set(names))
    who = np.array([people.index(name) for name in names])
    minute = np.array([int(track.span.start // 60) for track in tracks])
    N, K, spread = len(who), len(people), same**2 / 2
    basis = np.linalg.qr(rng.standard_normal((128, 40)))[0].T
    identity, pose = basis[:32], basis[24:32]
    centre = rng.standard_normal((K, 32)) @ identity * np.sqrt((other**2 - same**2) / 2 / 32)
    appearance = rng.standard_normal((K, minute.max() + 1, 32)) @ identity * np.sqrt(0.3 * spread / 32)
    badly = np.where(rng.random(N) < 0.1, 2.0, 1.0)[:, None]
    turned = rng.standard_normal((N, 8)) @ pose * np.sqrt(0.4 * spread / 8)
    noise = rng.standard_normal((N, 128)) * np.sqrt(0.3 * spread / 128)
    drawn: Floats = centre[who] + appearance[who, minute] + badly * (turned + noise)
    return drawn


def equal_error_rate(descriptors: Floats, names: Sequence[str]) -> float:
    """Return the error of telling by distance whether two tracks are of one person, at its best threshold.

    Args:
        descriptors: (N, D).
        names: of the N tracks.
    """
    who = np.array(names)
    distance = np.linalg.norm(descriptors[:, None] - descriptors, axis=2)
    pairs = np.triu(np.ones_like(distance, dtype=bool), 1)
    same = pairs & (who[:, None] == who)
    near, apart = np.sort(distance[same]), np.sort(distance[pairs & ~same])
    cuts = np.quantile(near, np.linspace(0, 1, 200))
    missed = 1 - np.searchsorted(near, cuts, side="right") / len(near)
    mistaken = np.searchsorted(apart, cuts, side="right") / len(apart)
    return float(np.maximum(missed, mistaken).min())

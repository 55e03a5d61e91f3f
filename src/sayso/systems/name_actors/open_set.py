"""The names of groups of faces, and the share of strangers: a mixture with an open set.

Each group g of tracks is one of the C names or a stranger:

    log p(g is k) = 1/2 (sum over its tracks of lips_nk + context_nk) + looks_gk + log (1 - s) share_k
    log p(g is a stranger) = 1/2 (sum over its tracks of lips_n0 + context_n0) + log s

``looks`` says how much likelier the mean of g is beside the other groups of k than as a new person's. A name
that has its groups is therefore not given to a face that is far from them; a group that nothing speaks for is
a stranger. The share of strangers s is estimated with the names, by expectation maximisation from two starts,
of which the one is taken under which the others of a group predict the lips of each track best. A group's
evidence counts by half, because its tracks are not independent; the context of one scene counts once for all.
All of it counts less where the lips of tracks disagree with what the others of their group say.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from sayso.core.arrays import Floats
from sayso.people.tracks import Track
from sayso.systems.name_actors.context import NOBODY, softmax
from sayso.systems.name_actors.groups import group_faces, group_means
from sayso.systems.name_actors.strangers import UNSPOKEN, unspoken_groups

EVIDENCE = 0.5  # weight of the evidence of a group
OWN_CONTEXT = 0.3  # weight of the context of one track
LIPS = 6.0  # log odds of the lips of one track, at most, in its group
LOOKS = 30.0  # log odds of the looks of a group, at most
SCENE_S = 60.0
STRANGERS = (0.1, 0.3)  # where the estimates of their share begin, of which the likeliest is taken
USUAL = 20.0  # tracks that the usual share of strangers is worth
HEATS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05, 0.02)  # weights of the groups that are compared
CAUTION = 3.0  # what the lips must gain for a weight smaller by a factor of e
OUTLIERS = 0.02  # share of tracks that may be anybody, whatever they look like
ROUNDS = 20
AXES = 32  # in which groups are compared
SPREAD = 0.15  # of the variance between groups: that of one person's, before it is estimated
CORRECTED = 30.0  # log odds of a correction


@dataclass(frozen=True, eq=False)
class OpenSet:
    """Names of tracks by their groups.

    Attributes:
        logits: (N, C + 1) log probabilities of each track by itself; the last column is nobody.
        groups: (N,) the group of each track.
        strangers: the estimated share of tracks of strangers.
        alike: (M, M) log odds that two groups are one person's.
    """

    logits: Floats
    groups: np.ndarray[tuple[int], np.dtype[np.int64]]
    strangers: float
    alike: Floats


def name_groups(
    tracks: Sequence[Track],
    X: Floats,
    lips: Floats,
    context: Floats,
    overall: Floats,
    fixed: dict[int, int],
    speaking: Collection[int] = (),
    share: float | None = None,
) -> OpenSet:
    """Return the names of tracks, with those that look alike taken together.

    Args:
        tracks: N of them.
        X: (N, D) descriptors, centred and of mean square 1.
        lips: (N, C + 1) log odds of each name from the lips, and of nobody of the names.
        context: (N, C + 1) log of how much likelier each name, and nobody, is here than anywhere.
        overall: (C,) the share of each name in the film.
        fixed: track -> name, or C for nobody: corrections.
        speaking: tracks whose lips moved in a line.
        share: of strangers; None: it is estimated.
    """
    R = group_faces(X)
    scene = np.unique([int(track.span.start // SCENE_S) for track in tracks], return_inverse=True)[1]
    alike = ((np.eye(scene.max() + 1)[scene].T @ R)[scene] * R).sum(1)  # tracks of the group in the scene
    E = EVIDENCE * (np.clip(lips, -LIPS, LIPS) + context / np.sqrt(np.maximum(1, alike))[:, None])
    for n, name in fixed.items():
        E[n] = CORRECTED * (np.arange(E.shape[1]) == name)
    seen, means = R.T @ E, group_means(X, R)
    seen[unspoken_groups(tracks, R, speaking, fixed), -1] += UNSPOKEN
    spoken = np.exp(np.clip(lips, -LIPS, LIPS))
    found = [
        _fitted(R, E, seen, means, overall, spoken, start, estimated=share is None)
        for start in (STRANGERS if share is None else (share,))
    ]
    _, named, Q, strangers = max(found, key=lambda one: one[0])
    return OpenSet(
        np.log(named) + lips + OWN_CONTEXT * context, R.argmax(1), strangers, groups_alike(means, Q)
    )


def _fitted(
    R: Floats,
    E: Floats,
    seen: Floats,
    means: Floats,
    overall: Floats,
    spoken: Floats,
    strangers: float,
    *,
    estimated: bool,
) -> tuple[float, Floats, Floats, float]:
    """Return how well lips are predicted, by which names (N, C + 1), those of the groups, and the share.

    Args:
        R: (N, M) how far each track is of each group.
        E: (N, C + 1) evidence of each track.
        seen: (M, C + 1) evidence of each group.
        means: (M, D) of the groups.
        overall: (C,) the share of each name.
        spoken: (N, C + 1) likelihood of the lips.
        strangers: their share, or where its estimate begins.
        estimated: whether the share is estimated.
    """
    looks, base = np.zeros((len(means), len(overall))), _prior(overall, strangers)
    Q = softmax(seen + base)
    for _ in range(ROUNDS):
        looks = (looks + np.clip(looks_like(means, Q), -LOOKS, LOOKS)) / 2
        evidence = seen + np.column_stack([looks, np.zeros(len(looks))])
        Q = (Q + softmax(evidence + base)) / 2
        if estimated:
            strangers = float(((R @ Q)[:, -1].sum() + USUAL * NOBODY) / (len(R) + USUAL))
        base = _prior(overall, strangers)
    ways = [
        (1 - OUTLIERS) * _of_others(R, evidence, E, base, heat) + OUTLIERS * np.exp(base) for heat in HEATS
    ]
    fits = [
        float(np.log((way * spoken).sum(1)).sum() + CAUTION * np.log(heat))
        for way, heat in zip(ways, HEATS, strict=True)
    ]
    best = int(np.argmax(fits))
    return fits[best], ways[best], Q, strangers


def _of_others(R: Floats, evidence: Floats, E: Floats, base: Floats, heat: float) -> Floats:
    """Return what the other tracks of its groups say of each track, (N, C + 1)."""
    named = np.zeros_like(E)
    for own, weight in zip(evidence, R.T, strict=True):
        named += weight[:, None] * softmax(heat * (own - weight[:, None] * E) + base)
    return named


def looks_like(means: Floats, Q: Floats) -> Floats:
    """Return the log ratio that each group looks like the other groups of each name, or a new person, (M, C).

    Args:
        means: (M, D) of the groups, where tracks of a group have covariance 1.
        Q: (M, C + 1) probabilities of the groups' names; the last column is a stranger.
    """
    M, C = len(means), Q.shape[1] - 1
    if M < 2:
        return np.zeros((M, C))
    y, own, total = _axes(means, Q)
    d, between = y.shape[1], total - own
    W = np.repeat(Q[:, None, :C], M, axis=1).transpose(1, 0, 2)  # (group, other group, name)
    W[np.arange(M), np.arange(M)] = 0
    count = W.sum(1)
    mean = np.einsum("gok,od->gkd", W, y) / np.maximum(count, 1e-6)[:, :, None]
    trust = count * between / (count * between + own)
    variance = own + own * between / (count * between + own)
    away = np.square(y[:, None] - trust[:, :, None] * mean).sum(2)
    alone = np.square(y).sum(1)[:, None] / total
    return np.asarray(0.5 * (alone - away / variance) + 0.5 * d * np.log(total / variance))


def groups_alike(means: Floats, Q: Floats) -> Floats:
    """Return the log ratio that two groups are one person's, or two people's, (M, M).

    Args:
        means: as for ``looks_like``.
        Q: as for ``looks_like``.
    """
    if len(means) < 2:
        return np.zeros((len(means), len(means)))
    y, own, total = _axes(means, Q)
    away = np.square(y[:, None] - y).sum(2)
    return np.asarray(0.25 * away * (1 / total - 1 / own) + 0.5 * y.shape[1] * np.log(total / own))


def _axes(means: Floats, Q: Floats) -> tuple[Floats, float, float]:
    """Return the groups' means on few axes (M, d), their variance within a person, and among all."""
    M, C = len(means), Q.shape[1] - 1
    U, s, _ = np.linalg.svd(means - means.mean(0), full_matrices=False)
    d = min(AXES, M - 1, len(s))
    y = (U * s)[:, :d]
    total = max(float(y.var(0).sum()) / d * M / (M - 1), 1e-12)
    return y, min(_own_variance(y, Q[:, :C], SPREAD * total), 0.5 * total), total


def _own_variance(y: Floats, Q: Floats, usual: float) -> float:
    """Return the variance of the means of one person's groups; ``usual`` counts as one group."""
    d, squares, freedom = y.shape[1], usual, 1.0
    for weight in Q.T:
        if weight.sum() > 1.2:
            mean = weight @ y / weight.sum()
            squares += float(weight @ np.square(y - mean).sum(1)) / d
            freedom += float(weight.sum()) - 1
    return squares / freedom


def _prior(overall: Floats, strangers: float) -> Floats:
    return np.asarray(np.log(np.append(overall * (1 - strangers), strangers)))

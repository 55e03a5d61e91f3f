"""The names of face tracks, each with its probability.

With descriptors, tracks that look alike are named together, and who has no name is a stranger
(``open_set``). Without, a track has its lips, who speaks around it at several scales of time (``context``),
and who was in its place of the picture before (``joint``). Beside it stands the published way, discriminative
clustering [1, 2]: it gives first labels Z that keep the constraints; then, a few times,

    F_n    = the prediction of ridge regression on all other tracks' labels for track n
    p_n(k) ~ exp(beta F_nk + lips_nk + prior_nk / 2),    nobody on screen twice
    Z      = p

F leaves each track out (in closed form), so that its own label has no influence, and beta, the weight of
appearance, is the one that predicts the lips best. The prior of who speaks nearby counts by half, because
the tracks of a scene share it. A linear rule has no place for faces that are far from everybody: where there
are strangers, it gives them names.

Sources
    [1] Bojanowski et al., ICCV 2013, section 4. [2] Miech et al., ICCV 2017.
    Everingham et al., BMVC 2006.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Floats
from sayso.core.errors import SaysoError
from sayso.core.progress import Progress, Silent
from sayso.people.tracks import Track
from sayso.solvers.constraints import CountConstraint
from sayso.solvers.standardize import standardize
from sayso.systems.name_actors.constraints import SPEAKING, cast_of, label_constraints, named_lines
from sayso.systems.name_actors.context import (
    ANYWHERE,
    ELSEWHERE,
    NEARBY_S,
    SCALES_S,
    name_context,
    softmax,
    speaker_prior,
    speaker_shares,
)
from sayso.systems.name_actors.joint import joint_probabilities, overlapping_tracks, same_places
from sayso.systems.name_actors.lips import NamedSpan, lip_evidence
from sayso.systems.name_actors.open_set import CORRECTED, OUTLIERS, name_groups
from sayso.systems.name_actors.strangers import UNSPOKEN, group_near, number_strangers, unspoken_groups

if TYPE_CHECKING:
    from sayso.alignment import SpokenLine

LAM = 1e-3  # ridge, for descriptors of mean square 1
ROUNDS = 4
FEWEST = 32  # tracks below which groups and a share of strangers cannot be estimated
PRIOR_WEIGHT = 0.5
BETAS = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)  # values of beta that are compared
USUAL_BETA = 4.0  # mode of its prior


@dataclass(frozen=True, eq=False)
class Naming:
    """Names of tracks.

    Attributes:
        names: the C people.
        probabilities: (N, C + 1); the last column is "none of these".
        lips: (N, C) log odds that each track is each name from its lips alone; 0 without evidence.
        groups: (N,) number of the group of tracks that look alike; None where looks are not known.
        alike: (M, M) log odds that two groups are one person's; None where looks are not known.
    """

    names: tuple[str, ...]
    probabilities: Floats
    lips: Floats
    groups: NDArray[np.int64] | None = None
    alike: Floats | None = None

    def name(self, track: int) -> str | None:
        """Return the likeliest name of a track; None if it is likeliest to be nobody of the names."""
        best = int(self.probabilities[track].argmax())
        return self.names[best] if best < len(self.names) else None

    def confidence(self, track: int) -> float:
        """Return the probability of the likeliest name, 0 to 1."""
        return float(self.probabilities[track].max())

    def only(self, names: Sequence[str]) -> Naming:
        """Return the naming by some of the names; all others count as nobody."""
        kept = [self.names.index(name) for name in names]
        P = self.probabilities[:, kept]
        P = np.column_stack([P, np.maximum(0, 1 - P.sum(1))])
        return replace(self, names=tuple(names), probabilities=P, lips=self.lips[:, kept])

    def strangers(self, before: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Return the number of the stranger that each track is, (N,), from 1; 0: a name, or unknown looks.

        Args:
            before: (N,) numbers of an earlier naming, which are kept.
        """
        if self.groups is None or self.alike is None:
            return np.zeros(len(self.probabilities), dtype=np.int64)
        nobody = self.probabilities.argmax(1) == len(self.names)
        return number_strangers(nobody, self.groups, self.alike, before)

    def rows(
        self, tracks: Sequence[Track], strangers: NDArray[np.int64] | None = None
    ) -> Iterator[dict[str, object]]:
        """Yield one row a track, ready for JSON: number, times, box, name, score, likeliest names, group.

        Args:
            tracks: N of them.
            strangers: (N,) numbers of strangers; by default those of ``strangers()``.
        """
        numbers = self.strangers() if strangers is None else strangers
        for n, track in enumerate(tracks):
            row = track.to_dict()
            for long in ("boxes", "lip_motion", "descriptor"):
                row.pop(long, None)
            order = np.argsort(-self.probabilities[n], kind="stable")[:3]
            likely = [((*self.names, None)[k], float(self.probabilities[n, k])) for k in order]
            yield {
                "track": n,
                **row,
                "name": self.name(n),
                "score": round(self.confidence(n), 3),
                "candidates": [{"name": name, "score": round(p, 3)} for name, p in likely],
                "seen_speaking": bool(self.lips[n].size and self.lips[n].max() > SPEAKING),
                **({} if self.groups is None else {"group": int(self.groups[n])}),
                **({"stranger": int(numbers[n])} if numbers[n] else {}),
            }


def name_actors(
    tracks: Sequence[Track],
    lines: Sequence[SpokenLine],
    *,
    names: Sequence[str] | None = None,
    mentions: Sequence[NamedSpan] = (),
    corrections: Mapping[int, str | None] | None = None,
    open_set: bool = True,
    strangers: float | None = None,
    progress: Progress | None = None,
) -> Naming:
    """Name the face tracks of a film.

    Args:
        tracks: N tracks; lips and descriptors are used where they are there.
        lines: of the film, with speakers (``align_script(...).lines``).
        names: the people to tell apart; default those with three lines and more.
        mentions: people named in descriptions (``named_in``).
        corrections: track -> its right name, or None for nobody of the names. They are kept, and
            are labels for the tracks that look alike.
        open_set: whether looks may say that a face is a stranger's; else, and with fewer than 32 tracks,
            discriminative clustering.
        strangers: the share of tracks that are strangers', where it is known; else it is estimated.
        progress: reports each round.

    Raises:
        SaysoError: if there are no names, or a correction is of a track or name that is not there.
    """
    people = tuple(names if names is not None else cast_of(lines))
    if not people:
        raise SaysoError("no line has a speaker, so there are no names to give; check script and subtitles")
    fixed = _numbered(corrections or {}, people, len(tracks))
    spoken = named_lines(lines, people)
    evidence = lip_evidence(tracks, spoken, len(people))
    lips = evidence[:, :-1]
    X, pairs = _descriptors(tracks), overlapping_tracks(tracks)
    scales, elsewhere = (SCALES_S, ANYWHERE) if X is None else (NEARBY_S, ELSEWHERE)
    prior = speaker_prior(tracks, spoken, len(people), scales, elsewhere)
    logits = prior + evidence
    for n, name in fixed.items():
        logits[n] += CORRECTED * (np.arange(len(people) + 1) == name)
    if X is None:
        P = joint_probabilities(logits, pairs, same_places(tracks), np.exp(prior))
        return Naming(people, _kept(P, fixed), lips)
    speaking = np.flatnonzero((lips > SPEAKING).any(1)).tolist()
    if not open_set or len(tracks) < FEWEST:
        constraints = label_constraints(tracks, lips, spoken, mentions, fixed)
        looks = group_near(tracks) if open_set else None
        if open_set:
            silent = unspoken_groups(tracks, np.eye(len(tracks)), speaking, fixed)
            logits[silent, -1] += UNSPOKEN
        return _discriminative(people, X, (prior, logits), constraints, lips, (pairs, fixed), looks, progress)
    overall = speaker_shares(spoken, len(people))
    context = name_context(tracks, spoken, mentions, len(people))
    found = name_groups(tracks, X, evidence, context, overall, fixed, speaking, strangers)
    P = _kept(joint_probabilities(found.logits, pairs), fixed)
    (progress or Silent()).update(1, 1, f"names; strangers have {found.strangers:.0%} of the tracks")
    return Naming(people, P, lips, found.groups, found.alike)


def _discriminative(
    people: tuple[str, ...],
    X: Floats,
    evidence: tuple[Floats, Floats],
    constraints: Sequence[CountConstraint],
    lips: Floats,
    known: tuple[Sequence[tuple[int, int]], Mapping[int, int]],
    looks: tuple[NDArray[np.int64], Floats] | None,
    progress: Progress | None,
) -> Naming:
    """Return the names by discriminative clustering and regression, under constraints."""
    prior, logits = evidence
    pairs, fixed = known
    prior, logits = PRIOR_WEIGHT * prior, logits - (1 - PRIOR_WEIGHT) * prior
    Z = _cluster(X, constraints, len(people))
    for step in range(ROUNDS + 1):
        F = leave_one_out(X, Z)
        P = _kept(joint_probabilities(logits + _best_beta(F, prior, logits - prior) * F, pairs), fixed)
        (progress or Silent()).update(step + 1, ROUNDS + 1, "names")
        Z = P
    return Naming(people, P, lips, *(looks or ()))


def speaking_faces(tracks: Sequence[Track], lines: Sequence[SpokenLine], names: Sequence[str]) -> Naming:
    """Name by the speaking-face rule: tracks seen to speak get the speaker's name, all others nobody.

    Args:
        tracks: N of them, with lips.
        lines: of the film, with speakers.
        names: C people.
    """
    spoken = named_lines(lines, names)
    lips = lip_evidence(tracks, spoken, len(names))[:, :-1]
    return Naming(tuple(names), softmax(np.column_stack([lips, np.full(len(lips), SPEAKING)])), lips)


def leave_one_out(X: Floats, Z: Floats, lam: float = LAM) -> Floats:
    """Return, for each row, the prediction of ridge regression with a free bias on all other rows, (N, C).

    Equal to N regressions to the order of 1/N (the other rows' mean is taken over all rows).

    Args:
        X: (N, D) centred.
        Z: (N, C) labels.
        lam: the ridge, per row.
    """
    N = len(X)
    inverse = np.linalg.inv(X.T @ X + N * lam * np.eye(X.shape[1]))
    leverage = np.minimum(np.einsum("nd,de,ne->n", X, inverse, X) + 1 / N, 1 - 1e-6)[:, None]
    F = X @ (inverse @ (X.T @ Z)) + Z.mean(0)
    return np.asarray((F - leverage * Z) / (1 - leverage))


def _descriptors(tracks: Sequence[Track]) -> Floats | None:
    """Return the descriptors, centred and of mean square 1, (N, D); None if there are none to compare."""
    sizes = {len(track.descriptor) for track in tracks}
    if len(tracks) < 2 or sizes == {0}:
        return None
    if len(sizes) > 1:
        raise SaysoError(f"descriptors have {sorted(sizes)} numbers; describe every track, with one model")
    X, _, _ = standardize([track.descriptor for track in tracks])
    return X if X.any() else None


def _cluster(X: Floats, constraints: Sequence[CountConstraint], names: int) -> Floats:
    """Return the labels (N, C + 1) of discriminative clustering under all constraints."""
    from sayso.solvers import Diffrac, LinearOracle, quasi_newton

    oracle = LinearOracle(len(X), names + 1, constraints)
    solution = quasi_newton(Diffrac(X, LAM), [oracle], tol=1e-2, relative=True, max_iter=40, check_every=40)
    return np.asarray(solution.Z)


def _best_beta(F: Floats, prior: Floats, evidence: Floats) -> float:
    """Return the beta under which appearance and prior best predict the lips and corrections.

    One track in fifty may be anybody, so that a few outliers do not decide.
    """
    likelihood, anybody = np.exp(evidence), OUTLIERS / F.shape[1]
    fits = [
        float(np.log((((1 - OUTLIERS) * softmax(beta * F + prior) + anybody) * likelihood).sum(1)).sum())
        - 0.5 * (beta / USUAL_BETA - 1) ** 2
        for beta in BETAS
    ]
    return BETAS[int(np.argmax(fits))]


def _kept(P: Floats, fixed: Mapping[int, int]) -> Floats:
    """Return probabilities with the corrections certain."""
    for n, name in fixed.items():
        P[n] = np.arange(P.shape[1]) == name
    return P


def _numbered(corrections: Mapping[int, str | None], names: Sequence[str], tracks: int) -> dict[int, int]:
    number = {name.casefold(): k for k, name in enumerate(names)}
    fixed: dict[int, int] = {}
    for track, name in corrections.items():
        known = len(names) if name is None else number.get(name.casefold())
        if known is None:
            raise SaysoError(
                f"the correction of track {track} names {name!r}; the names are {', '.join(names)}"
            )
        if not 0 <= track < tracks:
            raise SaysoError(f"a correction is of track {track}; the tracks are 0 to {tracks - 1}")
        fixed[track] = known
    return fixed

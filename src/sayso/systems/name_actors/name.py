"""The names of face tracks, each with its probability.

Clustering gives first labels Z that keep the demands. Then, a few times:

    F_n    = what ridge regression on all other tracks' labels answers for track n
    p_n(k) ~ exp(beta F_nk + lips_nk + expected_nk / 2),    nobody on screen twice
    Z      = p

F leaves each track out (in closed form), so it is not swayed by the track's own label, and beta, how
far looks are to be trusted, is what best foretells the lips. The expectation counts by half, because the
tracks of a scene share it: it is no new testimony for each of them. Probabilities need no
labelled film to be calibrated: the lips are the film's own held-out truth.

Sources
    Bojanowski et al., ICCV 2013, section 4; Miech et al., ICCV 2017; Everingham et al., BMVC 2006.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.core.progress import Progress, Silent
from sayso.people.tracks import Track
from sayso.solvers.standardize import standardize
from sayso.systems.name_actors.bags import Spoken, cast_of, demands, said_lines
from sayso.systems.name_actors.context import expected, softmax, together, without_doubles
from sayso.systems.name_actors.speech import Said, look_at_lips, name_evidence

Floats = NDArray[np.float64]
LAM = 1e-3  # ridge, for descriptors of mean square 1
ROUNDS = 4
SHARED = 0.5  # what the expectation counts beside looks
TRUST = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)  # values of beta that are tried
USUAL = 4.0  # beta where there are few tracks to learn it from
ODD = 0.02  # share of tracks that may be anybody, whatever they look like
SURE = 30.0  # log odds of a correction


@dataclass(frozen=True, eq=False)
class Naming:
    """Names of tracks.

    Attributes:
        names: the K people.
        probabilities: (N, K + 1); the last column is "none of these".
        lips: (N, K) log odds that each track is each name from its lips alone; 0 where nothing was seen.
    """

    names: tuple[str, ...]
    probabilities: Floats
    lips: Floats

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
        return Naming(tuple(names), np.column_stack([P, np.maximum(0, 1 - P.sum(1))]), self.lips[:, kept])

    def rows(self, tracks: Sequence[Track]) -> Iterator[dict[str, object]]:
        """Yield one row a track, ready for JSON: number, times, box, name, confidence, and runners-up."""
        for n, track in enumerate(tracks):
            row = track.to_dict()
            for much in ("boxes", "lip_motion", "descriptor"):
                row.pop(much, None)
            order = np.argsort(-self.probabilities[n], kind="stable")[:3]
            likely = {(*self.names, "nobody")[k]: round(float(self.probabilities[n, k]), 3) for k in order}
            spoke = bool(self.lips[n].size and self.lips[n].max() > 0.7)
            yield {
                "track": n,
                **row,
                "name": self.name(n),
                "confidence": round(self.confidence(n), 3),
                "names": likely,
                "seen_speaking": spoke,
            }


def name_actors(
    tracks: Sequence[Track],
    lines: Sequence[Spoken],
    *,
    names: Sequence[str] | None = None,
    described: Sequence[Said] = (),
    corrections: Mapping[int, str | None] | None = None,
    progress: Progress | None = None,
) -> Naming:
    """Name the face tracks of a film.

    Args:
        tracks: N tracks; lips and descriptors are used where they are there.
        lines: of the film, with speakers (``align_script(...).lines``).
        names: the people to tell apart; default those with three lines and more.
        described: people named in descriptions; see ``mentions``.
        corrections: track -> its right name, or None for nobody of the names. They are kept, and
            teach what the named look like.
        progress: what is told of each round.

    Raises:
        SaysoError: if there are no names, or a correction is of a track or name that is not there.
    """
    people = tuple(names if names is not None else cast_of(lines))
    if not people:
        raise SaysoError("no line has a speaker, so there are no names to give; check script and subtitles")
    fixed = _numbered(corrections or {}, people, len(tracks))
    said = said_lines(lines, people)
    lips = name_evidence(look_at_lips(tracks, said), said, len(tracks), len(people))
    prior = expected(tracks, said, len(people))
    logits = prior + np.column_stack([lips, np.zeros(len(tracks))])
    for n, name in fixed.items():
        logits[n] += SURE * (np.arange(len(people) + 1) == name)
    pairs = together(tracks)
    looks = _looks(tracks)
    if looks is None:
        return Naming(people, _kept(without_doubles(logits, pairs), fixed), lips)
    prior, logits = SHARED * prior, logits - (1 - SHARED) * prior
    seen = logits - prior
    Z = _cluster(looks, tracks, lips, said, described, fixed, len(people))
    for step in range(ROUNDS + 1):
        F = left_out(looks, Z)
        P = _kept(without_doubles(logits + _trust(F, prior, seen) * F, pairs), fixed)
        (progress or Silent()).update(step + 1, ROUNDS + 1, "names")
        Z = P
    return Naming(people, P, lips)


def speaking_faces(tracks: Sequence[Track], lines: Sequence[Spoken], names: Sequence[str]) -> Naming:
    """Return what the speaking-face rule alone says: tracks seen to speak get the speaker's name.

    All others are likeliest to be nobody.
    """
    said = said_lines(lines, names)
    lips = name_evidence(look_at_lips(tracks, said), said, len(tracks), len(names))
    return Naming(tuple(names), softmax(np.column_stack([lips, np.full(len(lips), 0.7)])), lips)


def left_out(X: Floats, Z: Floats, lam: float = LAM) -> Floats:
    """Return, for each row, what ridge regression with a free bias on all other rows answers, (N, K).

    Equal to N regressions to the order of 1/N (the other rows' mean is taken over all rows).

    Args:
        X: (N, D) centred.
        Z: (N, K) labels.
        lam: the ridge, per row.
    """
    N = len(X)
    inverse = np.linalg.inv(X.T @ X + N * lam * np.eye(X.shape[1]))
    leverage = np.minimum(np.einsum("nd,de,ne->n", X, inverse, X) + 1 / N, 1 - 1e-6)[:, None]
    F = X @ (inverse @ (X.T @ Z)) + Z.mean(0)
    return np.asarray((F - leverage * Z) / (1 - leverage))


def _looks(tracks: Sequence[Track]) -> Floats | None:
    """Return the descriptors, centred and of mean square 1, (N, D); None if there are none to compare."""
    sizes = {len(track.descriptor) for track in tracks}
    if len(tracks) < 2 or sizes == {0}:
        return None
    if len(sizes) > 1:
        raise SaysoError(f"descriptors have {sorted(sizes)} numbers; describe every track, with one model")
    X, _, _ = standardize([track.descriptor for track in tracks])
    return X if X.any() else None


def _cluster(
    looks: Floats,
    tracks: Sequence[Track],
    lips: Floats,
    said: Sequence[Said],
    described: Sequence[Said],
    fixed: Mapping[int, int],
    names: int,
) -> Floats:
    """Return the labels (N, K + 1) of discriminative clustering under all demands."""
    from sayso.solvers import Diffrac, LinearOracle, quasi_newton

    asked = demands(tracks, lips, said, described, fixed)
    oracle = LinearOracle(len(tracks), names + 1, asked)
    solution = quasi_newton(
        Diffrac(looks, LAM), [oracle], tol=1e-2, relative=True, max_iter=40, check_every=40
    )
    return np.asarray(solution.Z)


def _trust(F: Floats, prior: Floats, seen: Floats) -> float:
    """Return the beta under which looks and expectation best foretell what lips and corrections say.

    One track in fifty may be anybody, so that a few that look like somebody else do not decide.
    """
    seen, anybody = np.exp(seen), ODD / F.shape[1]
    heard = [
        float(np.log((((1 - ODD) * softmax(beta * F + prior) + anybody) * seen).sum(1)).sum())
        - 0.5 * (beta / USUAL - 1) ** 2
        for beta in TRUST
    ]
    return TRUST[int(np.argmax(heard))]


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

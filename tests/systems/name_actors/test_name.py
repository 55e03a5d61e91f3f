"""Naming on drawn films with known truth, and each part beside a plain computation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.alignment import SpokenLine
from sayso.core.errors import SaysoError
from sayso.core.types import Span
from sayso.metrics.naming import naming_scores, reliability
from sayso.people import Track
from sayso.systems.name_actors import (
    ActionBag,
    Description,
    cast_of,
    name_actions,
    name_actors,
    named_in,
    speaking_faces,
)
from sayso.systems.name_actors.constraints import canonical_name, label_constraints, named_lines
from sayso.systems.name_actors.context import (
    name_context,
    open_shares,
    speaker_prior,
)
from sayso.systems.name_actors.lips import (
    NamedSpan,
    lip_evidence,
    lip_likelihoods,
    name_evidence,
    speech_ratio,
)
from sayso.systems.name_actors.name import leave_one_out

PEOPLE = ("Ann", "Bob", "Cid", "Dot")


def line(start, end, speaker, confidence=0.95):
    return SpokenLine("words", Span(start, end), 0, speaker, confidence, 1.0, None)


def drawn_film(seed, scenes=30, noise=0.3, seen=0.7):
    """Scenes of two people, four shots each, of one or both; the speaker's lips move, where they are seen."""
    rng = np.random.default_rng(seed)
    looks = rng.standard_normal((len(PEOPLE), 8)) / np.sqrt(8)
    tracks, lines, truth = [], [], []
    for shot in range(scenes * 4):
        if shot % 4 == 0:
            here = rng.permutation(len(PEOPLE))[:2]
        speaker = rng.choice(here)
        start = 3.0 * shot
        if rng.random() < 0.8:
            lines.append(line(start + 0.2, start + 2.6, PEOPLE[speaker]))
        shown = here if rng.random() < 0.4 else [speaker if rng.random() < 0.75 else here[here != speaker][0]]
        for who in shown:
            talks = bool(lines) and lines[-1].span.start > start and who == speaker
            lips = rng.standard_normal(50) * (0.01 if talks else 0.002)
            lips = lips if rng.random() < seen else np.full(50, np.nan)
            descriptor = looks[who] + noise * rng.standard_normal(8) / np.sqrt(8)
            tracks.append(Track(Span(start, start + 2.9), None, lips, descriptor))
            truth.append(int(who))
    return tracks, lines, np.array(truth)


def without_looks(tracks):
    return [replace(track, descriptor=np.zeros(0)) for track in tracks]


@pytest.mark.parametrize("seed", range(2))
def test_looks_help_lips_which_help_more_than_the_speaking_face_alone(seed):
    tracks, lines, truth = drawn_film(seed)
    rule = naming_scores(speaking_faces(tracks, lines, PEOPLE).probabilities, truth)
    blind = naming_scores(name_actors(without_looks(tracks), lines, names=PEOPLE).probabilities, truth)
    named = name_actors(tracks, lines, names=PEOPLE)
    full = naming_scores(named.probabilities, truth)
    assert full["accuracy"] > 0.97 > blind["accuracy"] + 0.02
    assert blind["accuracy"] > rule["accuracy"] > 0.3 and blind["AP"] > rule["AP"]
    assert reliability(named.probabilities, truth)["error"] < 0.05


def test_confidence_is_calibrated_where_looks_are_poor():
    errors = []
    for seed in range(3):
        tracks, lines, truth = drawn_film(seed, noise=1.5)
        named = name_actors(tracks, lines, names=PEOPLE)
        errors.append(reliability(named.probabilities, truth)["error"])
    assert np.mean(errors) < 0.12


def test_corrections_are_kept_and_teach():
    tracks, lines, truth = drawn_film(1, noise=0.4, seen=0)
    known = [single for single in lines if single.speaker != "Dot"]  # nothing tells of Dot
    poor = name_actors(tracks, known, names=PEOPLE)
    dots = np.flatnonzero(truth == 3)
    fixed = {int(n): "dot" for n in dots[::8]} | {int(np.flatnonzero(truth == 0)[0]): None}
    better = name_actors(tracks, known, names=PEOPLE, corrections=fixed)
    for n, name in fixed.items():
        assert better.name(n) == (name and name.title()) and better.confidence(n) == 1
    rest = np.setdiff1d(dots, list(fixed))
    right = [np.mean([named.name(n) == "Dot" for n in rest]) for named in (poor, better)]
    assert right[1] >= max(0.9, right[0])


def test_rows_say_all_of_a_track():
    tracks, lines, _ = drawn_film(0, scenes=5)
    rows = list(name_actors(tracks, lines, names=PEOPLE).rows(tracks))
    assert [row["track"] for row in rows] == list(range(len(tracks)))
    assert all(
        sum(one["score"] for one in row["candidates"]) <= 1.01 and "descriptor" not in row for row in rows
    )
    assert {row["name"] for row in rows} <= {*PEOPLE, None}


def test_only_some_of_the_names():
    tracks, lines, _ = drawn_film(0, scenes=5)
    whole = name_actors(tracks, lines, names=PEOPLE)
    some = whole.only(["Cid", "Ann"])
    assert some.names == ("Cid", "Ann")
    np.testing.assert_array_equal(some.probabilities[:, :2], whole.probabilities[:, [2, 0]])
    np.testing.assert_allclose(some.probabilities.sum(1), 1)
    np.testing.assert_array_equal(some.lips, whole.lips[:, [2, 0]])


def test_one_track_no_tracks_and_no_names():
    lines = [line(0, 2, "Ann")] * 3
    assert name_actors([Track(Span(0, 1))], lines).name(0) == "Ann"
    assert name_actors([], lines).probabilities.shape == (0, 2)
    with pytest.raises(SaysoError, match="no line has a speaker"):
        name_actors([Track(Span(0, 1))], [line(0, 1, None)])
    with pytest.raises(SaysoError, match="correction of track 0 names 'Eve'"):
        name_actors([Track(Span(0, 1))], lines, corrections={0: "Eve"})
    with pytest.raises(SaysoError, match="tracks are 0 to 0"):
        name_actors([Track(Span(0, 1))], lines, corrections={7: "Ann"})
    with pytest.raises(SaysoError, match=r"\[0, 1\] numbers"):
        name_actors([Track(Span(0, 1)), Track(Span(0, 1), descriptor=np.ones(1))], lines)


def test_left_out_is_as_many_regressions_each_without_one_row():
    r = np.random.default_rng(0)
    X, Z, lam = r.standard_normal((60, 4)), r.random((60, 3)), 0.01
    X -= X.mean(0)
    fast = leave_one_out(X, Z, lam)
    full = np.column_stack([X, np.ones(60)])
    ridge = 60 * lam * np.diag([1, 1, 1, 1, 0])
    for n in range(60):
        others = np.delete(np.arange(60), n)
        w = np.linalg.solve(full[others].T @ full[others] + ridge, full[others].T @ Z[others])
        assert fast[n] == pytest.approx(full[n] @ w, abs=1e-9)


@pytest.mark.parametrize(("scales", "elsewhere"), [((4.0,), 0.2), ((2.0, 8.0, 32.0), 0.02)])
def test_the_prior_is_the_mean_of_plain_sums_over_lines_at_each_scale(scales, elsewhere):
    tracks, lines, _ = drawn_film(0, scenes=4)
    lines[3:9:2] = [replace(one, speaker="Waiter", confidence=0.5) for one in lines[3:9:2]]
    said = named_lines(lines, PEOPLE)
    found = np.exp(speaker_prior(tracks, said, 4, scales_s=scales, elsewhere=elsewhere))
    named = [one for one in said if one.name is not None]
    theirs = [one.confidence for one in said if one.name is None]
    assert len(theirs) == 3
    nobody = (sum(theirs) + 1) / (sum(one.confidence for one in said) + 20)
    counts = np.array([sum(one.name == k for one in named) + 1 for k in range(4)])
    overall = np.append((1 - nobody) * counts / counts.sum(), nobody)
    for track, row in zip(tracks, found, strict=True):
        shares = []
        for scale in scales:
            near = 0.001 * overall
            for one in said:
                away = max(0, track.span.start - one.span.end, one.span.start - track.span.end)
                near[4 if one.name is None else one.name] += one.confidence * np.exp(-away / scale)
            shares.append(near / near.sum())
        assert row == pytest.approx((1 - elsewhere) * np.mean(shares, axis=0) + elsewhere * overall)


def test_the_context_is_how_much_likelier_than_anywhere_and_nothing_of_who_is_never_heard():
    tracks, lines, _ = drawn_film(0, scenes=4)
    said = named_lines([*lines, line(30, 32, "Waiter")], [*PEOPLE, "Eve", "Fay"])
    context = name_context(tracks, said, [NamedSpan(Span(40, 41), 5, 0.8)], 6)
    shares = open_shares([*said, NamedSpan(Span(40, 41), 5, 0.4)], 6)
    assert shares.sum() == pytest.approx(1)
    assert not context[:, 4].any() and context[:, 5].any()
    expected = np.exp(context) * (shares + 0.02 * np.eye(7)[6])
    prior = np.exp(speaker_prior(tracks, [*said, NamedSpan(Span(40, 41), 5, 0.4)], 6))
    kept = [0, 1, 2, 3, 5]
    assert expected[:, kept] == pytest.approx(prior[:, kept])
    assert expected[:, 6] == pytest.approx(prior[:, 6] + 0.02)
    near = [n for n, track in enumerate(tracks) if track.span.overlap(Span(30, 32)) > 0]
    far = [n for n, track in enumerate(tracks) if track.span.start > 45 or track.span.end < 15]
    assert near and far and context[near, 6].min() > 0.5 > 0 > context[far, 6].max()


def test_nobody_of_the_names_speaks_lines_of_others_as_far_as_they_are_sure():
    tracks, lines, truth = drawn_film(3, seen=1.0)
    shares = []
    for confidence in (0.95, 0.0):
        said = [replace(o, speaker="Dot", confidence=confidence) if o.speaker == "Dot" else o for o in lines]
        named = name_actors(without_looks(tracks), said, names=PEOPLE[:3])
        nobody = named.probabilities[:, 3]
        shares.append((nobody.mean(), nobody[truth == 3].mean() - nobody[truth != 3].mean()))
        assert named.lips.shape == (len(tracks), 3)
    assert abs(shares[0][0] - np.mean(truth == 3)) < 0.05 and shares[0][1] > 0.3
    assert shares[1][0] < 0.1 and shares[1][1] < 0.1


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_speech_is_told_from_rest_whatever_the_scale(seed):
    r = np.random.default_rng(seed)
    scale = r.normal(0, 5)
    rest, talk, silent = (scale + r.normal(mean, 0.4, 60) for mean in (0, 2, 0))
    ratio = speech_ratio(np.concatenate([rest, talk]), silent)
    assert ((ratio > 0) == np.repeat([False, True], 60)).mean() > 0.9
    unknown = speech_ratio(np.concatenate([rest, talk]), np.zeros(0))
    assert ((unknown > 0) == np.repeat([False, True], 60)).mean() > 0.75
    assert np.all(np.diff(speech_ratio(np.sort(talk), silent)) >= -1e-9)


def test_lips_speak_for_the_speaker_and_rest_against():
    said = [NamedSpan(Span(0, 2), 0, 0.9), NamedSpan(Span(2, 4), 1, 0.9), NamedSpan(Span(4, 6), None, 0.5)]
    r = np.random.default_rng(0)
    lips = np.concatenate(
        [r.normal(0, 1, 50), r.normal(0, 0.05, 50), r.normal(0, 1, 50), r.normal(0, 0.05, 100)]
    )
    tracks = [
        Track(Span(0, 10), None, lips),
        Track(Span(0, 10), None, np.full(250, np.nan)),
        Track(Span(0, 10)),
    ]
    looks = lip_likelihoods(tracks, said)
    assert set(looks.track) == {0} and set(looks.line) == {0, 1, 2}
    evidence = name_evidence(looks, said, 3, 2)
    assert evidence[0, 0] > 0.5 and evidence[0, 1] < -0.5
    assert not evidence[1:].any()


def test_lips_in_a_strangers_line_speak_for_nobody_as_for_a_name_that_is_half_as_sure():
    r = np.random.default_rng(0)
    lips = np.concatenate([r.normal(0, 1, 50), r.normal(0, 0.05, 50), r.normal(0, 1, 50), np.zeros(50)])
    tracks = [Track(Span(0, 8), None, lips), Track(Span(0, 8))]
    theirs = [
        NamedSpan(Span(0, 2), None, 0.8),
        NamedSpan(Span(2, 4), 0, 0.9),
        NamedSpan(Span(4, 6), None, 0.6),
    ]
    found = lip_evidence(tracks, theirs, 1)
    looks = lip_likelihoods(tracks, theirs)
    plain = 0.0
    for line, ratio in zip(looks.line, np.exp(looks.speaking), strict=True):
        if line in (0, 2):
            p = 0.5 * theirs[line].confidence
            own, other = 1 + 0.9 * (ratio - 1), 1 + 0.08 * (ratio - 1)
            plain += np.log((p * own + (1 - p) * other) / other)
    assert found[0, 1] == pytest.approx(plain) and plain > 0.3 > found[0, 0]
    assert found.shape == (2, 2) and not found[1].any()


def test_speakers_in_one_spelling_and_crowds_are_no_person():
    assert [canonical_name(who) for who in ("ILSA  LUND", "Ilsa", "ALL", None, " ")] == [
        "Ilsa Lund",
        "Ilsa",
        *[None] * 3,
    ]
    lines = [
        line(k, k + 1, who) for k, who in enumerate(["ANN"] * 3 + ["Ann", "BOB", "BOB", "all", "all", "all"])
    ]
    assert cast_of(lines) == ["Ann"] and cast_of(lines, 2) == ["Ann", "Bob"]


def test_lines_of_others_keep_their_confidence_and_of_several_nothing_is_known():
    said = [line(k, k + 1, who, 0.9) for k, who in enumerate(("ANN", "Waiter", "UNKNOWN", "ALL", "Both"))]
    found = named_lines(said, ["Ann"])
    assert [one.name for one in found] == [0, None, None, None, None]
    assert [one.confidence for one in found] == [0.9, 0.9, 0.9, 0.02, 0.02]


def test_descriptions_name_people_by_whole_or_unshared_names():
    descriptions = [
        Description(Span(0, 9), "Ilsa sits down at the piano. Lund sings.", 0.9),
        Description(Span(9, 12), "Mr. Lund and Rick", 0.8),
    ]
    found = named_in(descriptions, ["Ilsa Lund", "Viktor Lund", "Rick"])
    assert [(one.span.start, one.name) for one in found] == [(0, 0), (9, 2)]


def test_demands_leave_out_crowds_resting_lips_and_unsure_lines():
    tracks = [Track(Span(0, 2)) for _ in range(3)] + [Track(Span(10, 12)) for _ in range(30)]
    lips = np.zeros((33, 2))
    lips[0, 0], lips[1, 1], lips[2, 0] = 3, -3, -3
    said = [
        NamedSpan(Span(0, 2), 0, 0.9),
        NamedSpan(Span(0.5, 2), 0, 0.9),
        NamedSpan(Span(0, 2), 1, 0.3),
        NamedSpan(Span(10, 12), 1, 0.9),
    ]
    asked = label_constraints(tracks, lips, said, [NamedSpan(Span(0, 2), 1, 0.9)], {2: 2})
    fixed, spoke, bag_of_0, bag_of_1 = asked
    assert (fixed.rows.tolist(), fixed.label, fixed.kappa) == ([2], 2, None)
    assert (spoke.rows.tolist(), spoke.label) == ([0], 0)
    assert (bag_of_0.rows.tolist(), bag_of_0.kappa) == ([0, 1], pytest.approx(1.8 / 33))
    assert (bag_of_1.rows.tolist(), bag_of_1.label) == ([0, 2], 1)


@pytest.mark.parametrize("seed", range(2))
def test_actions_are_found_better_with_the_names(seed):
    """Two people in each bag, one of whom does the action that the script tells of."""
    r = np.random.default_rng(seed)
    N, actions = 240, 3
    who = np.tile([0, 1], N // 2)
    does = np.full(N, actions)
    bags = []
    for first in range(0, 180, 2):
        action, actor = int(r.integers(actions)), int(r.integers(2))
        does[first + actor] = action
        bags.append(ActionBag(np.array([first, first + 1]), action, actor))
    centres = np.vstack([r.standard_normal((actions, 12)), np.zeros((1, 12))])
    X = centres[does] + 1.4 * r.standard_normal((N, 12))
    persons = np.eye(3)[who]
    found = [name_actions(X, bags, actions, *more) for more in ((), (persons,))]
    inside = slice(0, 180)
    alone, joint = (naming_scores(one[inside], does[inside], actions) for one in found)
    assert joint["mAP"] > alone["mAP"] > 0.85 and joint["mAP"] > 0.98
    assert joint["accuracy"] > alone["accuracy"] > 0.85 and joint["accuracy"] > 0.95
    np.testing.assert_allclose(found[1].sum(1), 1)


def test_a_description_of_somebody_who_is_not_on_screen_asks_nothing():
    """Of the one action there is one bag, whose only track is surely another's."""
    X = np.random.default_rng(0).standard_normal((8, 4))
    who = np.tile([0.01, 0.98, 0.01], (8, 1))
    assert name_actions(X, [ActionBag(np.array([2]), 0, 1)], 1, who)[2, 0] > 0.9
    for bags in ([ActionBag(np.array([2]), 0, 0)], [ActionBag(np.array([], int), 0)], []):
        assert name_actions(X, bags, 1, who).tolist() == [[0, 1]] * 8
    half = np.tile([0.25, 0.74, 0.01], (8, 1))
    found = name_actions(X, [ActionBag(np.array([2, 3]), 0, 0), ActionBag(np.array([5]), 1, 0)], 2, half)
    assert found[[2, 3], 0].max() > 0.5 > found[5, 1], "half a person on two tracks, a quarter on the other"


def test_wrong_bags_of_actions_are_said():
    X = np.random.default_rng(0).standard_normal((5, 2))
    with pytest.raises(SaysoError, match="outside 0 to 4"):
        name_actions(X, [ActionBag(np.array([9]), 0)], 1)
    with pytest.raises(SaysoError, match="not there"):
        name_actions(X, [ActionBag(np.array([0]), 3)], 1)
    with pytest.raises(SaysoError, match="expected features"):
        name_actions(X[0], [], 1)


def test_people_left_out_of_the_cast_are_told_from_it_oftener_than_by_clustering():
    right = []
    for seed in range(4):
        tracks, lines, truth = drawn_film(seed)
        known = [one for one in lines if one.speaker != "Dot"]
        named = name_actors(tracks, known, names=PEOPLE[:3])  # Dot's number is now nobody's
        closed = name_actors(tracks, known, names=PEOPLE[:3], open_set=False)
        right.append([np.mean(one.probabilities.argmax(1) == truth) for one in (named, closed)])
        assert right[-1][0] >= right[-1][1] and named.groups is not None
        assert not {*named.groups[truth == 3]} & {*named.groups[truth != 3]}
    assert np.mean([ours - theirs for ours, theirs in right]) > 0.1


def test_lines_of_people_left_out_of_the_cast_tell_of_them():
    for seed in range(4):
        tracks, lines, truth = drawn_film(seed)
        known = [replace(one, speaker="Waiter") if one.speaker == "Dot" else one for one in lines]
        named = name_actors(tracks, known, names=PEOPLE[:3])
        assert np.mean(named.probabilities.argmax(1) == truth) > 0.97

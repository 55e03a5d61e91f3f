"""Strangers keep apart and keep their numbers; names by hand win; who says nothing and is far is nobody."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from sayso.alignment import SpokenLine
from sayso.core.errors import MissingExtra, SaysoError
from sayso.core.types import Span
from sayso.people import Track
from sayso.systems.name_actors import name_actors
from sayso.systems.name_actors.by_hand import (
    named_tracks,
    new_people,
    parse_hand_names,
    read_hand_names,
)
from sayso.systems.name_actors.open_set import name_groups
from sayso.systems.name_actors.strangers import FAR, FAR_OF, number_strangers, unspoken_groups


def film(strangers=2, scenes=24, seed=0):
    """Return tracks, lines and who each track is: two who speak in turns, and strangers between them."""
    rng = np.random.default_rng(seed)
    looks = np.linalg.qr(rng.standard_normal((FAR_OF, 2 + strangers)))[0].T * 0.6
    tracks, lines, truth = [], [], []
    for k in range(scenes):
        who, at = k % 2, 6.0 * k
        lines.append(SpokenLine("words", Span(at + 0.2, at + 2.6), k, ("Ann", "Bob")[who], 0.95, 1.0, None))
        other = 2 + k // 2 % strangers
        for one, start, moving in ((who, at, 0.02), (other, at + 3, 0.001)):
            lips = rng.standard_normal(40) * moving
            x = looks[one] + 0.1 * rng.standard_normal(FAR_OF) / np.sqrt(FAR_OF)
            tracks.append(Track(Span(start, start + 2.8), None, lips, x))
            truth.append(one)
    return tracks, lines, np.array(truth)


@pytest.mark.parametrize("scenes", [24, 8])  # with a mixture, and with too few tracks for one
def test_each_stranger_has_a_number_and_a_name_by_hand_is_for_all_of_him(scenes):
    tracks, lines, truth = film(scenes=scenes)
    found = name_actors(tracks, lines, names=["Ann", "Bob"])
    numbers = found.strangers()
    assert [found.name(n) for n in np.flatnonzero(truth < 2)] == ["Ann", "Bob"] * (scenes // 2)
    groups = {who: set(numbers[truth == who].tolist()) for who in range(4)}
    assert groups[0] == groups[1] == {0} and sorted([*groups[2], *groups[3]]) == [1, 2]
    rows = list(found.rows(tracks))
    assert [row.get("stranger", 0) for row in rows] == numbers.tolist()
    (number,) = groups[3]
    fixed = named_tracks({f"stranger {number}": "Louis"}, numbers)
    again = name_actors(tracks, lines, names=["Ann", "Bob", "Louis"], corrections=fixed)
    assert {again.name(int(n)) for n in np.flatnonzero(truth == 3)} == {"Louis"}
    assert set(again.strangers(numbers)[truth == 2]) == groups[2]  # the other keeps his number


def test_one_face_by_hand_teaches_the_rest():
    tracks, lines, truth = film(scenes=40)
    first = int(np.flatnonzero(truth == 3)[0])
    found = name_actors(tracks, lines, names=["Ann", "Bob", "Louis"], corrections={first: "Louis"})
    named = [found.name(int(n)) for n in np.flatnonzero(truth == 3)]
    assert named.count("Louis") > 0.9 * len(named) and found.name(int(np.flatnonzero(truth == 2)[0])) is None


def test_numbers_are_by_tracks_and_kept():
    groups = np.array([0, 1, 1, 1, 2, 3, 3])
    alike = np.full((4, 4), -5.0)
    alike[0, 2] = alike[2, 0] = 3.0  # two groups of one person
    unnamed = np.array([True, True, True, False, True, True, True])
    assert number_strangers(unnamed, groups, alike).tolist() == [1, 2, 2, 0, 1, 3, 3]
    before = np.array([7, 0, 0, 0, 7, 1, 1])
    assert number_strangers(unnamed, groups, alike, before).tolist() == [7, 2, 2, 0, 7, 1, 1]
    assert not number_strangers(np.zeros(7, bool), groups, alike).any()


def test_a_silent_face_far_from_all_that_speak_is_nobody_until_a_hand_says_otherwise():
    tracks, lines, truth = film(strangers=1, scenes=8)
    speaking, each = np.flatnonzero(truth < 2).tolist(), np.eye(len(tracks))
    far = np.flatnonzero(truth == 2).tolist()
    assert list(unspoken_groups(tracks, each, speaking)) == far
    near = [replace(track, descriptor=0.5 * track.descriptor) for track in tracks]
    assert max(np.linalg.norm(near[n].descriptor - near[0].descriptor) for n in far) < FAR
    assert [*unspoken_groups(near, each, speaking)] == [*unspoken_groups(tracks, each, [])] == []
    unseen = [
        replace(track, lips=np.full(40, np.nan)) if n in far else track for n, track in enumerate(tracks)
    ]
    others = [replace(track, descriptor=9 * track.descriptor[:64]) for track in tracks]  # what is far there?
    assert [*unspoken_groups(unseen, each, speaking)] == [*unspoken_groups(others, each, speaking)] == []
    found = name_actors(tracks, lines, names=["Ann", "Bob"])
    assert {found.name(n) for n in far} == {None}
    fixed = {far[0]: "Ann"}
    assert name_actors(tracks, lines, names=["Ann", "Bob"], corrections=fixed).name(far[0]) == "Ann"


def test_where_nobody_is_seen_to_speak_a_hand_makes_no_strangers_of_the_others():
    tracks, lines, truth = film(strangers=1, scenes=8)
    still = [replace(track, lips=np.full(40, 0.001)) for track in tracks]
    asked = {"names": ["Ann", "Bob"]}
    before = [name_actors(still, lines, **asked).name(n) for n in np.flatnonzero(truth < 2)]
    assert set(before) == {"Ann", "Bob"}
    for fixed in ({0: "Ann"}, {int(np.flatnonzero(truth == 2)[0]): None}):
        found = name_actors(still, lines, **asked, corrections=fixed)
        assert [found.name(n) for n in np.flatnonzero(truth < 2)] == before


def test_names_by_hand_are_read_from_json_and_csv_and_checked():
    wanted = {12: "Ilsa", 40: None, "stranger 1": "Louis"}
    assert parse_hand_names('{"12": "Ilsa", "40": null, "Stranger #1": "Louis"}') == wanted
    assert parse_hand_names("who,name\n12,Ilsa\n40,\nstranger 1, Louis\n") == wanted
    assert parse_hand_names('{"1": "", "2": " Ann "}') == {1: None, 2: "Ann"}  # nobody is named ""
    for text in ("[1]", '{"1": 2}', '{"a": "Ann"}', "no names", "track,name\n1,Ann\n", "who,name\nx,Ann\n"):
        with pytest.raises(ValueError, match=r"."):
            parse_hand_names(text)
    assert named_tracks({"stranger 1": "Louis", 2: None}, np.array([1, 0, 1, 2])) == {0: "Louis", 2: None}
    with pytest.raises(SaysoError, match="strangers are 1 to 2"):
        named_tracks({"stranger 3": "Louis"}, np.array([1, 2]))
    with pytest.raises(SaysoError, match="no face is a stranger's"):
        named_tracks({"stranger 1": "Louis"}, np.array([0, 0]))
    made = np.array([True, False])
    assert named_tracks({"stranger 1": "Louis", 0: None, 1: None}, np.array([1, 1]), made) == {
        0: "Louis",
        1: None,
    }
    assert new_people(wanted, ["Ilsa", "Rick"]) == ["Louis"] and not new_people({1: "rick"}, ["Rick"])
    with pytest.raises(SaysoError, match=r"'Illsa'; is it 'Ilsa'\?"):
        new_people({1: "Illsa"}, ["Ilsa", "Rick"])


def test_a_file_that_holds_no_names_is_one_sentence(tmp_path):
    file = tmp_path / "names.csv"
    file.write_text("who,name\n1," + "x" * 200_000)  # longer than Python's csv takes a field to be
    with pytest.raises(SaysoError, match="holds no corrections like"):
        read_hand_names(file)


@pytest.mark.parametrize("scenes", [24, 8])
def test_a_package_that_is_missing_is_told_of(scenes, monkeypatch):
    tracks, lines, _ = film(scenes=scenes)
    monkeypatch.setitem(sys.modules, "scipy.cluster.hierarchy", None)
    with pytest.raises(MissingExtra, match="solvers"):
        name_actors(tracks, lines, names=["Ann", "Bob"])


@pytest.mark.parametrize("by", ["lips", "context"])
def test_a_group_is_a_strangers_where_more_says_nobody_than_a_name(by):
    r = np.random.default_rng(0)
    X = np.repeat([[1.0, 0.0], [0.0, 1.0]], 30, axis=0) @ r.standard_normal((2, 8))
    X += 0.3 * r.standard_normal(X.shape)
    X = (X - X.mean(0)) / (X - X.mean(0)).std()
    tracks = [Track(Span(100 * n, 100 * n + 2), descriptor=x) for n, x in enumerate(X)]
    lips = np.repeat([[2.0, 0.0, 0.0], [0.0, 0.5, 0.0]], 30, axis=0)
    said = np.repeat([[0.0, 0.0, 0.0], [0.0, 0.0, 3.0]], 30, axis=0)
    nothing, even = np.zeros_like(lips), np.array([0.5, 0.5])
    named = name_groups(tracks, X, lips, nothing, even, {}).logits.argmax(1)
    told = name_groups(tracks, X, lips + said * (by == "lips"), said * (by == "context"), even, {})
    assert named.tolist() == [0] * 30 + [1] * 30
    assert told.logits.argmax(1).tolist() == [0] * 30 + [2] * 30

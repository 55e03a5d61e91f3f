"""Merging neighbours into moments, and folding copies, each next to a plain computation."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toy
from sayso import Index
from sayso.index import moments as moments_module
from sayso.index.moments import Likeness, fold_copies, merge_neighbours
from sayso.index.search import Candidate, Member

ALIKE = Likeness(shot=0.9, content=0.98)


def clip(k: int, score: float, media: str = "m", *, angle: float = 0.0) -> Candidate:
    times = {"start_s": 4.0 * k, "end_s": 4.0 * k + 4, "best_s": 4.0 * k + 2}
    id_ = f"{media}-{k}"
    vector = np.float32([np.cos(angle), np.sin(angle)])
    found = Candidate(id=id_, media_id=media, **times, score=score, members=(Member(id_, k),), vector=vector)
    return replace(found, visual=score, similarity=score)


def ranked(hits):
    return sorted(hits, key=lambda hit: -hit.score)


def test_neighbours_that_match_are_one_moment_and_the_rest_of_the_video_is_not():
    scores = [0.1, 0.1, 0.8, 0.9, 0.1, 0.1, 0.7, 0.1]
    moments = merge_neighbours(ranked([clip(k, score) for k, score in enumerate(scores)]))
    assert [(hit.start_s, hit.end_s, hit.best_s) for hit in moments[:2]] == [(8, 16, 14), (24, 28, 26)]
    assert moments[0].id == "m-3"


def test_other_videos_are_never_merged():
    hits = [clip(0, 0.9, "a"), clip(1, 0.9, "b"), clip(2, 0.9, "c"), clip(1, 0.1, "z")]
    assert len(merge_neighbours(ranked(hits))) == 4


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 25), st.floats(-1, 1, width=32)), max_size=60))
def test_moments_hold_every_clip_once_and_keep_the_best_first(drawn):
    hits = ranked({(m, k): clip(k, score, str(m)) for m, k, score in drawn}.values())
    moments = merge_neighbours(hits)
    assert [hit.score for hit in moments] == sorted((hit.score for hit in moments), reverse=True)
    spans = sorted((m.media_id, m.start_s, m.end_s) for m in moments)
    for (media, _, end), (other, start, _) in pairwise(spans):
        assert media != other or end <= start, "moments of one video overlap"
    members = [member.id for moment in moments for member in moment.members]
    assert sorted(members) == sorted(hit.id for hit in hits)
    for moment in moments:
        assert moment.end_s - moment.start_s == 4 * len(moment.members)
    if hits:
        assert moments[0].id == hits[0].id


def test_windows_of_one_shot_are_one_moment_however_their_scores_jitter():
    shot = [clip(k, score) for k, score in enumerate([0.31, 0.9, 0.32, 0.6])]
    cut = [clip(4 + k, score, angle=1.0) for k, score in enumerate([0.3, 0.2])]
    moments = merge_neighbours(ranked([*shot, *cut]), ALIKE)
    assert [(one.start_s, one.end_s) for one in moments] == [(0, 16), (16, 24)]
    assert len(merge_neighbours(ranked([*shot, *cut]))) > 2, "without looks the scores decide"


def test_a_shot_is_cut_where_it_is_said():
    said = replace(clip(1, 0.9), spoken=0.9)
    moments = merge_neighbours([said, clip(0, 0.1), clip(2, 0.1), clip(3, 0.1)], ALIKE)
    assert [(one.start_s, one.end_s) for one in moments] == [(4, 8), (0, 4), (8, 16)]


def test_copies_of_other_files_are_folded_into_the_best():
    copies = [clip(0, 0.8, "a"), clip(0, 0.79, "b", angle=0.05), clip(3, 0.7, "c", angle=0.1)]
    other, same_file = clip(0, 0.75, "d", angle=1.5), clip(9, 0.6, "a")
    said = replace(clip(0, 0.95, "e"), spoken=0.95)
    found = fold_copies(ranked([*copies, other, same_file, said]), ALIKE)
    assert [(one.id, [copy.id for copy in one.folded]) for one in found] == [
        ("e-0", []),
        ("a-0", ["b-0", "c-3"]),
        ("d-0", []),
        ("a-9", []),
    ]


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1), st.floats(0, 3)), max_size=40))
def test_folding_loses_nothing(drawn):
    clips = [clip(k, score, str(media), angle=a) for k, (media, score, a) in enumerate(drawn)]
    moments = ranked(clips)
    found = fold_copies(moments, ALIKE)
    held = [one.id for hit in found for one in (hit, *hit.folded)]
    assert sorted(held) == sorted(one.id for one in moments)
    for hit in found:
        for copy in hit.folded:
            assert (copy.end_s > 0) == (hit.end_s > 0), "a picture is no copy of a video"
            assert copy.media_id != hit.media_id
            assert copy.score <= hit.score
            assert float(copy.vector @ hit.vector) >= ALIKE.content


@pytest.mark.parametrize("compared", [3, 500])
def test_each_is_folded_into_the_first_of_the_last_few_that_it_copies(monkeypatch, compared):
    """Pair by pair, in parts of three as in one."""
    monkeypatch.setattr(moments_module, "COMPARED", compared)
    draw = np.random.default_rng(5)
    clips = ranked([clip(k, draw.random(), str(k % 7), angle=draw.integers(0, 40) / 7) for k in range(60)])
    kept, folded = [], []
    for one in clips:
        of = [
            k
            for k, other in list(enumerate(kept))[-compared:]
            if float(one.vector @ other.vector) >= ALIKE.content and one.media_id != other.media_id
        ]
        folded[of[0]].append(one.id) if of else (kept.append(one), folded.append([]))
    found = fold_copies(clips, ALIKE)
    assert [one.id for one in found] == [one.id for one in kept]
    assert [[copy.id for copy in one.folded] for one in found] == folded
    assert sum(map(len, folded)) > 5


def test_a_video_that_is_one_still_is_one_moment(index, media):
    toy.make_video(media / "still.mp4", ["cyan"], seconds_each=20)
    index.add(media)
    for query in ("cyan", "red", "black + white"):
        hits = [hit for hit in index.search(query, limit=50) if hit.title == "still"]
        assert [(hit.start_s, hit.end_s) for hit in hits] == [(0, 20)], query


def test_copies_are_told_with_where_they_are(tmp_path, media):
    for name in ("copy one.png", "copy two.png"):
        shutil.copy(media / "white.png", media / name)
    index = Index.open(tmp_path / "copies.index", toy.ColourEncoder())
    index.add(media)
    hit = index.search("white")[0]
    names = sorted(copy.path.rpartition("/")[2] for copy in hit.copies)
    assert sorted([*names, hit.path.rpartition("/")[2]]) == ["copy one.png", "copy two.png", "white.png"]
    assert sum(one.title in ("white", "copy one", "copy two") for one in index.search("white", limit=50)) == 1
    assert len([one for one in index.search("white", merge=False, limit=50) if one.kind == "picture"]) == 4
    assert hit.to_dict()["copies"][0].keys() == {"id", "media_id", "path", "start_s", "end_s"}

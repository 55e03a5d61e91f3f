"""What is named to be cut: printed hits need no index."""

from __future__ import annotations

import json

import pytest

from sayso.core.errors import QueryError, UsageError
from sayso.index.picks import Pick
from sayso.index.stretches import Stretch, find_stretches, leave_out

HIT = {"path": "/a b.mp4", "kind": "video", "start_s": 1.5, "end_s": 4, "score": 0.5}


def test_printed_hits_alone_say_where_they_are():
    lines = [json.dumps(HIT) + "\n", "\n", json.dumps(HIT | {"start_s": 0}) + "\n"]
    assert find_stretches(["-"], lines) == [
        Stretch("/a b.mp4", "video", 1.5, 4.0, named=False),
        Stretch("/a b.mp4", "video", 0.0, 4.0, named=False),
    ]
    assert find_stretches(["-"], []) == []


@pytest.mark.parametrize(
    "line",
    ["no json", "[1]", '{"path": "a"}', "3", *(json.dumps(HIT | {"end_s": end}) for end in ("x", 10**400))],
)
def test_other_lines_are_told_with_their_number(line):
    with pytest.raises(UsageError, match=r"^line 2 of stdin is no"):
        find_stretches(["-"], [json.dumps(HIT) + "\n", line])


def test_a_hit_whose_seconds_are_no_number_is_none():
    for end in ("x", 10**400):
        with pytest.raises(QueryError, match="a hit has id"):
            Pick.of(HIT | {"id": "a-0", "end_s": end})


def test_a_line_ends_where_json_lines_do():
    said = json.dumps(HIT | {"text": "one\u2028two\x85three"}, ensure_ascii=False)
    assert (
        find_stretches(["-"], [said + "\n", said])
        == [Stretch("/a b.mp4", "video", 1.5, 4.0, named=False)] * 2
    )


def test_what_a_search_found_is_left_out_where_it_is_no_match_or_cannot_be_cut():
    hits = [HIT, HIT | {"likely": False}, HIT | {"kind": "picture"}, HIT | {"kind": "sound", "likely": True}]
    found = find_stretches(["-"], [json.dumps(hit) + "\n" for hit in hits])
    kept, told = leave_out(found, guesses=False)
    assert kept == found[:1]
    assert told == [
        "left out 1 guess: --guesses cuts them too",
        "left out 1 picture: there is nothing to cut out of one",
        "left out 1 file of sound: a cut needs pictures",
    ]
    assert leave_out(found, guesses=True) == (found[:2], told[1:])
    named = [Stretch("/a.png", "picture", 0, 0)]
    assert leave_out(named, guesses=False) == (named, [])

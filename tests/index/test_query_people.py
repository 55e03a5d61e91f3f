"""``who:ilsa playing piano``: people are split off the query and found among those on screen."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toy
from sayso.core.errors import QueryError
from sayso.index import Index
from sayso.index.query import Person, people_filter, split_people


@pytest.mark.parametrize(
    ("query", "people", "rest"),
    [
        ("a dog on a beach", [], "a dog on a beach"),
        ("who:ilsa playing piano", [Person("ilsa")], "playing piano"),
        ("Who:ilsa", [Person("ilsa")], ""),
        ('who:"Ilsa  Lund" who:rick in a bar', [Person("Ilsa Lund"), Person("rick")], "in a bar"),
        ("a bar - who:sam", [Person("sam", present=False)], "a bar"),
        ("who:sam + 2:dog - night", [Person("sam")], "2:dog - night"),
        ("2:dog + who:sam + beach", [Person("sam")], "2:dog   + beach"),
        ('"who:sam" on a wall', [], '"who:sam" on a wall'),
        ("guess-who:x", [], "guess-who:x"),
    ],
)
def test_people_are_split_off(query, people, rest):
    assert split_people(query) == (people, rest)


@pytest.mark.parametrize("query", ["who: ilsa", "who:", 'who:" " x'])
def test_who_without_a_name_is_an_error_that_shows_how(query):
    with pytest.raises(QueryError, match="who:ilsa playing piano"):
        split_people(query)


@given(st.text(max_size=40))
def test_a_query_without_who_stays_as_it_is(query):
    if "who:" not in query.casefold():
        assert split_people(query) == ([], query)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """A film in four colours, and who is on screen in each of its four stretches."""
    folder = tmp_path_factory.mktemp("film")
    toy.make_video(folder / "film.mp4", ["red", "blue", "green", "red"])
    who = ["Ilsa Lund, Rick", "Rick", "Zoë O'Hara, Sam", None]
    said = ["", 'he says "who": "Sam"', "", "Ilsa is away"]
    rows = [
        {"path": "film.mp4", "start_s": 4.0 * n, "end_s": 4.0 * n + 4, "text": text}
        | ({"who": name} if name else {})
        for n, (name, text) in enumerate(zip(who, said, strict=True))
    ]
    (folder / "m.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    toy.make_video(folder / "other.mp4", ["red", "blue"])
    made = Index.open(folder / "x.index", encoder=toy.ColourEncoder())
    made.add(folder / "m.jsonl", folder / "other.mp4")
    return made


def starts(hits):
    return [hit.start_s for hit in hits if hit.path.endswith("film.mp4")]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("who:rick", [0, 4]),
        ("who:RICK", [0, 4]),
        ("who:ilsa", [0]),
        ('who:"ilsa lund"', [0]),
        ("who:lund who:rick", [0]),
        ("who:rick - who:ilsa", [4]),
        ("who:ZOË", [8]),
        ('who:"o\'hara"', [8]),
        ("who:sam", [8]),
        ("who:il", []),
        ("who:nobody", []),
        ("who:.*", []),
    ],
)
def test_who_is_on_screen(index, query, found):
    hits = index.search(query, merge=False)
    assert starts(hits) == found and len(hits) == len(found)


def test_what_fits_best_comes_first_among_the_moments_of_a_person(index):
    for colour, first in (("red", 0.0), ("blue", 4.0)):
        hits = index.search(f"who:rick {colour}", text_weight=0, merge=False)
        assert hits[0].start_s == first and sorted(starts(hits)) == [0, 4]
    assert starts(index.search("who:rick")) == [0] and index.search("who:rick")[0].end_s == 8
    assert len(index.search("red", text_weight=0, merge=False)) == 6


def test_the_filter_goes_with_another_one(index):
    assert starts(index.search("who:rick", filter="start_s > 2", merge=False)) == [4]
    assert people_filter("start_s > 2", []) == "(start_s > 2)" and people_filter(None, []) is None
    with pytest.raises(QueryError, match="cannot be used"):
        index.search("who:rick", filter="nonsense = 1")
    assert len(index.search("who:rick", limit=1, merge=False)) == 1
    with pytest.raises(QueryError, match="query is empty"):
        index.search("  ")


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12))
def test_any_name_is_a_filter_that_can_be_asked(index, name):
    if '"' not in name and name.strip():
        assert isinstance(index.search(f'who:"{name}"', limit=1), list)


def test_who_in_an_index_without_names_and_a_name_it_lacks_are_told_once(index, tmp_path, caplog):
    toy.make_video(tmp_path / "a.mp4", ["red", "blue"])
    bare = Index.open(tmp_path / "bare", toy.ColourEncoder())
    bare.add(tmp_path / "a.mp4")
    for _ in range(2):
        assert bare.search("who:ilsa") == []
    assert [record.message for record in caplog.records if "who:" in record.message] == [
        f"{tmp_path / 'bare'} names nobody, so who: finds nobody; 'sayso name' says who is on screen, and "
        "'sayso index' takes the manifest that it writes"
    ]
    caplog.clear()
    index.search("who:rick")
    assert not caplog.records
    index.search("who:victor")
    assert [record.message.endswith("names nobody 'victor'") for record in caplog.records] == [True]


def test_near_in_an_index_without_places_is_told_once(index, caplog):
    for query in ("near:48.8577,2.295,5km", "red near:48.8577,2.295", "red"):
        assert bool(index.search(query)) == (query == "red")
    said = [record.message for record in caplog.records if "near:" in record.message]
    assert [message.split(",")[0] for message in said] == [
        f"no file of {index.store.address} says where it was taken"
    ]
    assert index.hints("red near:48.8577,2.295") == said

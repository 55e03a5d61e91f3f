"""What lists say of a file: all of it counts together, whichever of them is named now, and in any order."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toy
from sayso import Index
from sayso.core.types import Caption, Span
from sayso.data.manifest import ListedFile, Row
from sayso.index.inventory import remove_paths
from sayso.index.roots import Cut, Roots
from sayso.index.wanted import list_wanted

SAID = {
    "a": [(0, 2, "alpha"), (2, 4, "both")],
    "b": [(1, 3, "beta"), (2, 4, "both"), (0, 2, "other")],
}
TOGETHER = {(0, 2): "alpha other", (2, 4): "both", (1, 3): "beta"}
ALONE = {(1, 3): "beta", (2, 4): "both", (0, 2): "other"}


@pytest.fixture
def lists(tmp_path):
    """Two lists of one film, and the folder that holds them."""
    (tmp_path / "media").mkdir()
    toy.make_video(tmp_path / "media" / "film.mp4", ["red", "blue"])
    for name, rows in SAID.items():
        lines = [
            {"path": "film.mp4", "start_s": start, "end_s": end, "text": text} for start, end, text in rows
        ]
        (tmp_path / "media" / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return tmp_path / "media" / "a.jsonl", tmp_path / "media" / "b.jsonl"


def opened(lists) -> Index:
    return Index.open(lists[0].parent.parent / "x.index", toy.ColourEncoder())


def said(index: Index) -> dict[tuple[float, float], str]:
    rows = index.store.clips.to_arrow().select(["start_s", "end_s", "text"]).to_pylist()
    assert len(rows) == len({(row["start_s"], row["end_s"]) for row in rows})
    return {(row["start_s"], row["end_s"]): row["text"] for row in rows}


def test_what_two_lists_say_of_a_file_counts_together(lists):
    index, (first, second) = opened(lists), lists
    assert index.add(first, second).clips == 3
    assert said(index) == TOGETHER
    for named in ([second], [first], [second, first], [], [first.parent]):
        assert (index.add(*named).unchanged, index.store.media.count_rows()) == (1, 1)
    assert said(index) == TOGETHER


def test_a_list_that_is_named_later_adds_to_the_first_and_that_is_said(lists, caplog):
    caplog.set_level(logging.INFO, "sayso")
    index, (first, second) = opened(lists), lists
    assert index.add(first).clips == 2
    assert not caplog.text
    assert index.add(second).replaced == 1
    assert f"what {first} says of" in caplog.text and "sayso remove" in caplog.text
    assert said(index) == TOGETHER


def test_a_list_that_is_gone_counts_no_more(lists):
    index, (first, second) = opened(lists), lists
    index.add(first, second)
    first.unlink()
    assert index.add().replaced == 1
    assert said(index) == ALONE


def test_a_list_that_is_removed_takes_along_what_only_it_says(lists, caplog):
    caplog.set_level(logging.INFO, "sayso")
    index, (first, second) = opened(lists), lists
    index.add(first, second)
    assert remove_paths(index.store, [str(first)], lambda: index.encoder) == {str(first): 0}
    assert "counts until the next sayso index" in caplog.text
    assert index.add().replaced == 1
    assert said(index) == ALONE
    assert remove_paths(index.store, [str(second)], lambda: index.encoder) == {str(second): 1}


def test_what_a_list_says_of_a_file_counts_where_its_folder_is_named(lists):
    index, (first, second) = opened(lists), lists
    second.unlink()
    index.add(first.parent)
    assert said(index) == {(0, 4): "", (4, 8): ""}
    assert index.add(first).replaced == 1
    assert index.add(first.parent).unchanged == index.add().unchanged == 1
    assert said(index) == {(0, 2): "alpha", (2, 4): "both"}


def test_one_list_keeps_two_rows_of_the_same_span_apart():
    rows = (Row(Span(0, 1), "one"), Row(Span(0, 1), "two"))
    assert ListedFile("f", rows).joined(ListedFile("f", seen=(Caption(Span(0, 1), "x"),))).rows == rows


SPANS = st.sampled_from([None, Span(0, 1), Span(1, 2)])
FILES = st.builds(
    ListedFile,
    st.just("f"),
    st.lists(st.builds(Row, SPANS, st.sampled_from(["", "x", "y"])), max_size=3, unique_by=str).map(tuple),
    st.sampled_from([None, "f.srt"]),
)


@given(FILES, FILES)
def test_all_that_is_said_is_kept_and_once(one, other):
    both = one.joined(other)
    assert {(row.span, word) for row in both.rows for word in row.text.split()} == {
        (row.span, row.text) for file in (one, other) for row in file.rows if row.text
    }
    assert both.captions == (one.captions or other.captions)
    if one.rows and other.rows:
        assert len({row.span for row in both.rows}) == len(both.rows)


def test_the_order_in_which_lists_are_named_now_changes_nothing(lists):
    roots = Roots().named(map(str, lists), Cut())
    ways = [lists, lists[::-1], lists[1:]]
    ways = [list_wanted(roots, [str(path) for path in way], "").files for way in ways]
    assert ways[0] == ways[1] == ways[2]

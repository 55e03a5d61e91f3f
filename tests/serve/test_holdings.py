"""The index as the server shares it among its threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toy
from sayso import Index
from sayso.core.errors import Unavailable
from sayso.serve.holdings import SAMPLED_FILES, Holdings, choose_both, spread


class OneAtATime(toy.ColourEncoder):
    """Fails where two threads use it at once, as some tokenizers do."""

    def __init__(self) -> None:
        self.busy = threading.Lock()

    def encode_text(self, texts):
        assert self.busy.acquire(blocking=False), "Already borrowed"
        try:
            threading.Event().wait(0.01)
            return super().encode_text(texts)
        finally:
            self.busy.release()


def test_many_threads_search_at_once(library):
    holdings = Holdings(Index.open(library[0].store.address, OneAtATime()))
    expected = [hit.id for hit in library[0].search("red", text_weight=0)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: [hit.id for hit in holdings.search("red", text_weight=0)], range(16)))
    assert found == [expected] * 16


def test_a_model_that_cannot_be_loaded_is_told_with_the_first_query_only(library):
    class Missing(Index):
        @property
        def encoder(self):
            raise Unavailable("not here")

    holdings = Holdings(Missing(library[0].store))
    holdings.warm_up()
    with pytest.raises(Unavailable, match="not here"):
        holdings.search("red")


def test_the_summary_is_made_anew_when_the_index_has_changed(tmp_path):
    toy.make_picture(tmp_path / "a.png", "red")
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(tmp_path / "a.png")
    holdings = Holdings(index)
    first = holdings.summary()
    assert holdings.summary() is first
    assert (first[1].pictures, first[1].videos, [hit.title for hit in first[1].sample]) == (1, 0, ["a"])
    toy.make_video(tmp_path / "b.mp4", ["red", "green", "blue"])
    index.add(tmp_path / "b.mp4")
    second = holdings.summary()[1]
    assert (second.pictures, second.videos, second.duration_s) == (1, 1, pytest.approx(12, abs=0.3))
    assert [(hit.title, hit.start_s) for hit in second.sample] == [("b", 4), ("a", 0)]


def test_an_empty_index_has_an_empty_sample(tmp_path):
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    (tmp_path / "nothing").mkdir()
    index.add(tmp_path / "nothing")
    info, summary = Holdings(index).summary()
    assert (info["media"], summary.videos, summary.duration_s, summary.sample) == (0, 0, 0, ())


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_sample_is_as_mixed_as_can_be(videos, pictures):
    one, other = [f"v{k}" for k in range(videos)], [f"p{k}" for k in range(pictures)]
    picked = choose_both(one, other, SAMPLED_FILES)
    assert len(picked) == len(set(picked)) == min(SAMPLED_FILES, videos + pictures)
    if min(videos, pictures) >= SAMPLED_FILES // 2:
        assert sum(name[0] == "v" for name in picked) == SAMPLED_FILES // 2


@given(st.integers(0, 50), st.integers(0, 20))
def test_a_spread_is_even_and_in_order(size, count):
    picked = spread([str(k) for k in range(size)], count)
    assert len(picked) == min(size, count)
    numbers = [int(item) for item in picked]
    assert numbers == sorted(set(numbers))
    if len(numbers) > 1:
        gaps = [right - left for left, right in pairwise(numbers)]
        assert max(gaps) - min(gaps) <= 1

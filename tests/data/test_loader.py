"""The stream of batches: the same however it is made, resumable, never stopped by a bad file."""

from __future__ import annotations

import json
import threading
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.core.errors import MediaError, SaysoError
from sayso.data import Clips, Loader, ragged, stack
from sayso.data.batch import rows, take
from sayso.data.sampler import Sampler
from waiting import WAIT_S


class Numbers:
    """Items that are numbers; those in ``bad`` cannot be read, and odd ones take longer."""

    def __init__(self, items, group=1, bad=(), slow_s=0.0):
        self.items, self.group, self.bad, self.slow_s = items, group, frozenset(bad), slow_s
        self.making = self.most = 0
        self.turn = threading.Lock()

    def __len__(self):
        return self.items

    def name(self, item):
        return f"item {item}"

    def sample(self, item, rng):
        with self.turn:
            self.making += 1
            self.most = max(self.most, self.making)
        time.sleep(self.slow_s * (item % 2))
        with self.turn:
            self.making -= 1
        if item in self.bad:
            raise MediaError(f"item {item} is bad")
        return [self.example(item, rng) for _ in range(self.group)]

    def example(self, item, rng):
        texts = (str(item), "x")
        return {"visual": np.array([item, rng.random()]), "texts": texts, "video": item, "caption": 10 * item}


def plain(batch):
    """Return everything a batch holds, ready to compare."""
    return {key: (value.dtype, value.shape, value.tobytes()) for key, value in batch.items()}


def stream(dataset, batches, size=4, **options):
    """Return that many batches and the state after each."""
    loader = Loader(dataset, size, **options)
    found = []
    for batch, _ in zip(loader, range(batches), strict=False):
        found.append((plain(batch), loader.state()))
    return found


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_stream_does_not_depend_on_the_number_of_workers(workers):
    expected = stream(Numbers(23, bad={3, 7}), 14, workers=0)
    assert stream(Numbers(23, bad={3, 7}, slow_s=0.002), 14, workers=workers) == expected


@pytest.mark.parametrize("workers", [0, 3])
def test_a_loader_continues_at_exactly_the_next_batch_from_every_state(workers):
    whole = stream(Numbers(23, bad={3}), 12, workers=0)
    for done, (_, state) in enumerate(whole[:-1], 1):
        saved = json.loads(json.dumps(state))
        rest = stream(Numbers(23, bad={3}), len(whole) - done, workers=workers, state=saved)
        assert rest == whole[done:]


def test_iterating_again_goes_on_where_it_stopped():
    loader = Loader(Numbers(20), 4, workers=2)
    parts = []
    for _ in range(3):
        for batch in loader:
            parts.append(plain(batch))
            if len(parts) % 3 == 0:
                break
    assert parts == [batch for batch, _ in stream(Numbers(20), 9, workers=0)]


@settings(deadline=None, max_examples=40)
@given(
    world=st.integers(1, 4),
    each=st.integers(1, 3),
    group=st.integers(1, 3),
    items=st.integers(12, 40),
    bad=st.sets(st.integers(0, 39), max_size=3),
)
def test_processes_share_the_batches_of_one(world, each, group, items, bad):
    def run(size, **options):
        return Loader(Numbers(items, group, bad), size * group, workers=0, epochs=2, **options)

    alone = list(run(each * world))
    shared = list(zip(*(run(each, rank=rank, world_size=world) for rank in range(world)), strict=True))
    assert len(alone) == len(shared)
    for one, parts in zip(alone, shared, strict=True):
        for key in ("visual", "texts"):
            assert np.array_equal(one[key], np.concatenate([part[key] for part in parts]))


def test_an_epoch_holds_every_item_at_most_once_and_the_next_another_order():
    batches = list(Loader(Numbers(22), 4, workers=0, epochs=2))
    epochs = [[int(v) for batch in batches if batch["epoch"] == e for v in batch["video"]] for e in (0, 1)]
    assert [len(epoch) for epoch in epochs] == [20, 20]
    assert all(len(set(epoch)) == 20 for epoch in epochs)
    assert epochs[0] != epochs[1]
    draws = {int(v): b["visual"][i, 1] for b in batches[:5] for i, v in enumerate(b["video"])}
    again = {int(v): b["visual"][i, 1] for b in batches[5:] for i, v in enumerate(b["video"])}
    assert all(draws[item] != again[item] for item in draws.keys() & again.keys())


def test_seeds_differ():
    first = stream(Numbers(20), 3, workers=0, seed=1)
    assert first != stream(Numbers(20), 3, workers=0, seed=2)
    assert first == stream(Numbers(20), 3, workers=0, seed=1)


def test_what_cannot_be_read_is_noted_once_and_replaced_from_outside_the_batch():
    loader = Loader(Numbers(40, bad={5, 6}), 4, workers=2, epochs=5)
    for batch in loader:
        assert not {5, 6} & set(batch["video"].tolist())
        assert len(set(batch["video"].tolist())) == 4
    assert sorted((f.path, f.stage, f.error) for f in loader.failures) == [
        ("item 5", "decode", "item 5 is bad"),
        ("item 6", "decode", "item 6 is bad"),
    ]
    assert 5 <= loader.replaced <= 10


def test_where_nothing_can_be_read_the_last_reason_is_told():
    with pytest.raises(SaysoError, match=r"20 items sampled .* item \d is bad"):
        next(iter(Loader(Numbers(8, bad=range(8)), 2, workers=2)))


def test_errors_that_are_no_bad_file_are_not_hidden():
    class Broken(Numbers):
        def sample(self, item, rng):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        next(iter(Loader(Broken(8), 2, workers=2)))


def test_examples_of_different_shapes_make_no_batch():
    class Uneven(Numbers):
        def example(self, item, rng):
            return {"visual": np.zeros(2 + item % 2)}

    with pytest.raises(SaysoError, match=r"must have one shape; got \(\d,\) and \(\d,\)"):
        list(Loader(Uneven(8), 8, workers=2, epochs=1))


def test_what_waits_is_bounded_in_batches_and_in_bytes():
    for options, most in (({"prefetch": 1}, 8), ({"max_bytes": 3 * 16}, 3)):
        drawn = []

        class Counted(Numbers):
            def sample(self, item, rng, drawn=drawn):
                drawn.append(item)
                return super().sample(item, rng)

        loader = Loader(Counted(80), 8, workers=2, **options)
        batches = iter(loader)
        next(batches)
        next(batches)
        time.sleep(0.1)
        assert 16 <= len(drawn) <= 16 + most
        batches.close()


def test_workers_work_at_the_same_time_and_none_is_left_behind():
    before, met = set(threading.enumerate()), threading.Event()

    class Meeting(Numbers):
        def sample(self, item, rng):
            with self.turn:
                self.making += 1
                if self.making > 1:
                    met.set()
            assert met.wait(WAIT_S), "nobody comes while one works"
            with self.turn:
                self.making -= 1
            return super().sample(item, rng)

    for _ in zip(Loader(Meeting(40), 4, workers=4), range(5), strict=False):
        pass
    assert set(threading.enumerate()) <= before


def test_the_rate_counts_what_was_given_out_and_how_long_the_consumer_waited():
    loader = Loader(Numbers(64, slow_s=0.004), 8, workers=2)
    for _, _ in zip(loader, range(4), strict=False):
        time.sleep(0.002)
    rate = loader.rate()
    assert rate.examples == 32 or rate.examples == 40
    assert 0 < rate.waited_s < rate.elapsed_s
    assert 0 < rate.waiting < 1
    assert rate.decoding_s > 0
    assert rate.capacity_per_s == pytest.approx(2 * rate.examples / rate.decoding_s)
    assert rate.examples_per_s == pytest.approx(rate.examples / rate.elapsed_s)
    assert loader.rate().examples == 0


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"batch_size": 3}, "multiple of 2"),
        ({"batch_size": 0}, "multiple of 2"),
        ({"batch_size": 42}, "an epoch has 20 items and a batch takes 21"),
        ({"batch_size": 4, "rank": 2, "world_size": 2}, "0 to world_size - 1; got 2 of 2"),
        ({"batch_size": 4, "workers": -1}, "workers must be 0 or more; got -1"),
        ({"batch_size": 4, "seed": -1}, "seed must be 0 or more; got -1"),
    ],
)
def test_numbers_that_make_no_sense_are_told(options, why):
    with pytest.raises(SaysoError, match=why):
        Loader(Numbers(20, group=2), **options)


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"seed": 1}, "another seed"), ({"size": 5}, "items a batch"), ({"items": 21}, "number of items")],
)
def test_a_state_of_another_run_is_refused(changed, why):
    state = Loader(Numbers(20), 4, workers=0).state()
    options = {"seed": 0, "size": 4, "items": 20} | changed
    with pytest.raises(SaysoError, match=why):
        Loader(Numbers(options["items"]), options["size"], seed=options["seed"], state=state)


@settings(deadline=None)
@given(
    items=st.integers(1, 50), batch=st.integers(1, 60), position=st.integers(0, 49), tries=st.integers(1, 5)
)
def test_a_substitute_comes_from_outside_its_batch_if_there_is_an_outside(items, batch, position, tries):
    position %= items
    sampler = Sampler(items, seed=3)
    found = sampler.substitute(2, position, tries, batch)
    assert 0 <= found < items
    first = position // batch * batch
    within = {sampler.item(2, p) for p in range(first, min(first + batch, items))}
    if items > batch and first + batch <= items:
        assert found not in within


def test_decoded_clips_are_the_same_for_every_number_of_workers(corpus):
    def run(workers):
        dataset = Clips(corpus, frames=4, fps=2, size=32, bag_size=2)
        loader = Loader(dataset, 3, workers=workers, seed=5)
        return [plain(batch) for batch, _ in zip(loader, range(6), strict=False)], loader.failures

    expected, failures = run(0)
    assert expected[0]["frames"][1] == (3, 4, 32, 32, 3)
    assert [failure.path.rpartition("/")[2] for failure in failures] == ["v6.mp4"]
    assert run(1) == (expected, failures)
    assert run(4) == (expected, failures)


class Ragged(Numbers):
    """Examples with different numbers of pictures, and texts of different lengths."""

    def example(self, item, rng):
        pictures = [np.full((2, 2), 10 * item + n) for n in range(item % 3)]
        return {"pictures": pictures, "text": "x" * (item % 4), "item": item}


def by_words(examples):
    """Tokenise: as many ones as a text has letters."""
    tokens = ragged("tokens", [np.ones(len(one["text"]), np.int64) for one in examples])
    return stack([{"pictures": one["pictures"], "item": one["item"]} for one in examples]) | tokens


@pytest.mark.parametrize("workers", [0, 3])
def test_different_numbers_of_things_lie_end_to_end_with_their_counts(workers):
    for batch in Loader(Ragged(23, slow_s=0.001), 5, collate=by_words, workers=workers, epochs=2):
        items = batch["item"]
        assert batch["pictures_counts"].tolist() == [item % 3 for item in items]
        assert batch["tokens_counts"].tolist() == [item % 4 for item in items]
        assert len(batch["tokens"]) == sum(item % 4 for item in items)
        expected = [10 * item + n for item in items for n in range(item % 3)]
        assert batch["pictures"].shape == (len(expected), 2, 2)
        assert batch["pictures"][:, 0, 0].tolist() == expected


def test_a_part_of_a_batch_has_its_own_share_of_everything():
    (batch,) = Loader(Ragged(12), 12, collate=by_words, workers=0, epochs=1)
    assert rows(batch) == 12
    parts = [take(batch, start, start + 5) for start in (0, 5, 10)]
    assert [rows(part) for part in parts] == [5, 5, 2]
    for part in parts:
        assert part["epoch"] == 0
        assert part["pictures_counts"].tolist() == [item % 3 for item in part["item"]]
        assert part["pictures"][:, 0, 0].tolist() == [10 * i + n for i in part["item"] for n in range(i % 3)]


@pytest.mark.parametrize("workers", [1, 4])
def test_batches_are_collated_by_the_workers_threads(workers):
    names = set()

    def collate(examples):
        names.add(threading.current_thread().name)
        return stack(examples)

    for _ in zip(Loader(Numbers(40), 4, collate=collate, workers=workers), range(8), strict=False):
        pass
    assert names
    assert all(name.startswith("load") for name in names)


def test_what_goes_wrong_in_collating_reaches_who_asked():
    def collate(examples):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        next(iter(Loader(Numbers(8), 2, collate=collate, workers=2)))


class Pictures:
    """Squares of one colour, some of another size if asked for; the sizes of two items disagree then."""

    def __init__(self, group: int = 1, odd: bool = False) -> None:
        self.group, self.odd = group, odd

    def __len__(self) -> int:
        return 60

    def name(self, item: int) -> str:
        return str(item)

    def sample(self, item: int, rng: np.random.Generator):
        side = 65 if self.odd and item % 7 == 0 else 64
        return [{"image": np.full((side, side, 3), item, np.uint8), "item": item} for _ in range(self.group)]


@pytest.mark.parametrize(
    ("group", "workers"),
    [(1, 0), (2, 3), *(pytest.param(*v, marks=pytest.mark.slow) for v in ((1, 3), (2, 0)))],
)
def test_a_batch_of_pictures_is_never_there_twice(workers, group):
    size = 40 * 64 * 64 * 3
    tracemalloc.start()
    try:
        peaks = []
        loader = Loader(Pictures(group), 40, workers=workers, epochs=2, max_bytes=1)
        for batch in loader:
            assert [set(picture.flat) for picture in batch["image"]] == [{item} for item in batch["item"]]
            del batch
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert len(peaks) >= 2
    assert max(peaks) < 2.6 * size, "a batch, the memory for the next one, no copy (that makes 3)"


def test_pictures_of_different_sizes_reach_a_collate_that_can_take_them():
    def collate(examples):
        return {"sides": np.array([len(one["image"]) for one in examples])}

    for batch in Loader(Pictures(odd=True), 20, collate=collate, workers=2, epochs=1):
        assert set(batch["sides"]) <= {64, 65}
    with pytest.raises(SaysoError, match="one shape"):
        list(Loader(Pictures(odd=True), 60, workers=2, epochs=1))

"""What similarities of an index mean: measured when it is built, kept in it, and the same without it."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import lancedb
import numpy as np
import pytest

import toy
from sayso import Index
from sayso.index.background import (
    background_captions,
    calibrate_index,
    embed_background,
    load_calibration,
    measure_background,
)
from sayso.index.calibration import NEARNESS, OFFSET, SLOPE, Calibration, Spread
from sayso.index.checksums import CHECKSUMS
from sayso.index.drawn import drawn_rows
from sayso.index.schema import BACKGROUND_TABLE, SCHEMA_VERSION, Identity
from sayso.index.store import Store


class Scattered(toy.ColourEncoder):
    """A colour for what names one, else a direction that depends on the text."""

    def encode_text(self, texts):
        found = super().encode_text(texts)
        for k, text in enumerate(texts):
            if not set(text.split()) & toy.COLOURS.keys():
                vector = np.random.default_rng(list(text.encode())).normal(size=5)
                found[k] = vector / np.linalg.norm(vector)
        return found.astype(np.float32)


@pytest.fixture
def scattered(tmp_path, media):
    index = Index.open(tmp_path / "s.index", Scattered())
    index.add(media)
    return index


def test_it_is_measured_when_the_index_is_built_and_read_back_the_same(scattered):
    found, background = load_calibration(scattered.store)
    again = measure_background(scattered.store, background)
    assert len(background) == len(background_captions()) == len(set(background_captions()))
    assert (found.words, found.nearness, found.pictures) == (again.words, again.nearness, again.pictures)
    assert np.array_equal(found.background, again.background)
    assert found.clips == scattered.store.clips.count_rows() == 7


def test_the_spread_is_that_of_the_best_similarities(scattered):
    found, background = load_calibration(scattered.store)
    rows = scattered.store.clips.search().select(["media_id", "vector"]).to_arrow().to_pylist()
    vectors = np.float32([row["vector"] for row in rows])
    best = (background @ vectors.T).max(1)
    median = np.median(best)
    kept = best <= median + 2 * 1.4826 * np.median(np.abs(best - median))
    assert found.words.mean == pytest.approx(best[kept].mean(), abs=1e-5)
    assert found.words.sd == pytest.approx(best[kept].std(), abs=1e-5)
    assert np.array_equal(found.background, background[kept])


def test_strangers_are_clips_of_other_files_and_no_copies(tmp_path):
    store = Store(tmp_path / "s.index")
    store.create(Identity(SCHEMA_VERSION, "drawn", "be" * 32, 8, True, ""))
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.normal(size=(3, 8)), 100, axis=0) + 0.5 * rng.normal(size=(300, 8))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)
    vectors[250] = vectors[10]  # a copy in another file
    clips, media = drawn_rows(store.identity, 0, vectors)  # 100 to a file
    store.append(clips)
    store.commit(media)
    found = measure_background(store, vectors[:2])
    near = vectors @ vectors.T
    near[np.arange(300)[:, None] // 100 == np.arange(300) // 100] = -1
    near[near > 0.999] = -1
    best = near.max(1)
    median = np.median(best)
    kept = best[best <= median + 2 * 1.4826 * np.median(np.abs(best - median))]
    assert found.strangers == pytest.approx(median, abs=1e-3)
    assert found.pictures.mean == pytest.approx(kept.mean(), abs=1e-3)
    assert found.pictures.sd == pytest.approx(kept.std(), abs=1e-3)


def test_it_is_measured_anew_as_the_index_grows_and_without_the_model(scattered, media):
    toy.make_picture(media / "cyan.png", "cyan")
    scattered.add(media)
    found, _ = load_calibration(scattered.store)
    assert found.clips == 8
    (media / "cyan.png").unlink()
    scattered.add(media, prune=True)

    def never():
        raise AssertionError("the model was loaded")

    assert calibrate_index(scattered.store, never).clips == 7


def test_a_server_that_searches_between_a_commit_and_its_measuring_takes_the_new_one_after(
    scattered, media, monkeypatch
):
    """With the ranking that was kept of the same query: what it scores is measured anew, too."""
    server = Index.open(scattered.store.address, Scattered())
    toy.make_picture(media / "cyan.png", "cyan")
    between = []

    def search_first(*args):
        server.store.refresh()
        between.append((server.calibration.clips, server.store.clips.count_rows(), scores(server)))
        return calibrate_index(*args)

    def scores(index):
        return [(hit.id, hit.score) for hit in index.search("red", limit=50)]

    monkeypatch.setattr("sayso.index.adding.calibrate_index", search_first)
    scattered.add(media)
    assert between[0][:2] == (7, 8), "searched between"
    server._searcher._kept_in.checkout_latest()  # which comes by itself within a second
    assert server.calibration.clips == 8
    assert scores(server) == scores(Index.open(scattered.store.address, Scattered())) != between[0][2]


def test_an_index_without_it_still_works_and_scores_the_same(scattered):
    before = scattered.search("red", limit=50)
    scattered.store.connection.drop_table(BACKGROUND_TABLE)
    Path(scattered.store.address, CHECKSUMS).unlink()  # an index of before had none either
    old = Index.open(scattered.store.address, Scattered())
    assert [hit.to_dict() for hit in old.search("red", limit=50)] == [hit.to_dict() for hit in before]
    assert load_calibration(old.store) is None


def test_a_server_goes_on_where_a_repair_takes_the_calibration_away(scattered):
    address = scattered.store.address
    server = Index.open(address, Scattered())
    now = lancedb.connect(address, read_consistency_interval=timedelta(0))  # sees at once what others do
    server.store.__dict__["connection"] = now
    before = [hit.to_dict() for hit in server.search("red", limit=50)]
    assert server._searcher._kept_version() is not None
    scattered.store.connection.drop_table(BACKGROUND_TABLE)
    assert [hit.to_dict() for hit in server.search("red", limit=50)] == before
    assert server._searcher._kept_version() is None


def test_relevance_grows_with_similarity_and_falls_with_nearness_to_the_background():
    background = np.eye(4, dtype=np.float32)
    found = Calibration(background, Spread(0.3, 0.1), Spread(0.2, 0.1), Spread(0.6, 0.1), 0.6, 9)
    far, near = np.float32([0, 0, 0, 0]), np.float32([1, 0, 0, 0])
    values = found.of_words(np.linspace(-1, 1, 50), far)
    assert np.all(np.diff(values) > 0)
    assert np.all((values > 0) & (values <= 1))
    shift = NEARNESS * (0.25 - 0.2) / 0.1
    expected = 1 / (1 + np.exp(-(SLOPE * ((0.5 - 0.3) / 0.1 - shift) + OFFSET)))
    assert found.of_words(0.5, near) == pytest.approx(expected)
    assert found.of_words(0.5, near) < found.of_words(0.5, far)
    assert found.of_pictures(0.6) == pytest.approx(1 / (1 + np.exp(-OFFSET)))
    assert (found.same_shot, found.same_content) == pytest.approx((0.8, 0.96))


def test_what_an_index_does_show_is_no_background(tmp_path):
    class Knowing(Scattered):
        def encode_text(self, texts):
            found = super().encode_text(texts)
            if len(texts) > 50:
                found = 0.2 * found + toy.direction(toy.COLOURS["black"])
                found[::10] = toy.direction(toy.COLOURS["red"])
            return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)

    for k in range(3):
        toy.make_picture(tmp_path / f"{k}.png", "red")
    index = Index.open(tmp_path / "x.index", Knowing())
    index.add(tmp_path)
    assert len(index.calibration.background) <= 0.92 * len(background_captions())
    assert index.search("red")[0].likely


def test_copies_are_no_strangers(scattered, media):
    before = scattered.calibration
    for name in ("white.png", "rbg.mp4", "sub/yellow.mp4", "sub/it's magenta.jpg"):
        shutil.copy(media / name, media / f"copy of {name.rpartition('/')[2]}")
    assert scattered.add(media).added == 4
    after = scattered.calibration
    assert after.clips == 2 * before.clips
    assert after.strangers == pytest.approx(before.strangers, abs=0.01)
    assert after.pictures.mean == pytest.approx(before.pictures.mean, abs=0.02)


def test_a_model_that_takes_no_captions_has_a_background_of_clips(tmp_path, media):
    class Numbers(toy.ColourEncoder):
        def encode_text(self, texts):
            return toy.direction([(float(text), 0, 0) for text in texts])

    assert embed_background(Numbers()).shape == (0, 5)
    index = Index.open(tmp_path / "n.index", Numbers())
    assert not index.add(media).failures
    hits = index.search("220", text_weight=0)
    assert hits[0].title == "rbg"
    assert 0 <= hits[-1].score < hits[0].score <= 1

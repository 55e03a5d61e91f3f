"""What reads whole files needs no lock, and what was planned without it is looked at again under it."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
from filelock import FileLock, Timeout

import toy
from sayso.core.errors import IndexMismatch
from sayso.core.progress import Silent
from sayso.index import adding, cluster, planning
from sayso.index.adding import Adding, add_paths, identity_of
from sayso.index.orphans import is_whole
from sayso.index.roots import Roots
from sayso.index.store import Store
from sayso.index.update import Update
from sayso.index.wanted import list_wanted

pytest.importorskip("lance")


@pytest.fixture
def add(tmp_path, ray_here):
    """Add the folder to an index, as a driver of a cluster does."""

    def run(name: str = "x.index", **how):
        how = {"cluster": cluster.Cluster(toy.ColourEncoder), "prune": True} | how
        return add_paths(Store(tmp_path / name), [str(tmp_path / "media")], toy.ColourEncoder, Adding(**how))

    return run


@pytest.fixture
def media(tmp_path):
    """Pictures, of which one will be touched, one moved, one changed, one copied."""
    folder = tmp_path / "media"
    folder.mkdir()
    for name, colour in zip(("touched", "moved", "changed", "kept"), sorted(toy.COLOURS), strict=False):
        toy.make_picture(folder / f"{name}.png", colour)
    return folder


def change(media) -> None:
    os.utime(media / "touched.png", (1, 1))
    (media / "moved.png").rename(media / "moved on.png")
    toy.make_picture(media / "changed.png", sorted(toy.COLOURS)[5])
    toy.make_picture(media / "new.png", sorted(toy.COLOURS)[6])


def rows(address) -> list[dict]:
    store = Store(address)
    assert is_whole(store)
    media = (
        store.media.to_arrow().select(["path", "media_id", "mtime_ns", "clips"]).sort_by("path").to_pylist()
    )
    assert len({row["path"] for row in media}) == len(media)
    return media


def test_the_cluster_that_reads_makes_the_search_structures_too(media, add, monkeypatch):
    asked = []
    monkeypatch.setattr(adding, "build_on_cluster", lambda store, cluster: asked.append(cluster.actors))
    add(cluster=cluster.Cluster(toy.ColourEncoder, actors=3))
    add()  # nothing is new
    add(cluster=None)
    assert asked == [3]


def test_only_files_with_something_wrong_are_kept_in_memory(media, tmp_path):
    toy.make_video(media / "talk.mp4", ["red"])
    (media / "talk.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nhi\n\n2\n00:00:05,000 --> oh\nlost\n")
    store, paths = Store(tmp_path / "x.index"), [str(media)]
    store.create(identity_of(toy.ColourEncoder()))
    update = Update(store, paths, list_wanted(Roots(), paths, store.address), Roots(), Silent())
    with store.writing():
        update.begin()
        assert len(update.plan()) == 5
        assert list(update._problems) == [str(media / "talk.mp4")]
        (media / "talk.srt").unlink()  # what is planned again is told as it is then
        update._changed(update.listing.files)
        list(update._jobs(update.listing.files))
        assert not update._problems


def test_of_what_another_run_takes_back_meanwhile_no_half_is_left(media, tmp_path, monkeypatch):
    """Tables are made before the lock is held, and the other run is just removing them one by one."""
    create, made = Store.create, []

    def create_then_lose_one(store, identity):
        create(store, identity)
        if not made:
            store.connection.drop_table("clips")
        made.append(store)

    monkeypatch.setattr(Store, "create", create_then_lose_one)
    report = add_paths(Store(tmp_path / "x.index"), [str(media)], toy.ColourEncoder, Adding())
    assert report.added == 4
    assert len(rows(tmp_path / "x.index")) == 4


def test_an_index_that_another_model_made_meanwhile_is_not_added_to(media, tmp_path, monkeypatch):
    store = Store(tmp_path / "x.index")
    other = replace(identity_of(toy.ColourEncoder()), model="other", model_sha256="0" * 64)
    plain = Store.create

    def late(self, identity):
        plain(Store(tmp_path / "x.index"), other)  # between the look and the making
        plain(self, identity)

    monkeypatch.setattr(Store, "create", late)
    with pytest.raises(IndexMismatch, match="made by the model other, not by colour"):
        add_paths(store, [str(media)], toy.ColourEncoder, Adding())
    assert Store(tmp_path / "x.index").media.count_rows() == 0


def test_an_index_that_was_taken_back_while_this_run_waited_is_made_anew(media, tmp_path, monkeypatch):
    store = Store(tmp_path / "x.index")
    store.create(identity_of(toy.ColourEncoder()))
    list_plain = adding.list_wanted

    def meanwhile(*given):
        Store(tmp_path / "x.index").take_back()
        return list_plain(*given)

    monkeypatch.setattr(adding, "list_wanted", meanwhile)
    report = add_paths(store, [str(media)], toy.ColourEncoder, Adding())
    assert report.added == 4
    assert len(rows(tmp_path / "x.index")) == 4


@pytest.mark.parametrize(
    ("files", "shards", "most"), [(3, 3, 1), (12, 12, 1), (200, 50, 4), (20_000, 79, 256)]
)
def test_there_is_a_shard_for_each_worker(files, shards, most):
    jobs = [toy_job(number) for number in range(files)]
    cut = list(cluster._shards(jobs, None))
    assert [job for work in cut for job in work.jobs] == jobs
    assert (len(cut), max(len(work.jobs) for work in cut)) == (shards, most)
    assert len({work.id for work in cut}) == shards


def toy_job(number: int):
    record = SimpleNamespace(media_id=f"{number}", size=1)
    return SimpleNamespace(record=record, thumbs="clip")


def test_files_are_read_while_the_lock_is_free(tmp_path, media, add, monkeypatch):
    free = []

    def digest(path):
        lock = FileLock(tmp_path / "x.index" / "writer.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            free.append(False)
        else:
            lock.release()
            free.append(True)
        return planning_digest(path)

    planning_digest = planning.content_digest
    monkeypatch.setattr(planning, "content_digest", digest)
    assert add().added == 4
    change(media)
    report = add()
    assert (report.added, report.replaced, report.unchanged, report.moved) == (1, 1, 2, 1)
    assert free and all(free)


def test_another_driver_that_comes_in_between(tmp_path, media, add, monkeypatch):
    add()
    shutil.copytree(tmp_path / "x.index", tmp_path / "alone.index")
    change(media)
    add("alone.index")
    whole, began = planning.content_digest, []

    def digest(path):
        if not began:  # the other plans and commits all of it, while this one has planned nothing yet
            began.append(path)
            assert add().added == 1
        return whole(path)

    monkeypatch.setattr(planning, "content_digest", digest)
    add()
    assert began and rows(tmp_path / "x.index") == rows(tmp_path / "alone.index")


def test_another_driver_that_comes_after_the_plan(tmp_path, media, add, monkeypatch):
    (media / "moved.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nsaid\n")
    add()
    shutil.copytree(tmp_path / "x.index", tmp_path / "alone.index")
    change(media)
    add("alone.index")
    plan, began = adding.Update.plan, []

    def and_wait(update):
        jobs = plan(update)
        if not began:
            began.append(update)
            assert add().moved == 1
        return jobs

    monkeypatch.setattr(adding.Update, "plan", and_wait)
    report = add()
    assert began and report.moved == 0 and rows(tmp_path / "x.index") == rows(tmp_path / "alone.index")


def test_what_is_planned_again_is_counted_and_reported_once(tmp_path, media, add, monkeypatch):
    """A touched film and one with other captions, noted by another driver first; an odd cue in each."""
    odd = "WEBVTT\n\n00:00.000 --> 00:01.000\nsaid\n\n00:0x --> 00:09\nodd\n"
    films = [toy.make_video(media / f"{name}.mp4", ["red"], fps=2) for name in ("same", "told")]
    for film in films:
        film.with_suffix(".vtt").write_text(odd)
    add()
    os.utime(films[0], (1, 1))
    films[1].with_suffix(".vtt").write_text(odd.replace("said", "otherwise"))
    plan, began, said = adding.Update.plan, [], []

    def and_wait(update):
        jobs = plan(update)
        if not began:
            began.append(update)
            add()
        return jobs

    class Listening:
        def update(self, done, total=None, note="", amount=None):
            said.append((done, total))

    monkeypatch.setattr(adding.Update, "plan", and_wait)
    report = add(progress=Listening())
    assert sorted(os.path.basename(one.path) for one in report.failures) == ["same.vtt", "told.vtt"]
    assert max(done for done, _ in said) == report.files == 6
    assert (report.replaced, report.unchanged) == (0, 6)


def test_a_file_that_another_driver_moved_elsewhere_is_read(tmp_path, media, add, monkeypatch):
    """Two copies of a file that is gone: each driver takes another one for the file itself."""
    add()
    shutil.copy(media / "moved.png", media / "a.png")
    (media / "moved.png").rename(media / "b.png")
    plan, began = adding.Update.plan, []

    def and_wait(update):
        jobs = plan(update)
        if not began:
            began.append(update)
            shutil.move(media / "a.png", tmp_path / "a.png")
            assert add().moved == 1  # to b.png
            shutil.move(tmp_path / "a.png", media / "a.png")
        return jobs

    monkeypatch.setattr(adding.Update, "plan", and_wait)
    add()
    names = [os.path.basename(row["path"]) for row in rows(tmp_path / "x.index")]
    assert began and names == ["a.png", "b.png", "changed.png", "kept.png", "touched.png"]

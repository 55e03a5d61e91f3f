"""A damaged index heals: its answers are those of the untouched one, whichever file was damaged."""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import asdict

import pytest

import toy
from sayso import Index
from sayso.core.errors import SaysoError
from sayso.index.adding import Adding
from sayso.index.check import check_index
from sayso.index.checksums import CHECKSUMS, read_checksums, write_checksums
from sayso.index.repair import repair_index
from sayso.index.roots import read_roots
from sayso.index.store import Store


def removed(path):
    path.unlink()


def halved(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


HARM = (removed, halved, flipped)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An index of several commits, in a folder beside its media."""
    root = tmp_path_factory.mktemp("whole")
    (root / "media").mkdir()
    toy.make_video(root / "media" / "a.mp4", ["red", "blue"])
    (root / "media" / "a.srt").write_text("1\n00:00:00,000 --> 00:00:02,000\nan apple\n")
    toy.make_picture(root / "media" / "w.png", "white")
    index = Index.open(root / "x.index", toy.ColourEncoder())
    index.add(root / "media")
    toy.make_picture(root / "media" / "r.png", "red")
    index.add(root / "media")
    return root


def answers(address):
    index = Index.open(address, toy.ColourEncoder())
    found = [
        sorted((hit.id, hit.path, round(hit.score, 6)) for hit in index.search(query, limit=50))
        for query in ("red", "apple", "white")
    ]
    media = [
        asdict(index.media(media_id)) for media_id in sorted({hit.media_id for hit in index.search("red")})
    ]
    return found, [{**row, "added": None} for row in media], len(index)


def files_of(address):
    inside = (path for path in sorted(address.rglob("*")) if path.is_file())
    return [path.relative_to(address) for path in inside if path.suffix != ".lock"]


def damaged(whole, where, name, harm):
    if where.exists():
        shutil.rmtree(where)
    shutil.copytree(whole / "x.index", where)
    harm(where / name)


def heals(whole, where, name, harm):
    damaged(whole, where, name, harm)
    found = check_index(Store(where))
    if name.suffix != ".json" or (name.name == CHECKSUMS and harm is not removed):  # hints are none
        assert found, f"{harm.__name__} {name} is not noticed"
    repair_index(str(where), lambda _: toy.ColourEncoder(), Adding())
    assert answers(where) == answers(whole / "x.index"), f"{harm.__name__} {name}"
    assert check_index(Store(where)) == []


def test_an_untouched_index_has_no_damage(whole):
    assert check_index(Store(whole / "x.index")) == []


@pytest.mark.parametrize(
    ("kind", "harm"),
    [("clips.lance/data", flipped), ("clips.lance/_indices", halved), ("media.lance/_versions", removed)],
)
def test_a_damaged_file_heals(whole, tmp_path, kind, harm):
    name = next(one for one in files_of(whole / "x.index") if one.as_posix().startswith(kind))
    heals(whole, tmp_path / "y.index", name, harm)


@pytest.mark.parametrize("table", ["clips", "media", "roots", "background"])
def test_a_table_that_is_gone_comes_back(whole, tmp_path, table):
    where = tmp_path / "y.index"
    shutil.copytree(whole / "x.index", where)
    shutil.rmtree(where / f"{table}.lance")
    if table != "background":
        with pytest.raises(SaysoError, match="--repair"):
            Index.open(where, toy.ColourEncoder())
    repair_index(str(where), lambda _: toy.ColourEncoder(), Adding())
    assert answers(where) == answers(whole / "x.index")


@pytest.mark.parametrize("harm", [removed, halved])
def test_a_damaged_background_stops_no_search(whole, tmp_path, harm, caplog):
    expected = hits_of(Index.open(whole / "x.index", toy.ColourEncoder()))
    for name in files_of(whole / "x.index"):
        if name.parts[0] == "background.lance" and name.suffix in (".lance", ".manifest"):
            damaged(whole, tmp_path / "y.index", name, harm)
            index = Index.open(tmp_path / "y.index", toy.ColourEncoder())
            assert hits_of(index) == expected, name
    assert harm is removed or "so they are less sure; run sayso index" in caplog.text


def hits_of(index):
    return {query: [hit.id for hit in index.search(query, limit=50)] for query in ("red", "apple", "white")}


@pytest.mark.slow
@pytest.mark.parametrize("harm", HARM)
def test_every_file_in_turn(whole, tmp_path, harm):
    for name in files_of(whole / "x.index"):
        heals(whole, tmp_path / "y.index", name, harm)


def test_only_what_is_lost_is_read_again(whole, tmp_path):
    """The first data file of the clips holds those of two of three files; the third is not read again."""
    where = tmp_path / "y.index"
    shutil.copytree(whole / "x.index", where)
    oldest = min((where / "clips.lance" / "data").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    flipped(oldest)
    _, report = repair_index(str(where), lambda _: toy.ColourEncoder(), Adding())
    assert report.added < 3
    assert report.unchanged == 3 - report.added > 0


def test_what_cannot_be_read_again_is_not_given_up_unasked(whole, tmp_path):
    """The originals are away, as on a drive that is not mounted: nothing changes until they are back."""
    where, media = tmp_path / "y.index", whole / "media"
    shutil.copytree(whole / "x.index", where)
    for data in (where / "clips.lance" / "data").iterdir():
        flipped(data)
    before = {name: (where / name).read_bytes() for name in files_of(where)}
    damage = check_index(Store(where))
    media.rename(whole / "away")
    try:
        with pytest.raises(
            SaysoError, match=r"nothing was repaired.*media.* and \d+ more are lost, not there"
        ):
            repair_index(str(where), lambda _: toy.ColourEncoder(), Adding())
        after = {name: (where / name).read_bytes() for name in files_of(where)}
        assert {name: after.get(name) for name in before if "clips.lance/" in name.as_posix()} == {
            name: content for name, content in before.items() if "clips.lance/" in name.as_posix()
        }
        assert check_index(Store(where)) == damage
    finally:
        (whole / "away").rename(media)
    repair_index(str(where), lambda _: toy.ColourEncoder(), Adding())
    assert answers(where) == answers(whole / "x.index")


def test_a_repair_may_give_up_what_is_gone(whole, tmp_path):
    where, media = tmp_path / "y.index", whole / "media"
    shutil.copytree(whole / "x.index", where)
    for data in (where / "clips.lance" / "data").iterdir():
        flipped(data)
    media.rename(whole / "away")
    try:
        repair_index(str(where), lambda _: toy.ColourEncoder(), Adding(prune=True))
        assert len(Index.open(where, toy.ColourEncoder())) == 0
        assert check_index(Store(where)) == []
    finally:
        (whole / "away").rename(media)


def test_a_killed_writer_leaves_no_damage_and_a_repair_forgets_nothing_of_what_it_did(whole, tmp_path):
    """Killed before the record is brought up to date: what it committed counts, its folder is remembered."""
    where, more = tmp_path / "y.index", tmp_path / "more"
    shutil.copytree(whole / "x.index", where)
    more.mkdir()
    toy.make_picture(more / "b.png", "blue")
    record = (where / CHECKSUMS).read_bytes()
    Index.open(where, toy.ColourEncoder()).add(more)
    unsettled = dataclasses.replace(read_checksums(str(where)), settled=False)
    (where / CHECKSUMS).write_bytes(record)
    old = read_checksums(str(where))
    write_checksums(str(where), dataclasses.replace(old, settled=False))
    assert unsettled.files != old.files
    assert check_index(Store(where)) == []
    repair_index(str(where), lambda _: toy.ColourEncoder(), Adding())
    roots = [root.path for root in read_roots(Store(where)).wanted]
    assert roots == [str(whole / "media"), str(more)]
    assert (
        len(Index.open(where, toy.ColourEncoder()))
        == len(Index.open(whole / "x.index", toy.ColourEncoder())) + 1
    )


def test_what_an_older_sayso_wrote_and_what_comes_and_goes_is_no_damage(whole, tmp_path):
    where, more = tmp_path / "y.index", tmp_path / "more"
    shutil.copytree(whole / "x.index", where)
    record = (where / CHECKSUMS).read_bytes()
    more.mkdir()
    toy.make_picture(more / "b.png", "blue")
    Index.open(where, toy.ColourEncoder()).add(more)
    (where / CHECKSUMS).write_bytes(record)  # as one that keeps no record leaves it
    (where / "clips.lance" / "data" / ".tmpXyz").write_bytes(b"begun")
    assert check_index(Store(where)) == []
    assert Index.open(where, toy.ColourEncoder()).search("blue")


def test_a_damaged_shard_is_forgotten_and_its_files_are_read_again(whole, tmp_path):
    where = tmp_path / "y.index"
    shutil.copytree(whole / "x.index", where)
    (where / "shards").mkdir()
    (where / "shards" / "a.json").write_text('{"id": "a", "med')
    Index.open(where, toy.ColourEncoder()).add(whole / "media")
    assert not list((where / "shards").iterdir())
    assert answers(where) == answers(whole / "x.index")

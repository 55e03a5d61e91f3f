"""When and where files were taken: in the index, in searches, and in an index that was made before."""

from __future__ import annotations

import json
import os
import shutil

import pyarrow as pa
import pytest
from PIL import Image

import toy
from sayso import Index
from sayso.core.errors import IndexMismatch, QueryError, SaysoError
from sayso.index import taken as taken_module
from sayso.index.browse import Month, files_by_time, months_of
from sayso.index.schema import TAKEN_FIELDS, read_identity
from sayso.index.search import load_hits

NAMES = [name for name, _ in TAKEN_FIELDS]
PARIS = {1: "N", 2: (48.0, 51.0, 27.72), 3: "E", 4: (2.0, 17.0, 42.0)}
EXIF = {
    "paris.jpg": ("red", "2019:06:01 14:03:22", "+02:00", PARIS),
    "sydney.jpg": (
        "red",
        "2020:01:05 09:00:00",
        "+11:00",
        {1: "S", 2: (33, 51, 24), 3: "E", 4: (151, 12, 36)},
    ),
    "wall.jpg": ("red", "2019:12:31 23:59:59", None, {}),
}


@pytest.fixture
def album(tmp_path):
    """A folder: three pictures with EXIF data, one dated by its name, one by nothing, and a video."""
    folder = tmp_path / "album"
    folder.mkdir()
    for name, (colour, date, offset, gps) in EXIF.items():
        exif = Image.Exif()
        exif[0x010F], exif[0x0110], exif[0x0112] = "Canon", "Canon EOS 80D", 6
        exif.get_ifd(0x8769)[0x9003] = date
        if offset:
            exif.get_ifd(0x8769)[0x9011] = offset
        exif.get_ifd(0x8825).update(gps)
        Image.new("RGB", (64, 48), toy.COLOURS[colour]).save(folder / name, exif=exif)
    toy.make_picture(folder / "IMG-20180704-WA0001.png", "blue")
    os.utime(toy.make_picture(folder / "scan.png", "green"), (1_600_000_000, 1_600_000_000))
    toy.make_video(folder / "VID_20190610_101500.mp4", ["yellow", "cyan"])
    return folder


@pytest.fixture
def dated(tmp_path, album):
    """That folder, indexed."""
    index = Index.open(tmp_path / "dated.index", toy.ColourEncoder())
    assert not index.add(album).failures
    return index


def named(hits):
    return [os.path.basename(hit.path).partition(".")[0] for hit in hits]


def test_hits_say_when_where_and_with_what(dated):
    paris = dated.search("", filter="title = 'paris'")[0]
    said = {name: paris.to_dict()[name] for name in NAMES}
    assert said == {
        "taken": "2019-06-01T14:03:22",
        "utc_offset_min": 120,
        "taken_from": "exif",
        "camera": "Canon EOS 80D",
        "latitude": pytest.approx(48.8577),
        "longitude": pytest.approx(2.295),
        "orientation": "portrait",
    }
    media = dated.media(paris.media_id)
    assert (media.taken, media.camera, media.latitude) == (said["taken"], said["camera"], said["latitude"])
    assert (media.width, media.height) == (48, 64)
    others = {
        hit.title: (hit.taken, hit.taken_from, hit.orientation) for hit in dated.search("", filter="true")
    }
    assert others["IMG-20180704-WA0001"] == ("2018-07-04", "name", "landscape")
    assert others["VID_20190610_101500"] == ("2019-06-10T10:15:00", "name", "landscape")
    assert others["scan"][1] == "mtime" and others["scan"][0].startswith("2020-09-13")
    assert others["wall"][0] == "2019-12-31T23:59:59"


def test_a_list_is_the_newest_first(dated):
    everything = named(dated.search("", filter="true"))
    assert everything == ["scan", "sydney", "wall", "VID_20190610_101500", "paris", "IMG-20180704-WA0001"]
    assert named(dated.search(after="2019", before="2020")) == everything[2:5]
    assert named(dated.search(after="2019", before="2020", limit=1, offset=1)) == everything[3:4]
    assert named(dated.search(after="2019-06", before="2019-06-02")) == ["paris"]
    assert named(dated.search(sort="time")) == everything
    with pytest.raises(QueryError, match="--filter, --after or --sort time"):
        dated.search("")
    with pytest.raises(QueryError, match="nothing is after 2020 and before 2019"):
        dated.search(after="2020", before="2019")


def test_what_is_looked_for_passes_them_too(dated, caplog):
    assert named(dated.search("red", merge=False, limit=3, after="2020")) == ["sydney", "scan"]
    assert named(dated.search("near:48.8577,2.295,100m")) == ["paris"]
    assert named(dated.search("near:48.8577,2.295,20000km red", after="2019-07")) == ["sydney"]
    assert named(dated.search("near:48.8577,2.295,10m", before="2019")) == []
    assert not caplog.records, "some file says where it was taken"
    assert named(dated.search("red", filter="camera LIKE 'Canon%' AND taken < '2019-07'")) == ["paris"]


def test_found_moments_sort_by_time(dated):
    found = dated.search("red", merge=False, sort="time")
    assert named(found) == ["sydney", "wall", "paris"]
    assert all(hit.likely for hit in found)
    assert named(dated.search("red", merge=False, sort="time", limit=1, offset=1)) == ["wall"]
    everything = dated.search("red", merge=False, sort="time", min_score=0)
    assert [hit.taken for hit in everything] == sorted((hit.taken for hit in everything), reverse=True)
    assert len(everything) == 7
    assert dated.search("magenta", sort="time") == dated.search("magenta")
    like = next(hit for hit in found if hit.title == "wall")
    alike = [hit.taken for hit in dated.similar(like.id, sort="time", min_score=0)]
    assert len(alike) > 2 and alike == sorted(alike, reverse=True)


def test_the_files_by_month(dated):
    files = files_by_time(dated.store)
    taken = [date for _, date in files]
    counts = {"2020-09": 1, "2020-01": 1, "2019-12": 1, "2019-06": 2, "2018-07": 1}
    assert months_of(taken) == tuple(Month(month, count) for month, count in counts.items())
    assert named(load_hits(dated.store, [clip for clip, _ in files[3:5]])) == ["VID_20190610_101500", "paris"]
    ((film, date),) = files_by_time(dated.store, "kind = 'video'")
    assert (film.start_s, date) == (4, "2019-06-10T10:15:00")


def make_old(index):
    """Turn an index into one of format 3, which knows nothing of how files were taken."""
    rows = index.store.clips.search().select(["id", "shown"]).limit(1000).to_arrow().to_pylist()
    for row in rows:
        row["shown"] = json.dumps({k: v for k, v in json.loads(row["shown"]).items() if k not in NAMES})
    index.store.clips.merge_insert("id").when_matched_update_all().execute(pa.Table.from_pylist(rows))
    for table in (index.store.clips, index.store.media):
        table.drop_columns(NAMES)


def test_an_older_index_opens_and_says_what_it_lacks(dated, tmp_path):
    make_old(dated)
    old = Index.open(dated.store.address, toy.ColourEncoder(), create=False)
    hits = old.search("red", merge=False)
    assert len(hits) == 7 and all(hit.taken is hit.camera is None for hit in hits)
    assert old.media(hits[0].media_id).taken is None
    assert len(old.search("", filter="kind = 'video'")) == 1
    assert named(old.search("red", sort="time"))
    assert [date for _, date in files_by_time(old.store)] == 6 * [None]
    with pytest.raises(SaysoError, match="before taken was noted; to note it, run sayso index"):
        old.search("red", after="2019")
    with pytest.raises(SaysoError, match="before latitude was noted"):
        old.search("near:48,2")


def facts(index):
    """Return all that an index holds, but for when."""
    tables = []
    for table, key in ((index.store.clips, "id"), (index.store.media, "path")):
        rows = table.search().limit(1000).to_arrow().to_pylist()
        tables.append(
            {row[key]: {k: v for k, v in row.items() if k not in ("added", "shown")} for row in rows}
        )
    return tables, [hit.to_dict() for hit in index.search("", filter="true", merge=False)]


def test_the_next_run_dates_an_older_index_and_decodes_nothing(dated, album, monkeypatch):
    before = facts(dated)
    make_old(dated)
    old = Index.open(dated.store.address, toy.ColourEncoder())
    monkeypatch.setattr("sayso.index.update.extract", None)  # would be called to decode
    report = old.add(album)
    assert (report.unchanged, report.clips, report.failures) == (6, 0, [])
    assert facts(old) == before
    assert named(old.search("near:48.8577,2.295,5km", after="2019")) == ["paris"]
    assert taken_module.read_when_taken(old.store) == 0


def test_dating_goes_on_where_it_was_interrupted(dated, album, monkeypatch):
    before = facts(dated)
    make_old(dated)
    monkeypatch.setattr(taken_module, "BATCH", 2)
    whole, calls = taken_module._update, []

    def interrupted(table, key, rows):
        calls.append(key)
        if len(calls) == 4:  # the second batch's clips are written, its files are not
            raise KeyboardInterrupt
        whole(table, key, rows)

    monkeypatch.setattr(taken_module, "_update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Index.open(dated.store.address, toy.ColourEncoder()).add(album)
    monkeypatch.setattr(taken_module, "_update", whole)
    again = Index.open(dated.store.address, toy.ColourEncoder())
    again.add(album)
    assert facts(again) == before


def test_a_file_that_is_gone_stays_undated_and_one_that_moves_keeps_its_date(dated, album):
    make_old(dated)
    (album / "wall.jpg").unlink()
    old = Index.open(dated.store.address, toy.ColourEncoder())
    old.add(album)
    assert old.search("", filter="title = 'wall'")[0].taken is None
    shutil.move(album / "paris.jpg", album / "tower.jpg")
    assert old.add(album).moved == 1
    assert old.search("", filter="title = 'tower'")[0].taken == "2019-06-01T14:03:22"
    assert months_of(date for _, date in files_by_time(old.store))[-1] == Month(None, 1)


def test_formats_that_are_read():
    key = b"sayso"
    held = {"model": "m", "model_sha256": "", "dim": 1, "normalised": True, "created": ""}
    for version in (3, 4):
        schema = pa.schema([], metadata={key: json.dumps({**held, "schema": version}).encode()})
        assert read_identity(schema, "x").schema == version
    schema = pa.schema([], metadata={key: json.dumps({**held, "schema": 5}).encode()})
    with pytest.raises(IndexMismatch, match="has format 5, this sayso reads formats 3 to 4"):
        read_identity(schema, "x")

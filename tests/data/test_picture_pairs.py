"""Captioned pictures of every form are the same pairs, and what is damaged is counted by its reason."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from data.test_shards import write_shard
from sayso.core.errors import SaysoError
from sayso.data import Loader, PicturePairDataset, read_picture_pairs
from sayso.data.problems import Problems, RecordProblem

COLOURS = {"a": (250, 10, 10), "b": (10, 250, 10), "c": (10, 10, 250)}
SAID = {name: f"a {name} picture" for name in COLOURS}


def encoded(colour=(9, 9, 9), kind="JPEG", size=(64, 48), **options) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind, **options)
    return buffer.getvalue()


FILES = {name: encoded(colour) for name, colour in COLOURS.items()}
KINDS = {"a": "jpg", "b": "png", "c": "webp"}


def url(name):
    return f"https://example.org/{name}/photo%20{name}.jpg"


def folder(place):
    for name, kind in KINDS.items():
        (place / "sub").mkdir(exist_ok=True)
        (place / "sub" / f"{name}.{kind}").write_bytes(FILES[name])
        (place / "sub" / f"{name}.txt").write_text(SAID[name] + "\n")
    return place


def coco(place):
    (place / "images").mkdir()
    for name in COLOURS:
        (place / "images" / f"{name}.jpg").write_bytes(FILES[name])
    rows = {
        "images": [{"id": name, "file_name": f"{name}.jpg"} for name in COLOURS],
        "annotations": [{"id": n, "image_id": n, "caption": SAID[n]} for n in COLOURS],
    }
    (place / "mine.json").write_text(json.dumps(rows))
    return place / "mine.json"


def members(names=COLOURS):
    files = {}
    for name in names:
        files |= {
            f"{name}.{KINDS[name]}": FILES[name],
            f"{name}.json": json.dumps({"caption": SAID[name], "url": url(name)}).encode(),
            f"{name}.txt": SAID[name].encode(),
        }
    return files


def table(path, rows):
    pq.write_table(pa.Table.from_pylist(rows), path)


def img2dataset(place):
    write_shard(place / "00000.tar", members("ab"))
    write_shard(place / "00001.tar", members("c"))
    table(place / "00000.parquet", [{"key": n, "status": "success", "error_message": None} for n in "ab"])
    table(place / "00001.parquet", [{"key": n, "status": "success", "error_message": None} for n in "c"])
    (place / "00000_stats.json").write_text("{}")
    return place


def manifest(suffix):
    def write(place):
        for name in COLOURS:
            (place / f"{name}.jpg").write_bytes(FILES[name])
        rows = [{"path": f"{name}.jpg", "text": SAID[name]} for name in COLOURS]
        path = place / f"list{suffix}"
        if suffix == ".parquet":
            table(path, rows)
        elif suffix == ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        else:
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, ["path", "text"])
                writer.writeheader()
                writer.writerows(rows)
        return path

    return write


NAMED = {
    "sha256": lambda n, one: hashlib.sha256(one.encode()).hexdigest() + ".jpg",
    "md5": lambda n, one: hashlib.md5(one.encode()).hexdigest(),
    "crc": lambda n, one: f"{n}_{zlib.crc32(one.encode())}",
    "number": lambda n, one: f"{n // 10_000:05d}/{n:09d}.jpg",
    "last part": lambda n, one: f"photo {'abc'[n]}.jpg",
}


def url_table(order, named):
    def write(place):
        lines = []
        for n, name in enumerate(COLOURS):
            path = place / "images" / NAMED[named](n, url(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(FILES[name])
            cells = {"caption": SAID[name], "url": url(name)}
            lines.append("\t".join(cells[column] for column in order.split()) + "\n")
        (place / "cc.tsv").write_text("".join(lines))
        return place / "cc.tsv"

    return write


FORMS = {
    "folder": folder,
    "coco": coco,
    "img2dataset": img2dataset,
    "csv": manifest(".csv"),
    "jsonl": manifest(".jsonl"),
    "parquet": manifest(".parquet"),
    "cc3m": url_table("caption url", "crc"),
    "cc12m": url_table("url caption", "sha256"),
    "cc3m md5": url_table("caption url", "md5"),
    "cc3m numbers": url_table("caption url", "number"),
    "cc3m last part": url_table("caption url", "last part"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_pairs(tmp_path, form):
    pairs = read_picture_pairs(FORMS[form](tmp_path))
    assert [pairs.captions(i) for i in range(len(pairs))] == [(SAID[name],) for name in COLOURS]
    for i, colour in enumerate(COLOURS.values()):
        assert np.abs(np.asarray(pairs.read(i), int).mean((0, 1)) - colour).max() < 4, pairs.name(i)
    assert pairs.problems.lines == []


def test_a_picture_may_have_several_captions(tmp_path):
    for name in "abcd":
        (tmp_path / f"{name}.jpg").write_bytes(FILES["a"])
    (tmp_path / "a.txt").write_text("one\n\n two  words\n")
    (tmp_path / "b.json").write_text('{"captions": ["one", "two words"], "text": "none"}')
    (tmp_path / "c.json").write_text('["one", {"caption": "two words"}]')
    (tmp_path / "d.json").write_text('{"caption": "one\\ntwo words"}')
    (tmp_path / "d.txt").write_text("one\ntwo words")
    pairs = read_picture_pairs(tmp_path)
    assert [pairs.captions(i) for i in range(4)] == [("one", "two words")] * 3 + [("one two words",)]


def test_rows_of_one_picture_in_a_manifest_are_its_captions(tmp_path):
    path = manifest(".csv")(tmp_path)
    path.write_text("path,caption\na.jpg,one\na.jpg,two\nb.jpg,three\n")
    pairs = read_picture_pairs(path)
    assert [pairs.captions(i) for i in range(len(pairs))] == [("one", "two"), ("three",)]


def test_rows_that_img2dataset_could_not_download_are_counted_by_reason_and_are_no_failure(tmp_path):
    img2dataset(tmp_path)
    failed = [("failed_to_download", "HTTP Error 404: Not Found")] * 7
    failed += [("failed_to_resize", "Image decoding error")] * 2
    rows = [{"key": n, "status": "success", "error_message": None} for n in "abz"]
    rows += [{"key": str(n), "status": s, "error_message": e} for n, (s, e) in enumerate(failed)]
    table(tmp_path / "00000.parquet", rows)
    table(tmp_path / "00002.parquet", [{"key": "q", "status": "success", "error_message": None}])
    pairs = read_picture_pairs(tmp_path)
    assert len(pairs) == 3
    assert {(one.reason, one.count, one.missing) for one in pairs.problems} == {
        ("failed_to_download: HTTP Error 404: Not Found", 7, True),
        ("failed_to_resize: Image decoding error", 2, True),
        ("was downloaded, but is not in its shard", 1, False),
        ("its shard is not there", 1, False),
    }
    assert sum(failure.error.startswith("1 left out") for failure in pairs.failures) == 2


def test_a_table_of_urls_tells_what_is_not_there_and_joins_no_file_twice(tmp_path):
    path = url_table("caption url", "last part")(tmp_path)
    more = "gone\thttps://example.org/gone.jpg\nno url at all\n\thttps://example.org/x.jpg\n"
    path.write_text(path.read_text() + more + "another\thttps://other.org/photo%20a.jpg\n")
    pairs = read_picture_pairs(path)
    assert len(pairs) == 3
    assert {(one.reason, one.count, one.missing) for one in pairs.problems} == {
        ("the file of its URL is not there", 2, True),
        ("the row is not a caption and a URL", 1, False),
        ("its caption is empty", 1, False),
    }


def test_every_picture_of_an_epoch_comes_once_in_an_order_that_the_seed_decides(tmp_path):
    names = [f"{n:04d}" for n in range(40)]
    for shard in range(2):
        files = {f"{n}.jpg": encoded((int(n) * 6, 0, 0)) for n in names[shard::2]}
        write_shard(tmp_path / f"{shard}.tar", files | {f"{n}.txt": n.encode() for n in names[shard::2]})
    dataset = PicturePairDataset(read_picture_pairs(tmp_path), 16)

    def epoch(seed, **options):
        return list(Loader(dataset, 8, seed=seed, epochs=1, **options))

    first, again, other = epoch(1, workers=0), epoch(1, workers=3), epoch(2, workers=1)
    texts = [text for batch in first for text in batch["text"].tolist()]
    assert sorted(texts) == names
    assert texts != sorted(texts)
    assert texts == [text for batch in again for text in batch["text"].tolist()]
    assert texts != [text for batch in other for text in batch["text"].tolist()]
    for batch, twin in zip(first, again, strict=True):
        assert batch["image"].dtype == np.uint8 and batch["image"].shape == (8, 16, 16, 3)
        assert np.array_equal(batch["image"], twin["image"])
        for text, image in zip(batch["text"], batch["image"], strict=True):
            assert abs(image[..., 0].mean() - int(text) * 6) < 3


def test_what_is_no_corpus_is_one_sentence(tmp_path):
    with pytest.raises(SaysoError, match="there is nothing at"):
        read_picture_pairs(tmp_path / "none")
    (tmp_path / "x.doc").write_text("")
    with pytest.raises(SaysoError, match="holds no captioned pictures"):
        read_picture_pairs(tmp_path / "x.doc")
    with pytest.raises(SaysoError, match="holds no picture with a caption that can be used: there is none"):
        read_picture_pairs(tmp_path)


def test_what_img2dataset_writes_as_files(tmp_path):
    for name, content in members().items():
        (tmp_path / "00000").mkdir(exist_ok=True)
        (tmp_path / "00000" / name).write_bytes(content)
    rows = [{"key": n, "status": "success", "error_message": None} for n in "abc"]
    rows.append({"key": "d", "status": "failed_to_download", "error_message": "x"})
    table(tmp_path / "00000.parquet", rows)
    (tmp_path / "00000_stats.json").write_text('{"count": 4}')
    pairs = read_picture_pairs(tmp_path)
    assert [pairs.captions(i) for i in range(len(pairs))] == [(SAID[name],) for name in COLOURS]
    assert [(one.reason, one.count) for one in pairs.problems] == [("failed_to_download: x", 1)]
    assert pairs.failures == ()


def test_a_table_of_urls_beside_shards_is_the_shards(tmp_path):
    path = tmp_path / "cc3m.tsv"
    path.write_text("".join(f"{SAID[name]}\t{url(name)}\n" for name in COLOURS))
    (tmp_path / "cc3m").mkdir()
    img2dataset(tmp_path / "cc3m")
    pairs = read_picture_pairs(path)
    assert [pairs.captions(i) for i in range(len(pairs))] == [(SAID[name],) for name in COLOURS]


def test_the_folder_of_pictures_may_be_named(tmp_path):
    path = coco(tmp_path)
    (tmp_path / "images").rename(tmp_path / "elsewhere")
    with pytest.raises(SaysoError, match="there is no such file"):
        read_picture_pairs(path)
    assert len(read_picture_pairs(path, images=tmp_path / "elsewhere")) == 3


def test_reasons_are_bounded_in_number():
    problems = Problems()
    for n in range(1000):
        problems.add(RecordProblem(f"file {n}", f"reason {n % 500}"))
    assert problems.broken == 1000
    assert len(list(problems)) == 201
    assert problems.lines[0] == "600 left out: other reasons, such as file 200"

"""Protocols read the published lists, count what is missing, go on where they were cut off."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import replace

import pytest

import toy
from sayso.core.errors import SaysoError
from sayso.evaluation import EVALUATORS
from sayso.evaluation.clip_retrieval import CLIP_RETRIEVAL
from sayso.evaluation.evaluator import Count, EvaluationOptions
from sayso.evaluation.table import result_table
from sayso.evaluation.text_video_retrieval import (
    ClipProtocol,
    TextVideoRetrieval,
    read_clip_list,
    read_protocol,
)


@pytest.fixture
def folder(tmp_path):
    colours = sorted(toy.COLOURS)[:3]
    (tmp_path / "deep" / "down").mkdir(parents=True)
    toy.make_video(tmp_path / "deep" / "down" / "abc.mp4", colours, 4)
    toy.make_video(tmp_path / "x-1.MP4", colours[::-1], 4)
    rows = [(4 * k + 4, 4 * k, colour, "abc") for k, colour in enumerate(colours)]
    rows += [(4, 0, colours[2], "x-1"), (9, 3, "gone", "lost"), (3, 1, "gone", "lost")]
    with (tmp_path / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("end", "start", "text", "video_id"), *rows])
    return tmp_path


@pytest.fixture
def protocol():
    columns = {"video": "video_id", "text": "text", "start": "start", "end": "end"}
    tiny = ClipProtocol(
        title="Tiny", annotations="list.csv", clips=6, columns=columns, windows=2, published=({"R@1": 0.5},)
    )
    return TextVideoRetrieval("tiny", tiny)


def test_measures_what_is_there_and_counts_what_is_not(folder, protocol):
    encoder = toy.ColourEncoder()
    result = protocol(encoder, folder)
    manifest = folder / "same.csv"
    rows = ["path,start_s,end_s,text"] + [
        f"{path},{start},{end},{text}"
        for path, start, end, text in [
            *(("deep/down/abc.mp4", 4 * k, 4 * k + 4, c) for k, c in enumerate(sorted(toy.COLOURS)[:3])),
            ("x-1.MP4", 0, 4, sorted(toy.COLOURS)[2]),
        ]
    ]
    manifest.write_text("\n".join(rows) + "\n")
    expected = CLIP_RETRIEVAL(encoder, manifest, EvaluationOptions(windows=2))
    assert result.rows == expected.rows
    assert (result.protocol, result.counts) == ("Tiny", {"clips": Count(4, 6)})
    assert (result.missing, result.unreadable, result.published) == (("lost",), (), ({"R@1": 0.5},))
    read = hashlib.sha256((folder / "list.csv").read_bytes()).hexdigest()
    assert (result.definition["sha256"], result.definition["as_published"]) == (read, False)
    row = {"model": "somebody", "source": "there", "R@1": 0.5}
    assert result_table(replace(result, published=(row,))).endswith("\nPublished: of all 6 clips.")
    assert "Published" not in result_table(replace(result, published=(row | {"source": "here"},)))
    assert "Published" not in result_table(replace(result, published=(row,), counts={"clips": Count(6, 6)}))
    assert protocol(encoder, folder, EvaluationOptions(windows=3)).published == ()  # measured with two


def test_what_was_embedded_is_not_embedded_again(folder, protocol, monkeypatch):
    encoder, cache = toy.ColourEncoder(), folder / "cache"
    first = protocol(encoder, folder, EvaluationOptions(cache=cache))
    seen = []
    plain = toy.ColourEncoder.encode_video
    monkeypatch.setattr(
        toy.ColourEncoder, "encode_video", lambda self, x: seen.append(len(x)) or plain(self, x)
    )
    assert protocol(encoder, folder, EvaluationOptions(cache=cache)) == first
    assert not seen
    protocol(encoder, folder, EvaluationOptions(windows=1, cache=cache))
    assert seen == [4], "other windows are other embeddings"
    for kept in cache.iterdir():
        kept.write_bytes(kept.read_bytes()[:100])
    assert protocol(encoder, folder, EvaluationOptions(cache=cache)) == first
    assert seen == [4, 8], "a damaged file is made again"
    toy.make_video(folder / "x-1.MP4", sorted(toy.COLOURS)[:2], 5)
    protocol(encoder, folder, EvaluationOptions(cache=cache))
    assert seen == [4, 8, 8], "a file that changed is read again"


def test_says_what_is_wrong(folder, protocol, tmp_path):
    encoder = toy.ColourEncoder()
    with pytest.raises(SaysoError, match=r"list.csv cannot be read: put the list of clips there"):
        protocol(encoder, folder / "deep")
    (folder / "list.csv").write_text("start,end,text,video_id\n1,x,red,abc\n")
    with pytest.raises(SaysoError, match="line 2: expected video, text, start, end in columns video_id"):
        protocol(encoder, folder)
    (folder / "list.csv").write_text("start,end,text,video_id\n1,2,red,nowhere\n")
    with pytest.raises(SaysoError, match=r"none of the 1 clips .* such as nowhere.mp4"):
        protocol(encoder, folder)
    (folder / "list.csv").write_text("start,end,text,video_id\n")
    with pytest.raises(SaysoError, match="lists no clip"):
        protocol(encoder, folder)


def test_a_list_without_a_header_goes_by_numbers(tmp_path):
    line = "1004_Juno_00.32.43-00.32.45\t0\t1\t0\t1\tSOMEONE walks.\n"
    protocol = EVALUATORS["lsmdc"].protocol
    (tmp_path / protocol.annotations).write_text(line * 2)
    listed = read_clip_list(tmp_path / protocol.annotations, protocol)
    assert listed == [("1004_Juno_00.32.43-00.32.45", None, "SOMEONE walks.")] * 2


@pytest.mark.parametrize("name", ["youcook2", "msrvtt"])
def test_reads_the_published_lists(shared_data, name):
    protocol = EVALUATORS[name].protocol
    path = shared_data / "retrieval" / protocol.annotations
    listed = read_clip_list(path, protocol)
    assert len(listed) == protocol.clips
    assert hashlib.sha256(path.read_bytes()).hexdigest() == protocol.sha256
    assert all(video and text for video, _, text in listed)
    if name == "youcook2":
        assert listed[0][0] == "xHr8X2Wpmno"
        assert (listed[0][1].start, listed[0][1].end) == (47, 60)


OWN = """
title = "Mine"
annotations = "list.csv"
columns = { video = "video_id", text = "text", start = "start", end = "end" }
windows = 2
published = [{ model = "someone", source = "there", "R@1" = 0.5 }]
"""


@pytest.mark.parametrize(("table", "name"), [("", "own"), ("[cooking]", "cooking")])
def test_a_protocol_of_ones_own_is_a_file(folder, protocol, table, name):
    (folder / "own.toml").write_text(table + OWN)
    own = read_protocol(folder / "own.toml")
    assert (own.name, own.title) == (name, "Mine")
    assert own(toy.ColourEncoder(), folder).rows == protocol(toy.ColourEncoder(), folder).rows


def test_a_list_may_name_files_and_videos_may_lie_behind_links(folder, protocol, tmp_path_factory):
    other = tmp_path_factory.mktemp("linked")
    (other / "videos").symlink_to(folder, target_is_directory=True)
    (folder / "round").symlink_to(other, target_is_directory=True)
    text = (folder / "list.csv").read_text()
    (other / "list.csv").write_text(text.replace(",abc", ",deep/abc.mp4").replace(",x-1", ",x-1.MP4"))
    found, expected = protocol(toy.ColourEncoder(), other), protocol(toy.ColourEncoder(), folder)
    assert (found.rows, found.counts, found.missing) == (expected.rows, expected.counts, ("lost",))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("title =", "cannot be read"),
        ("", "must hold one protocol: title, annotations, columns"),
        ("[a]\nx = 1\n[b]\ny = 1", "must hold one protocol"),
        (OWN + "window = 3", "has the unknown key 'window'; known keys are title, annotations"),
        (OWN.replace('title = "Mine"', ""), "lacks the key 'title'"),
        (OWN.replace("windows = 2", "windows = 0"), "windows must be 1 or more"),
        (OWN.replace("text =", "words ="), "columns must say where video and text are"),
    ],
)
def test_a_protocol_of_ones_own_that_is_wrong_is_told(tmp_path, content, told):
    (tmp_path / "own.toml").write_text(content)
    with pytest.raises(SaysoError, match=told):
        read_protocol(tmp_path / "own.toml")

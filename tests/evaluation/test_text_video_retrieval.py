"""Protocols read the published lists, count what is missing, go on where they were cut off."""

from __future__ import annotations

import csv
import hashlib

import pytest

import toy
from sayso.core.errors import SaysoError
from sayso.evaluation.clip_retrieval import clip_retrieval
from sayso.evaluation.text_video_retrieval import Protocol, _listed, protocols, run_protocol


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
    return Protocol(
        title="Tiny", annotations="list.csv", clips=6, columns=columns, windows=2, published=[{"R@1": 0.5}]
    )


def test_measures_what_is_there_and_counts_what_is_not(folder, protocol):
    encoder = toy.ColourEncoder()
    result = run_protocol(encoder, protocol, folder)
    manifest = folder / "same.csv"
    rows = ["path,start_s,end_s,text"] + [
        f"{path},{start},{end},{text}"
        for path, start, end, text in [
            *(("deep/down/abc.mp4", 4 * k, 4 * k + 4, c) for k, c in enumerate(sorted(toy.COLOURS)[:3])),
            ("x-1.MP4", 0, 4, sorted(toy.COLOURS)[2]),
        ]
    ]
    manifest.write_text("\n".join(rows) + "\n")
    from sayso.evaluation.clip_retrieval import read_clips

    expected = clip_retrieval(encoder, read_clips(manifest), windows=2)
    assert result["text_to_clip"] == expected["text_to_clip"]
    assert result["clip_to_text"] == expected["clip_to_text"]
    assert (result["protocol"], result["clips"], result["clips_used"]) == ("Tiny", 6, 4)
    assert (result["missing"], result["unreadable"], result["published"]) == (["lost"], [], [{"R@1": 0.5}])
    read = hashlib.sha256((folder / "list.csv").read_bytes()).hexdigest()
    assert (result["definition"]["sha256"], result["definition"]["as_published"]) == (read, False)


def test_what_was_embedded_is_not_embedded_again(folder, protocol, monkeypatch):
    encoder, cache = toy.ColourEncoder(), folder / "cache"
    first = run_protocol(encoder, protocol, folder, cache=cache)
    seen = []
    plain = toy.ColourEncoder.encode_video
    monkeypatch.setattr(
        toy.ColourEncoder, "encode_video", lambda self, x: seen.append(len(x)) or plain(self, x)
    )
    assert run_protocol(encoder, protocol, folder, cache=cache) == first
    assert not seen
    run_protocol(encoder, protocol, folder, windows=1, cache=cache)
    assert seen == [4], "other windows are other embeddings"
    for kept in cache.iterdir():
        kept.write_bytes(kept.read_bytes()[:100])
    assert run_protocol(encoder, protocol, folder, cache=cache) == first
    assert seen == [4, 8], "a damaged file is made again"
    toy.make_video(folder / "x-1.MP4", sorted(toy.COLOURS)[:2], 5)
    run_protocol(encoder, protocol, folder, cache=cache)
    assert seen == [4, 8, 8], "a file that changed is read again"


def test_says_what_is_wrong(folder, protocol, tmp_path):
    encoder = toy.ColourEncoder()
    with pytest.raises(SaysoError, match=r"list.csv cannot be read: put the list of clips there"):
        run_protocol(encoder, protocol, folder / "deep")
    (folder / "list.csv").write_text("start,end,text,video_id\n1,x,red,abc\n")
    with pytest.raises(SaysoError, match="line 2: expected video, text, start, end in columns video_id"):
        run_protocol(encoder, protocol, folder)
    (folder / "list.csv").write_text("start,end,text,video_id\n1,2,red,nowhere\n")
    with pytest.raises(SaysoError, match=r"none of the 1 clips .* such as nowhere.mp4"):
        run_protocol(encoder, protocol, folder)
    (folder / "list.csv").write_text("start,end,text,video_id\n")
    with pytest.raises(SaysoError, match="lists no clip"):
        run_protocol(encoder, protocol, folder)


def test_a_list_without_a_header_goes_by_numbers(tmp_path):
    line = "1004_Juno_00.32.43-00.32.45\t0\t1\t0\t1\tSOMEONE walks.\n"
    protocol = protocols()["lsmdc"]
    (tmp_path / protocol.annotations).write_text(line * 2)
    listed = list(_listed(tmp_path / protocol.annotations, protocol))
    assert listed == [("1004_Juno_00.32.43-00.32.45", None, "SOMEONE walks.")] * 2


@pytest.mark.parametrize("name", ["youcook2", "msrvtt"])
def test_reads_the_published_lists(shared_data, name):
    protocol = protocols()[name]
    path = shared_data / "retrieval" / protocol.annotations
    listed = list(_listed(path, protocol))
    assert len(listed) == protocol.clips
    assert hashlib.sha256(path.read_bytes()).hexdigest() == protocol.sha256
    assert all(video and text for video, _, text in listed)
    if name == "youcook2":
        assert listed[0][0] == "xHr8X2Wpmno"
        assert (listed[0][1].start, listed[0][1].end) == (47, 60)

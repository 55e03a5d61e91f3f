"""HowTo100M's files as released, made here with exactly their columns and keys."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.core.errors import SaysoError
from sayso.core.types import Caption, Span
from sayso.data import read_corpus
from sayso.data.json_stream import json_entries

HEAD = "video_id,category_1,category_2,rank,task_id"
SAID = {
    "Zx_1-a": {"start": [9.37, 0.5], "end": [13.27, 4], "text": ["glue the wood", "hi there"]},
    "unlisted": {"start": [0], "end": [1], "text": ["nobody asked"]},
    "b2": {"start": [1], "end": [2], "text": ["cut"]},
    "gone": {"start": [1], "end": [2], "text": ["paint"]},
    "empty": {"start": [1.0], "end": [2.0], "text": [float("nan")]},
}


@pytest.fixture
def release(tmp_path):
    rows = [f"{video},Home and Garden,Tools,{i},1048" for i, video in enumerate([*SAID, "unsaid"])]
    listed = [row for row in rows if not row.startswith("unlisted")]
    (tmp_path / "HowTo100M_v1.csv").write_text("\n".join([HEAD, *listed]) + "\n")
    (tmp_path / "task_ids.csv").write_text("1048\tBuild a Chair\n")
    (tmp_path / "caption.json").write_text(json.dumps(SAID))
    (tmp_path / "raw_caption.json").write_text("{}")
    for name in ("videos/part1/Zx_1-a.mp4", "videos/b2.webm", "videos/empty.mp4", "videos/unsaid.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def check(corpus, folder):
    assert list(corpus.ids) == ["Zx_1-a", "b2"]
    assert list(corpus.paths) == [
        str(folder / "videos" / "part1" / "Zx_1-a.mp4"),
        str(folder / "videos" / "b2.webm"),
    ]
    assert [corpus.caption(c) for c in range(corpus.captions)] == [
        Caption(Span(0.5, 4), "hi there"),
        Caption(Span(9.37, 13.27), "glue the wood"),
        Caption(Span(1, 2), "cut"),
    ]
    assert dict(corpus.missing) == {
        "gone": "there is no such video",
        "empty": "has no captions",
        "unsaid": "has no captions",
    }


def test_the_folder_and_the_csv_give_the_videos_that_are_there(release):
    check(read_corpus(release), release)
    check(read_corpus(release / "HowTo100M_v1.csv", videos=release / "videos"), release)


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_captions_may_be_one_file_a_video(release, suffix):
    (release / "caption.json").unlink()
    (release / "raw_caption.json").unlink()
    (release / "captions").mkdir()
    for video, said in SAID.items():
        rows = [",".join(map(str, row)) for row in zip(*said.values(), strict=True)]
        text = json.dumps(said) if suffix == ".json" else "\n".join(["start,end,text", *rows])
        (release / "captions" / f"{video}{suffix}").write_text(text.replace("nan", ""))
    corpus = read_corpus(release)
    check(corpus, release)
    assert sorted(corpus.missing) == sorted(read_corpus(release, captions=release / "captions").missing)


def test_the_list_of_the_training_code_names_files(release):
    listed = release / "small.csv"
    listed.write_text("video_path\npart1/Zx_1-a.mp4\nb2.webm\n")
    corpus = read_corpus(listed, videos=release / "videos")
    assert list(corpus.ids) == ["Zx_1-a", "b2"]
    assert not corpus.missing


def test_features_stand_for_videos(release, tmp_path):
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "gone.npy").write_bytes(b"x")
    corpus = read_corpus(release, videos=tmp_path / "features")
    assert list(corpus.ids) == ["gone"]


def test_where_features_stand_in_for_videos_no_file_is_looked_for(release):
    corpus = read_corpus(release, files=False)
    assert list(corpus.ids) == list(corpus.paths) == ["Zx_1-a", "b2", "gone"]
    assert [missing.why for missing in corpus.missing] == ["has no captions"] * 2


def test_without_captions_it_is_said_what_is_wanted(release):
    (release / "caption.json").unlink()
    (release / "raw_caption.json").unlink()
    with pytest.raises(SaysoError, match=r"HowTo100M_v1\.csv lists videos .* caption\.json is not there"):
        read_corpus(release / "HowTo100M_v1.csv")
    with pytest.raises(SaysoError, match=r"nowhere is not there"):
        read_corpus(release, captions=release / "nowhere")


def test_a_list_beside_videos_with_captions_of_their_own_changes_nothing(release):
    (release / "caption.json").unlink()
    (release / "raw_caption.json").unlink()
    (release / "videos" / "b2.vtt").write_text("WEBVTT\n\n00:03.000 --> 00:04.000\nGlue it\n")
    assert list(read_corpus(release).ids) == ["b2"]


@pytest.mark.parametrize(
    "wrong", ['{"b2": {"start": [1], "end": [2]}}', '{"b2": {"start": [1], "end": [], "text": []}}']
)
def test_columns_that_do_not_fit_name_the_entry(release, wrong):
    (release / "caption.json").write_text(wrong)
    with pytest.raises(SaysoError, match=r"caption\.json, entry b2: expected start, end and text"):
        read_corpus(release)


def test_a_broken_entry_costs_its_video_alone(release):
    said = {**SAID, "empty": {"start": [1], "end": [2]}, "unsaid": None}
    (release / "caption.json").write_text(json.dumps(said))
    corpus = read_corpus(release)
    assert list(corpus.ids) == ["Zx_1-a", "b2"]
    assert [one.path for one in corpus.failures] == ["empty", "unsaid"]
    assert "entry empty: expected start, end and text" in corpus.failures[0].error


def test_a_file_of_captions_that_ends_early_gives_what_it_has(release):
    whole = (release / "caption.json").read_text()
    (release / "caption.json").write_text(whole[: whole.index('"gone"') + 20])
    corpus = read_corpus(release)
    assert list(corpus.ids) == ["Zx_1-a", "b2"]
    assert [one.path for one in corpus.failures] == [str(release / "caption.json")]


def test_captions_that_are_numbers_are_what_was_said(release):
    texts = [1080, 5.0, 2.5, float("nan"), None, True, "cut"]
    times = list(range(len(texts)))
    said = {"b2": {"start": times, "end": [t + 1 for t in times], "text": texts}}
    said["Zx_1-a"] = {
        "start": [0, None, "x", 3],
        "end": [1, 2, 3, float("nan")],
        "text": ["a", "b", "c", "d"],
    }
    (release / "caption.json").write_text(json.dumps(said))
    corpus = read_corpus(release)
    assert list(corpus.texts) == ["1080", "5", "2.5", "True", "cut", "a"]
    assert corpus.dropped == 5
    assert not corpus.failures


json_values = st.lists(st.integers() | st.text(max_size=5) | st.none(), max_size=4) | st.dictionaries(
    st.text(max_size=3), st.floats(allow_nan=False), max_size=3
)


@settings(deadline=None)
@given(
    content=st.dictionaries(st.text(max_size=8), json_values, max_size=8),
    chunk=st.integers(1, 50),
    indent=st.none() | st.integers(0, 2),
)
def test_a_large_object_is_read_entry_by_entry_whatever_the_chunks(tmp_path_factory, content, chunk, indent):
    path = tmp_path_factory.mktemp("json") / "large.json"
    path.write_text(json.dumps(content, indent=indent), encoding="utf-8")
    assert list(json_entries(path, chunk)) == list(content.items())


@pytest.mark.parametrize("wrong", ["", "[1]", '{"a": 1}', '{"a": [1]', '{"a" [1]}', '{"a": [1}', "{1: []}"])
def test_what_is_no_such_object_is_one_sentence(tmp_path, wrong):
    path = tmp_path / "wrong.json"
    path.write_text(wrong)
    with pytest.raises(SaysoError, match=r"wrong\.json cannot be read"):
        list(json_entries(path, chunk=2))

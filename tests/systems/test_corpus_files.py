"""What a corpus counts, writes and deletes: nothing that no longer counts, nothing of others."""

from __future__ import annotations

import io
import tarfile
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from sayso.core.errors import SaysoError
from sayso.systems.corpus import (
    CorpusOptions,
    FindRules,
    Found,
    Ledger,
    LedgerRow,
    Task,
    corpus_status,
    find_videos,
    open_corpus,
    read_funnel,
    take_tasks,
    write_tasks,
)
from sayso.systems.corpus import inputs as corpus_inputs
from sayso.systems.corpus.build import NarratedEntry
from sayso.systems.corpus.build import _add as add_to_shard
from sayso.systems.corpus.state import CorpusState
from sayso.systems.corpus.storage import FolderOfVideos, shelf, video_files
from sayso.systems.corpus.web import leads_inside

SPOKEN = "WEBVTT\n\n00:00.000 --> 00:02.000\n" + "word " * 120 + "\n"


@contextmanager
def state_of(folder: Path, rows, tasks=()):
    """Give the state of a corpus whose ledger has these rows already."""
    with Ledger(folder) as ledger:
        for row in rows:
            ledger.write(row)
        yield CorpusState(ledger, tasks)


def found_row(key: str, status="done", **facts) -> LedgerRow:
    return LedgerRow("find", key, status, facts={"url": f"https://x/{key}", "tasks": {"": 1}} | facts)


def test_a_ledger_of_odd_rows_is_still_counted(tmp_path):
    rows = [found_row("a", duration_s=float("nan"), title="\ud800", tasks={"t": 10**30})]
    with state_of(tmp_path, rows) as state:
        state.record(found_row("b", title="\ud800", tasks={"\ud800": 1}))
        assert read_funnel(state).stages["find"].done == 2


def test_what_no_longer_counts_is_not_counted(tmp_path):
    long = Found("v", "https://x/v.mp4", "t", 500.0, 1000, ("en",)).facts() | {"tasks": {"": 1}}
    rows = [
        LedgerRow("find", "v", "done", facts=long),
        LedgerRow("captions", "v", "done", "silent"),
        LedgerRow("fetch", "v", "failed", "cut off", 5),
    ]
    with state_of(tmp_path / "a", rows) as state:
        assert read_funnel(state).failed == 1
        find_videos(state, SimpleNamespace(search=None), FindRules(max_s=100))
        funnel = read_funnel(state)
        assert (funnel.failed, funnel.silent, state.count_waiting("fetch", "failed")) == (0, 0, 0)
    assert funnel.failures == ()
    assert funnel.stages["find"].lost == {"rejected": {"duration": 1}}
    failed = [LedgerRow("search", title, "failed", "HTTP 500", 5) for title in ("Be Happy", "Peel Garlic")]
    with state_of(tmp_path / "b", failed, [(0, "Be Happy", False), (1, "Peel Garlic", True)]) as state:
        funnel = read_funnel(state)
    assert [row.key for row in funnel.failures] == ["Peel Garlic"] and funnel.failed == 1


def test_a_status_may_come_as_a_shard_gets_its_name(tmp_path, monkeypatch):
    rows = [LedgerRow("find", f"v{k}", "done", at="t") for k in range(3)]
    with Ledger(tmp_path, shard=2) as ledger:
        for row in rows:
            ledger.write(row)
        opening = Path.open

        def sealed_before(path, *how):
            if how == ("rb",) and path.name.endswith(".part"):
                ledger.seal()
            return opening(path, *how)

        monkeypatch.setattr(Path, "open", sealed_before)
        assert list(Ledger(tmp_path).rows()) == rows


def test_only_our_unfinished_files_are_deleted(tmp_path):
    ours = [
        tmp_path / shelf("a.b") / name
        for name in (
            *(".a.b.mp4.123.part", ".a.b.mp4.123.part.mp4", ".a.b.mp4.123.part.mp4.ytdl"),
            *(".a.b.en.vtt.x_3abcde.sayso.part", ".a.b.en.auto.vtt.sayso.part"),
        )
    ]
    others = [
        tmp_path / "mine" / ".a.b.mp4.123.part",
        tmp_path / shelf("a.b") / ".film.mkv.part",
        tmp_path / shelf("a.b") / ".other.mp4.123.part",
        tmp_path / shelf("a.b") / ".a.b.mp4.part",
    ]
    for path in ours + others:
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    FolderOfVideos(tmp_path).clean()
    assert {path for path in ours + others if path.exists()} == set(others)


def test_a_build_without_the_folder_of_the_run_writes_nothing(tmp_path):
    corpus, to = tmp_path / "corpus", tmp_path / "to"
    (to / "ab").mkdir(parents=True)
    (to / "ab" / "v.en.vtt").write_text(SPOKEN)
    (to / "ab" / "v.mp4").write_bytes(b"x")
    with open_corpus(corpus, CorpusOptions(to=str(to)), create=True) as opened:
        opened.state.record(found_row("v"))
        opened.state.record(LedgerRow("captions", "v", "done", facts={"captions": "ab/v.en.vtt"}))
        opened.state.record(LedgerRow("fetch", "v", "done", facts={"at": "ab/v.mp4"}))
        opened.build()
    before = (corpus / "videos.csv").read_bytes()
    elsewhere = CorpusOptions(to=str(tmp_path / "elsewhere"))
    with open_corpus(corpus, elsewhere) as opened, pytest.raises(SaysoError, match="give the --to FOLDER"):
        opened.build()
    assert (corpus / "videos.csv").read_bytes() == before and corpus_status(corpus).clips == 1
    (to / "ab" / "v.en.vtt").unlink()
    with (
        open_corpus(corpus, CorpusOptions(to=str(to))) as opened,
        pytest.raises(SaysoError, match="captions"),
    ):
        opened.build()
    assert (corpus / "videos.csv").read_bytes() == before
    (corpus / "videos" / "ab").mkdir(parents=True)
    (corpus / "videos" / "ab" / "v.en.vtt").write_text(SPOKEN)
    options = CorpusOptions(form="shards")
    with open_corpus(corpus, options) as opened, pytest.raises(SaysoError, match=r"v.mp4 is not there; give"):
        opened.build()


def test_the_status_of_a_corpus_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with open_corpus(tmp_path / "corpus", create=True):
        pass
    assert corpus_status(Path("~/corpus")).clips == 0


def test_names_of_shards_have_one_dot(tmp_path):
    with tarfile.open(tmp_path / "0.tar", "w") as shard:
        for key in ("talk.1", "talk.2"):
            (tmp_path / f"{key}.mp4").write_bytes(b"x")
            columns = {"start": [0], "end": [1], "text": ["hi"]}
            entry = NarratedEntry(Found(key, "https://x"), 1, "t", 0, ("t",), f"{key}.mp4", columns)
            add_to_shard(shard, entry, f"{key}.mp4", tmp_path)
    with tarfile.open(tmp_path / "0.tar") as shard:
        assert shard.getnames() == [f"talk%2E{k}.{kind}" for k in (1, 2) for kind in ("mp4", "json")]


def test_a_bucket_is_not_blamed_for_its_reader(monkeypatch):
    store = SimpleNamespace(open_input_file=lambda _: io.BytesIO(b"x"))
    monkeypatch.setattr("sayso.systems.corpus.storage._store", lambda _: store)
    files = video_files("s3://films")
    with pytest.raises(OSError, match="disk is full"), files.open("s3://films/x"):
        raise OSError("disk is full")


def test_a_list_that_was_taken_is_not_that_of_the_titles(tmp_path, monkeypatch):
    monkeypatch.setattr(
        corpus_inputs, "score_tasks", lambda titles, **_: [Task(t, True, 1, "", "", "") for t in titles]
    )
    folder, other = tmp_path / "corpus", tmp_path / "other.csv"
    titles = lambda: [title for _, title, _ in corpus_inputs.read_task_list(folder / "tasks.csv")]  # noqa: E731
    corpus_inputs.prepare_tasks(["A"], folder)
    write_tasks(other, [Task("B", True, 1, "", "", "")])
    take_tasks(other, folder)
    assert titles() == ["B"]
    corpus_inputs.prepare_tasks(["A"], folder)
    assert titles() == ["A"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"a,b\n1,2\n", "it has no column 'title'"),
        (b"title,visual\n" + b"a" * 200_000, r"tasks: field larger"),
    ],
)
def test_a_list_of_tasks_that_cannot_be_read_is_one_sentence(tmp_path, content, why):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(SaysoError, match=why):
        corpus_inputs.read_task_list(tmp_path / "t.csv")


def test_where_videos_go_is_remembered_by_what_sends_them_there(tmp_path):
    folder = tmp_path / "corpus"
    with open_corpus(folder, CorpusOptions(to=str(tmp_path / "videos")), create=True) as corpus:
        assert corpus.captions == tmp_path / "videos"
    with open_corpus(folder) as corpus:
        assert corpus.captions == folder / "videos", "nothing went there yet"
    for to, captions in ((str(tmp_path / "videos"), tmp_path / "videos"), ("s3://b/v", folder / "videos")):
        with open_corpus(folder, CorpusOptions(to=to)) as corpus:
            corpus.read_captions()
        with open_corpus(folder) as corpus:
            assert (corpus.fetch_plan().to, corpus.captions) == (to, captions)


def test_rows_and_shards_that_are_none_are_passed_over(tmp_path):
    with Ledger(tmp_path) as ledger:
        ledger.write(found_row("a"))
    (tmp_path / "000000 (a copy in conflict).jsonl").write_text(
        '{"stage": "find", "key": ["x"], "status": "done"}\n'
    )
    with (tmp_path / "000000.jsonl").open("a") as file:
        file.write('{"stage": "find", "key": "b", "status": "done", "facts": "odd"}\n')
    with Ledger(tmp_path) as ledger:
        ledger.write(found_row("c"))
        assert [row.key for row in ledger.rows()] == ["a", "c"]


@pytest.mark.parametrize(
    ("origin", "target", "inside"),
    [
        ("https://videos.example/a", "http://127.0.0.1:8080/admin", True),
        ("https://videos.example/a", "http://[::1]/", True),
        ("https://videos.example/a", "http://192.168.0.1/", True),
        ("https://videos.example/a", "http://printer.local/", True),
        ("https://videos.example/a", "https://cdn.example/b", False),
        ("http://127.0.0.1:8000/a", "http://127.0.0.1:9000/b", False),
    ],
)
def test_nothing_outside_leads_into_this_network(origin, target, inside):
    assert leads_inside(origin, target) == inside

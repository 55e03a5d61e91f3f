"""Whoever answers, the answer is that of one's own process: to the last byte, hints and errors too."""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import toy
from listening import listening
from sayso import Index
from sayso.core.errors import QueryError, SaysoError
from sayso.serve.local import client, lines
from sayso.serve.local.answering import KeptModels, SearchAnswers
from sayso.serve.local.client import WarmIndex
from sayso.serve.local.place import socket_name
from waiting import PATIENCE_S

SEARCHES = [
    ("blue", {}),
    ("2:red + green - white", {"limit": 2, "merge": False}),
    ("spoken sentence", {"text_weight": 0.7, "min_score": 0.01}),
    ("green", {"by_file": True, "filter": "kind = 'picture'"}),
    ("", {"filter": "duration_s > 1"}),
    ("who:ilsa red", {}),
    ("red", {"like": "green.png"}),
    ("red + ./green.png", {}),
    ("rb.mp4@5 - red", {}),
    ("", {"like": "rb.mp4@1"}),
]


class Counted(SearchAnswers):
    """Answers from the folder that is named, and counts how often that came to something."""

    answered = 0

    def __call__(self, request):
        answer = super().__call__(request)
        self.answered += 1
        return answer


@pytest.fixture
def answers():
    """As in the daemon."""
    return Counted(lambda _name, _device: toy.ColourEncoder(), moves=True)


def as_printed(hits):
    return [json.dumps(hit.to_dict(), ensure_ascii=False) for hit in hits]


@pytest.mark.parametrize(("query", "options"), SEARCHES)
def test_answers_are_the_same_to_the_last_byte(
    runtime, index, media, colours, answers, monkeypatch, caplog, query, options
):
    monkeypatch.chdir(media)
    caplog.set_level(logging.INFO, "sayso")
    expected = as_printed(Index.open(index.store.address, create=False).search(query, **options))
    hints = [(r.name, r.levelno, r.getMessage()) for r in caplog.records]
    caplog.clear()
    with listening(answers):
        warm = WarmIndex(index.store.address)
        assert as_printed(warm.search(query, **options)) == expected
        said = [(r.name, r.levelno, r.getMessage()) for r in caplog.records]
        assert warm._opened is None
        assert as_printed(warm.search(query, **options)) == expected
    assert answers.answered == 2
    assert ("who:" in query) == bool(hints)
    assert set(said) == set(hints)


def test_pictures_come_along_where_they_are_wanted(runtime, index, answers):
    with listening(answers):
        warm = WarmIndex(index.store.address, pictures=True)
        hits = warm.search("blue")
        assert [warm.thumbnail(hit.id) for hit in hits] == [index.thumbnail(hit.id) for hit in hits]
        assert warm._opened is None


@pytest.mark.parametrize(
    ("query", "options", "error"),
    [
        ("red + ./none.png", {}, SaysoError),
        ("red", {"filter": "nothing = 3"}, QueryError),
        ("red - red", {}, QueryError),
        ("", {}, QueryError),
        ("red", {"text_weight": 3.0}, QueryError),
    ],
)
def test_errors_are_those_of_ones_own_process(runtime, index, colours, answers, query, options, error):
    with pytest.raises(error) as own:
        Index.open(index.store.address, create=False).search(query, **options)
    with listening(answers), pytest.raises(error) as asked:
        WarmIndex(index.store.address).search(query, **options)
    assert str(asked.value) == str(own.value)
    assert type(asked.value) is type(own.value)
    assert answers.answered == 0


def test_an_index_that_is_not_there_is_told_as_ever(runtime, tmp_path, answers):
    with listening(answers), pytest.raises(SaysoError, match="there is no index at"):
        WarmIndex(str(tmp_path / "none.index")).search("red")


def test_what_was_committed_meanwhile_is_found(runtime, index, media, answers):
    with listening(answers):
        assert len(WarmIndex(index.store.address).search("cyan", merge=False)) == 4
        toy.make_picture(media / "cyan.png", "cyan")
        index.add(media)
        found = WarmIndex(index.store.address).search("cyan", merge=False)
        assert len(found) == 5
        assert found[0].title == "cyan"
        shutil.rmtree(index.store.address)
        other = Index.open(index.store.address, toy.ColourEncoder())
        other.add(media / "green.png")
        assert [hit.title for hit in WarmIndex(index.store.address).search("cyan")] == ["green"]
    assert answers.answered == 3


def test_one_of_another_environment_is_not_asked(runtime, index, colours, answers, monkeypatch):
    with listening(answers):
        monkeypatch.setenv("SAYSO_OFFLINE", "1")
        assert WarmIndex(index.store.address).search("red")
    assert answers.answered == 0


@pytest.mark.parametrize("how", ["--no-daemon", "SAYSO_NO_DAEMON"])
def test_nobody_is_asked_where_that_is_not_wanted(runtime, index, colours, answers, monkeypatch, how):
    if how == "SAYSO_NO_DAEMON":
        monkeypatch.setenv(how, "1")
    started = []
    monkeypatch.setattr("sayso.serve.local.start.start_daemon", lambda *told: started.append(told))
    with listening(answers, name=socket_name()):
        warm = WarmIndex(index.store.address, daemon=how != "--no-daemon")
        assert warm.search("red")
        warm.leave_daemon()
    assert not started
    assert answers.answered == 0


def test_a_daemon_is_left_where_one_had_to_search_alone(runtime, index, colours, answers, monkeypatch):
    started = []
    monkeypatch.setattr("sayso.serve.local.start.start_daemon", lambda *told: started.append(told))
    warm = WarmIndex(index.store.address)
    warm.search("red")
    warm.leave_daemon()
    assert started == [(socket_name(), index.store.address, "auto")]
    with listening(answers):
        warm = WarmIndex(index.store.address)
        warm.search("red")
        warm.leave_daemon()
    monkeypatch.setenv("SAYSO_DAEMON_MINUTES", "0")
    warm = WarmIndex(index.store.address)
    warm.search("red")
    warm.leave_daemon()
    assert len(started) == 1


def test_one_that_hangs_fails_or_lies_is_done_without(runtime, index, colours, monkeypatch):
    monkeypatch.setattr(lines, "PATIENCE_S", 0.2)
    expected = as_printed(index.search("blue"))

    def fails(request):
        raise RuntimeError

    for answer in (fails, lambda request: {}):
        with listening(answer):
            assert as_printed(WarmIndex(index.store.address).search("blue")) == expected
    with socket.socket(socket.AF_UNIX) as hanging:  # accepts nothing
        hanging.bind(str(runtime / socket_name()))
        hanging.listen()
        assert as_printed(WarmIndex(index.store.address).search("blue")) == expected


def test_a_server_names_no_files_for_others(runtime, index, media, colours, monkeypatch):
    monkeypatch.chdir(media)
    serving = Counted(lambda _name, _device: toy.ColourEncoder())
    with listening(serving, name=socket_name(index.store.address), idle_s=None):
        for query, options in [("green.png", {}), ("rb.mp4@5 + red", {}), ("red", {"like": "green.png"})]:
            expected = as_printed(index.search(query, **options))
            assert as_printed(WarmIndex(index.store.address).search(query, **options)) == expected
        assert serving.answered == 0
        assert as_printed(WarmIndex(index.store.address).search("blue")) == as_printed(index.search("blue"))
        assert serving.answered == 1


def test_a_kept_model_says_each_time_what_loading_it_said_and_goes_with_its_files(
    tmp_path, monkeypatch, caplog
):
    loaded = []

    def load(name, *, device):
        loaded.append(name)
        logging.getLogger("sayso.hub").warning("%s is not checked", name)
        return toy.ColourEncoder()

    monkeypatch.setattr("sayso.encoders.load_encoder", load)
    (tmp_path / "weights").write_text("one")
    keep = KeptModels()
    assert keep(str(tmp_path), "cpu") is keep(str(tmp_path), "cpu")
    assert [r.getMessage() for r in caplog.records] == [f"{tmp_path} is not checked"] * 2
    (tmp_path / "weights").write_text("another")
    keep(str(tmp_path), "cpu")
    keep(str(tmp_path), "cuda")
    assert len(loaded) == 3


def test_a_folder_that_is_gone_is_no_reason_to_fail(runtime, index, colours, tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    Path(tmp_path / "gone").rmdir()
    assert client.WarmIndex(index.store.address).search("red")
    with pytest.raises(OSError, match="No such file"):
        os.getcwd()


def test_asking_imports_nothing_heavy():
    code = (
        "import sys, sayso.cli.main, sayso.cli.search, sayso.serve.local.client, sayso.index.hit;"
        "heavy = {'numpy', 'pyarrow', 'lancedb', 'av', 'PIL', 'rich', 'torch', 'fastapi'};"
        "heavy &= sys.modules.keys();"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE_S)

"""``sayso serve`` on the command line."""

from __future__ import annotations

import signal
import socket
import sys

import httpx
import pytest
from typer.testing import CliRunner

import toy
from sayso import Index
from sayso.core.errors import SaysoError
from waiting import PATIENCE_S, process


@pytest.fixture
def index_path(tmp_path):
    """The folder of a small index."""
    toy.make_picture(tmp_path / "a.png", "red")
    Index.open(tmp_path / "toy.index", toy.ColourEncoder()).add(tmp_path / "a.png")
    return tmp_path / "toy.index"


def run(*arguments: object):
    from sayso.cli.main import app

    return CliRunner().invoke(app, ["serve", *map(str, arguments)])


def test_the_address_alone_is_on_stdout_and_an_interrupt_is_no_error(index_path):
    arguments = [sys.executable, "-m", "sayso", "serve", str(index_path)]
    with process(arguments) as server:
        url, options = server.stdout.readline().strip(), {"trust_env": False, "timeout": PATIENCE_S}
        assert httpx.get(f"{url}api/index", **options).json()["pictures"] == 1
        answer = httpx.get(f"{url}api/search", params={"q": "red"}, **options)
        assert answer.status_code >= 400, "nobody can load the encoder of the tests by its name"
        assert "colour" in answer.json()["error"]
        server.send_signal(signal.SIGINT)
        assert server.communicate(timeout=PATIENCE_S) == ("", "")
        assert server.returncode == 0


def test_there_must_be_an_index(tmp_path):
    result = run(tmp_path / "nothing.index", "--no-open")
    assert isinstance(result.exception, SaysoError)
    assert "there is no index at" in str(result.exception)
    assert not (tmp_path / "nothing.index").exists()


def test_a_taken_port_is_an_error_that_offers_another(index_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run(index_path, "--port", taken.getsockname()[1])
    assert isinstance(result.exception, SaysoError)
    assert "is taken; use --port" in str(result.exception)


def test_another_model_is_refused(index_path):
    result = run(index_path, "--model", "offline")
    assert isinstance(result.exception, SaysoError)
    assert "made by the model colour" in str(result.exception)


def test_a_port_out_of_range_is_a_usage_error(index_path):
    assert run(index_path, "--port", 70000).exit_code == 2


def test_a_bad_token_is_told(index_path):
    result = run(index_path, "--token", "a b")
    assert "a token is 8 to 200 letters" in str(result.exception)


def test_of_several_those_that_cannot_be_opened_are_named_and_the_others_served(
    index_path, tmp_path, monkeypatch, caplog
):
    served = {}
    monkeypatch.setattr("sayso.serve.serve", lambda indexes, *_, **options: served.update(indexes, **options))
    result = run(index_path, tmp_path / "gone.index", index_path, "--no-open")
    assert result.exit_code == 0
    assert served.keys() >= {"toy", "toy-2"}
    assert list(served["unopened"]) == ["gone"]
    assert "gone is not served: there is no index at" in caplog.text

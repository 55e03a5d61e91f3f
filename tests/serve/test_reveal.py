"""Opening files on this machine: from the page alone, without a shell, and what cannot be done is said."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from sayso.serve.reveal import command
from waiting import PATIENCE_S, wait_for


@pytest.fixture(scope="module")
def here(library, serving):
    """The library behind a server for this machine alone."""
    with serving(*library, local=True) as site:
        yield site


@pytest.fixture
def opener(tmp_path, monkeypatch):
    """A program in the place of xdg-open that notes what it is asked to open."""
    monkeypatch.setattr("sayso.serve.reveal.sys.platform", "linux")
    monkeypatch.setattr("sayso.serve.reveal.STARTED_S", PATIENCE_S)
    monkeypatch.setenv("PATH", str(tmp_path))
    program, noted = tmp_path / "xdg-open", tmp_path / "noted"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(noted)!r}, 'a').write('|'.join(sys.argv[1:]))\n"
    )
    program.chmod(0o755)
    return noted


def post(site, how, name, **headers):
    headers = {"origin": site.url, **headers}
    return site.client.post(f"/api/{how}/{site.id_of(name)}", headers=headers)


def test_a_file_is_opened_and_its_folder_shown(here, opener):
    assert post(here, "open", "talk.mp4").status_code == 204
    assert opener.read_text() == str(here.folder / "talk.mp4")
    opener.unlink()
    assert post(here, "reveal", "talk.mp4").status_code == 204
    assert opener.read_text() == str(here.folder)


@pytest.mark.parametrize("origin", ["http://127.0.0.1:1", "http://evil.example", "null", ""])
def test_no_other_page_may_ask(here, opener, origin):
    answer = post(here, "open", "talk.mp4", origin=origin)
    assert (answer.status_code, answer.json()["error"]) == (
        403,
        "only the page of this server may open files",
    )
    assert here.client.get(f"/api/open/{here.id_of('talk.mp4')}").status_code in (404, 405)
    assert not opener.exists()


def test_where_others_can_reach_the_server_there_is_no_such_route(site, opener):
    assert post(site, "open", "talk.mp4").status_code in (404, 405)
    assert site.client.get("/api/index").json()["local"] is False
    assert not opener.exists()


def test_what_cannot_be_shown_is_said_in_a_sentence(here, opener, tmp_path):
    (tmp_path / "xdg-open").write_text("#!/bin/sh\nexit 3\n")
    answer = post(here, "reveal", "talk.mp4")
    assert answer.status_code == 503
    assert answer.json()["error"].startswith(
        "xdg-open cannot show files here (is there a desktop?); the file is "
    )
    (tmp_path / "xdg-open").unlink()
    assert "has no xdg-open" in post(here, "open", "talk.mp4").json()["error"]
    assert here.client.post("/api/open/nobody", headers={"origin": here.url}).status_code == 404


def test_a_program_that_stays_is_not_waited_for(here, opener, tmp_path, monkeypatch):
    monkeypatch.setattr("sayso.serve.reveal.STARTED_S", 0.2)
    (tmp_path / "xdg-open").write_text(
        f"#!{sys.executable}\nimport time\ntime.sleep(1)\nopen({str(opener)!r}, 'w').write('done')\n"
    )
    began = time.monotonic()
    assert post(here, "open", "talk.mp4").status_code == 204
    wait_for(opener.exists, lambda: "the program was ended")
    assert time.monotonic() >= began + 1


def test_the_commands_of_each_platform_hold_the_path_as_one_argument():
    path = "/films/a b; rm -rf $HOME & 'x'.mp4"
    assert command(path, "reveal", "darwin") == ["open", "-R", path]
    assert command(path, "open", "darwin") == ["open", path]
    assert command(path, "reveal", "win32") == ["explorer", "/select,", path]
    assert command(path, "reveal", "linux") == ["xdg-open", str(Path(path).parent)]

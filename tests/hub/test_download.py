"""A model of the hub becomes a folder that loads with nothing else around."""

from __future__ import annotations

import subprocess
import sys

import hubs
import numpy as np
import pytest

from sayso.core.errors import SaysoError, Unavailable
from sayso.encoders import load
from sayso.hub.download import pull


def test_the_folder_gives_the_same_answers_without_the_cache(cache, tiny, no_sockets, tmp_path, monkeypatch):
    hubs.into_cache(tiny["clip"], cache, "some/clip")
    expected = load("some/clip", device="cpu").encode_text(["a red car"])
    told: list[str] = []
    to = tmp_path / "models" / "clip"
    size = pull("some/clip", to, notify=told.append)
    assert size == sum(path.stat().st_size for path in to.rglob("*"))
    assert not told
    assert not any(path.is_symlink() for path in to.rglob("*"))
    assert [path.name for path in to.parent.iterdir()] == ["clip"]
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    np.testing.assert_array_equal(load(str(to), device="cpu").encode_text(["a red car"]), expected)


def test_refuses_what_it_cannot_do(cache, tiny, no_sockets, tmp_path, monkeypatch):
    monkeypatch.setenv("SAYSO_OFFLINE", "1")
    hubs.into_cache(tiny["clip"], cache, "some/clip")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine.txt").write_text("keep me")
    with pytest.raises(SaysoError, match="not an empty folder"):
        pull("some/clip", tmp_path / "used", notify=print)
    assert (tmp_path / "used" / "mine.txt").read_text() == "keep me"
    with pytest.raises(SaysoError, match="only models of the hub"):
        pull("offline", tmp_path / "new", notify=print)
    with pytest.raises(Unavailable):
        pull("some/other", tmp_path / "new", notify=print)
    assert not (tmp_path / "new").exists()


def test_the_verb(cache, tiny, tmp_path):
    hubs.into_cache(tiny["clip"], cache, "some/clip")
    command = [
        sys.executable,
        "-m",
        "sayso",
        "--offline",
        "pull",
        "some/clip",
        "--to",
        str(tmp_path / "copy"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"--model {tmp_path / 'copy'}" in done.stdout
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert again.stderr.count("\n") == 1

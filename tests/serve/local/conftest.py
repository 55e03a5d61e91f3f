"""A folder for sockets, and a small index whose model the tests have at hand."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import toy
from sayso import Index
from sayso.serve.local.start import stop_daemons
from waiting import PATIENCE_S


@pytest.fixture
def runtime(monkeypatch) -> Iterator[Path]:
    """The folder of sockets; a test's own path would be too long for one."""
    folder = tempfile.mkdtemp(prefix="s", dir="/tmp")
    monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
    monkeypatch.delenv("SAYSO_NO_DAEMON")
    for limit in ("start.START_S", "start.STOP_S", "lines.PATIENCE_S"):  # a busy machine is no silent daemon
        monkeypatch.setattr(f"sayso.serve.local.{limit}", PATIENCE_S)
    monkeypatch.setattr("sayso.serve.local.listener.LOOK_S", 0.02)  # nobody waits for the end of one
    yield Path(folder, "sayso")
    stop_daemons()
    shutil.rmtree(folder)


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    toy.make_video(folder / "rb.mp4", ["red", "blue"])
    toy.make_picture(folder / "white.png", "white")
    toy.make_picture(folder / "green.png", "green")
    (folder / "rb.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:03.000\na spoken sentence\n")
    return folder


@pytest.fixture
def index(tmp_path: Path, media: Path) -> Index:
    made = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    assert not made.add(media).failures
    return made


@pytest.fixture
def colours(monkeypatch) -> None:
    """The model that an index names is the colour encoder."""
    monkeypatch.setattr("sayso.encoders.load_encoder", lambda name="auto", **options: toy.ColourEncoder())

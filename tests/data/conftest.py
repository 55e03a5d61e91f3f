"""A corpus of real files."""

from __future__ import annotations

import pytest

from data.narrated import narrate
from sayso.data import read_corpus


@pytest.fixture(scope="session")
def narrated(tmp_path_factory):
    """A folder of seven narrated videos; one cannot be decoded."""
    folder = tmp_path_factory.mktemp("narrated")
    for i in range(6):
        narrate(folder, f"v{i}")
    (folder / "v6.mp4").write_bytes(b"no video at all")
    (folder / "v6.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:02.000\nv6 nothing\n")
    return folder


@pytest.fixture(scope="session")
def corpus(narrated):
    return read_corpus(narrated)

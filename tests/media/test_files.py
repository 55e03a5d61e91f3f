from __future__ import annotations

import os
import socket

import pytest

from sayso.core.errors import MediaError
from sayso.media import probe, read_clip, read_image, sniff, stream_frames
from sayso.media.files import open_regular, printable_path

CALLS = {
    "probe": probe,
    "read_clip": lambda path: read_clip(path, 0, 1, frames=1),
    "stream_frames": lambda path: list(stream_frames(path, fps=1)),
    "read_image": read_image,
    "sniff": sniff,
}


def odd_file(kind, folder):
    """Make something that is no readable file; return its path and what must be said of it."""
    path = folder / f"{kind}.mp4"
    if kind == "pipe":
        os.mkfifo(path)
        return path, "is a named pipe"
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
        return path, "is a socket"
    if kind == "folder":
        path.mkdir()
        return path, "is a folder; name a file in it"
    if kind == "loop":
        path.symlink_to(path)
        return path, "the symbolic link leads back to itself"
    if kind == "empty":
        path.touch()
        return path, r"is empty \(0 bytes\)"
    if kind == "device":
        return "/dev/zero", "is a device; name a file"
    if kind == "below a file":
        (folder / "file").write_text("x")
        return folder / "file" / "x.mp4", "there is nothing at this path"
    if kind == "long name":
        return folder / ("x" * 300), "the name is too long"
    if kind == "null":
        return str(folder / "a\0b.mp4"), "the name cannot be used"
    return path, "there is nothing at this path"


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "kind",
    ["pipe", "socket", "folder", "loop", "empty", "device", "below a file", "long name", "null", "missing"],
)
def test_refuses_what_is_no_file_and_says_why(tmp_path, monkeypatch, kind, call):
    monkeypatch.chdir(tmp_path)
    path, says = odd_file(kind, tmp_path)
    with pytest.raises(MediaError, match=says) as raised:
        CALLS[call](path)
    assert "\n" not in str(raised.value)
    assert os.path.basename(os.fspath(path))[:3] in str(raised.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_refuses_what_may_not_be_read(tmp_path):
    (tmp_path / "secret.mp4").write_text("x")
    (tmp_path / "secret.mp4").chmod(0)
    with pytest.raises(MediaError, match=r"secret.mp4: permission to read it is denied"):
        probe(tmp_path / "secret.mp4")


def test_says_that_permission_is_denied_whoever_asks(tmp_path, monkeypatch):
    (tmp_path / "secret.mp4").write_text("x")

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(MediaError, match=r"secret.mp4: permission to read it is denied"):
        probe(tmp_path / "secret.mp4")


def test_follows_links_to_files(tmp_path):
    (tmp_path / "real").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("real")
    with open_regular(tmp_path / "link") as descriptor:
        assert os.read(descriptor, 9) == b"abc"
    with pytest.raises(OSError, match=r"Bad file descriptor"):
        os.fstat(descriptor)


def test_any_name_can_be_printed():
    assert printable_path("a/ü.mp4") == "a/ü.mp4"
    assert printable_path(os.fsdecode(b"caf\xe9.mp4")).encode() == "caf\ufffd.mp4".encode()

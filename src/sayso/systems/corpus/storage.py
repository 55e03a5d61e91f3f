"""Where fetched videos go: a folder, or an object store (``s3://bucket/name``).

A video is there whole or not at all. Its name begins with two letters of a digest, so that no folder holds
millions of files.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from sayso.core.errors import SaysoError
from sayso.core.io import UNFINISHED, atomic_path

SUFFIX = ".mp4"
_BLOCK = 1 << 20
_UNFINISHED = re.compile(r"\.(?P<video>.+)\.mp4\.\d+\.part(\.mp4.*)?")  # as core.io names it, and yt-dlp
_CAPTIONS = re.compile(
    rf"\.(?P<video>.+?)\.[^.]+(\.auto)?\.[a-z0-9]+(\.[a-z0-9_]{{8}})?{re.escape(UNFINISHED)}"
)
Fill = Callable[[Path], int]


def shelf(video: str) -> str:
    """Return the folder of a video, of 256."""
    return hashlib.sha256(video.encode()).hexdigest()[:2]


class VideoFiles(Protocol):
    """A place for videos."""

    def size(self, video: str) -> int | None:
        """Return how many bytes a video has; None if it is not there."""

    def put(self, video: str, fill: Fill) -> int:
        """Add a video that ``fill`` writes into the file that it is given; return what that returns."""

    def place(self, video: str) -> str:
        """Return where a video is, or will be: relative to a folder, or its address."""

    def open(self, place: str) -> Any:
        """Give a context manager of the bytes at a place."""


class FolderOfVideos:
    """Videos in a folder.

    Args:
        folder: which.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, video: str) -> str:
        """Return the path of a video, relative to the folder."""
        return f"{shelf(video)}/{video}{SUFFIX}"

    def size(self, video: str) -> int | None:
        """Return how many bytes a video has; None if it is not there."""
        path = self.folder / self.place(video)
        return path.stat().st_size if path.is_file() else None

    def put(self, video: str, fill: Fill) -> int:
        """Add a video that ``fill`` writes; return what that returns."""
        with atomic_path(self.folder / self.place(video)) as waiting:
            return fill(waiting)

    def clean(self) -> None:
        """Delete what a kill left of files of ours that were not whole; those of other programs stay."""
        for waiting in self.folder.glob("*/.*.part*"):
            if _is_ours(waiting):
                waiting.unlink(missing_ok=True)

    def open(self, place: str) -> IO[bytes]:
        """Give the bytes at a place."""
        return (self.folder / place).open("rb")


class BucketOfVideos:
    """Videos in an object store; each comes to this machine first, as it is checked before it goes there.

    Args:
        address: ``s3://bucket/name``.

    Raises:
        SaysoError: if the store cannot be reached.
    """

    def __init__(self, address: str) -> None:
        self.root = address.removesuffix("/")
        self._store = _store(self.root)

    def place(self, video: str) -> str:
        """Return the address of a video."""
        return f"{self.root}/{shelf(video)}/{video}{SUFFIX}"

    def size(self, video: str) -> int | None:
        """Return how many bytes a video has; None if it is not there."""
        with _reached(self.root):
            size: int | None = self._store.get_file_info(_key(self.place(video))).size
            return size

    def put(self, video: str, fill: Fill) -> int:
        """Add a video that ``fill`` writes; return what that returns."""
        with tempfile.TemporaryDirectory(prefix="sayso-") as folder:
            waiting = Path(folder, f"video{SUFFIX}")
            filled = fill(waiting)
            with (
                _reached(self.root),
                waiting.open("rb") as file,
                self._store.open_output_stream(_key(self.place(video))) as out,
            ):
                while block := file.read(_BLOCK):
                    out.write(block)
        return filled

    def clean(self) -> None:
        """Do nothing: an object is whole or not there."""

    @contextmanager
    def open(self, place: str) -> Iterator[IO[bytes]]:
        """Give the bytes at a place."""
        with _reached(place):
            file = self._store.open_input_file(_key(place))
        with file:
            yield file


def video_files(address: str) -> FolderOfVideos | BucketOfVideos:
    """Return the place that an address names."""
    return BucketOfVideos(address) if is_bucket(address) else FolderOfVideos(Path(address).expanduser())


def _is_ours(waiting: Path) -> bool:
    """Tell whether a file is an unfinished one of a video whose files lie in this folder."""
    known = _UNFINISHED.fullmatch(waiting.name) or _CAPTIONS.fullmatch(waiting.name)
    return known is not None and shelf(known["video"]) == waiting.parent.name


def is_bucket(address: str) -> bool:
    """Tell whether an address is one of an object store."""
    return address.startswith("s3://")


def _key(address: str) -> str:
    return address.removeprefix("s3://")


def _store(address: str) -> Any:
    """Return the object store of an address, with the keys and the endpoint that the environment names."""
    from pyarrow.fs import S3FileSystem

    named = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    endpoint = next((os.environ[name] for name in named if os.environ.get(name)), None)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    with _reached(address):
        return S3FileSystem(endpoint_override=endpoint, region=region)


@contextmanager
def _reached(address: str) -> Iterator[None]:
    """Say in a sentence that an object store cannot be used."""
    try:
        yield
    except OSError as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SaysoError(
            f"{address} cannot be used: {first}; check the address, AWS_* and its rights"
        ) from error

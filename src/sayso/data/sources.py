"""Which files are meant: folders, single files, manifests, and lists from stdin."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sayso.core.errors import SaysoError
from sayso.core.fence import why_it_failed
from sayso.core.ownership import drawn_in, is_own
from sayso.core.types import Caption
from sayso.data.manifest import MANIFESTS, Failure, ListedFile, read_manifest

SEEN_CAPTIONS = "captions.jsonl"
WORDS_SUFFIX = ".words.json"  # of the times of words that ``sayso transcribe`` heard


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was met and is not looked at: no video or picture by its name, or captions."""

    path: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What some paths name.

    Attributes:
        files: each once.
        failures: what could not be found or listed.
        skipped: files of folders that are neither videos nor pictures, without captions and manifests.
    """

    files: tuple[ListedFile, ...] = ()
    failures: tuple[Failure, ...] = ()
    skipped: tuple[str, ...] = ()

    def with_sound(self, wanted: Callable[[str], bool]) -> Listing:
        """Return the same with some of the files of sound, which are skipped otherwise.

        Args:
            wanted: tells of a path whose name is one of sound whether it counts.
        """
        from sayso.media.kinds import names_sound

        heard = {path for path in self.skipped if names_sound(path) and wanted(path)}
        files = (*self.files, *(ListedFile(path) for path in self.skipped if path in heard))
        return Listing(files, self.failures, tuple(path for path in self.skipped if path not in heard))


def list_sources(paths: Iterable[str], skip: str | None = None) -> Listing:
    """Return every file that ``paths`` name, and what is left out; arguments as for ``find_sources``."""
    found = list(_each_once(paths, skip))
    return Listing(
        tuple(item for item in found if isinstance(item, ListedFile)),
        tuple(item for item in found if isinstance(item, Failure)),
        tuple(item.path for item in found if isinstance(item, Skipped) and not _is_beside(item.path)),
    )


def find_sources(paths: Iterable[str], skip: str | None = None) -> Iterator[ListedFile | Failure]:
    """Yield every file that ``paths`` name, each once.

    Args:
        paths: files, folders, manifests, or ``-`` for a list of them on stdin, one a line.
        skip: a folder to leave out (the index itself).
    """
    return (item for item in _each_once(paths, skip) if not isinstance(item, Skipped))


def _each_once(paths: Iterable[str], skip: str | None) -> Iterator[ListedFile | Failure | Skipped]:
    """Yield each file once, with all that the lists say of it, and each wrong row of a list."""
    found: dict[str | Failure, ListedFile | Failure | Skipped] = {}
    every = list(paths_named(paths))
    globbed = not all(_is_captions(path) for path in every)  # a shell's ~/Videos/* names the captions too
    for path in every:
        for source in _fenced(path, skip, alone=len(every) == 1):
            key = source if isinstance(source, Failure) else source.path  # a list may fail in many rows
            held = found.get(key)
            if held is None:
                captions = isinstance(source, ListedFile) and source.named and _is_captions(path)
                aside = globbed and (captions or _is_table(path, source))
                found[key] = Skipped(source.path) if aside else source
            elif isinstance(held, ListedFile) and isinstance(source, ListedFile):
                found[key] = held.joined(source)
    yield from found.values()


def _fenced(path: str, skip: str | None, *, alone: bool) -> Iterator[ListedFile | Failure | Skipped]:
    """Expand one of several paths; what stops one is a failure of it, and the others are read."""
    try:
        yield from _expand(path, skip)
    except SaysoError as error:
        if alone:
            raise
        yield Failure(path, "find", str(error))
    except (OSError, ValueError) as error:
        yield Failure(path, "find", why_it_failed(error, path))


def _is_captions(path: str) -> bool:
    from sayso.text.captions.sidecar import CAPTIONS

    return Path(path).suffix.lower().removeprefix(".") in CAPTIONS


def _is_table(path: str, source: ListedFile | Failure | Skipped) -> bool:
    """Tell whether a path was named that ``sayso align`` wrote, and holds nothing that could be looked at."""
    same = Path(source.path).name == Path(path).name
    return same and not Path(source.path).is_dir() and is_own(source.path, "align")


def _is_beside(path: str) -> bool:
    """Tell whether a file is one that belongs to others: captions, a manifest."""
    return _is_captions(path) or Path(path).suffix.lower() in MANIFESTS or path.endswith(WORDS_SUFFIX)


def paths_named(paths: Iterable[str], *, zero: bool = False) -> Iterator[str]:
    """Yield the paths; in the place of ``-`` those that stdin lists, which can be read once only.

    Args:
        paths: as they are given.
        zero: whether a NUL ends each on stdin, and not a line's end: names may hold those.
    """
    for path in paths:
        if path == "-":
            yield from _names_on_stdin(zero=zero)
        else:
            yield path


def _names_on_stdin(*, zero: bool) -> Iterator[str]:
    raw = getattr(sys.stdin, "buffer", None)
    said = raw.read().decode(sys.getfilesystemencoding(), "surrogateescape") if raw else sys.stdin.read()
    if zero:
        yield from (name for name in said.split("\0") if name)
    else:
        yield from (line.rstrip("\r") for line in said.split("\n") if line.strip())


def _expand(path: str, skip: str | None) -> Iterator[ListedFile | Failure | Skipped]:
    full = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111  no symlink is resolved
    try:
        mode = os.stat(full).st_mode  # noqa: PTH116
    except (OSError, ValueError) as error:
        yield Failure(full, "find", f"{path} cannot be read: {_reason(error)}")
        return
    if stat.S_ISDIR(mode):
        yield from walk_files(full, skip)
    elif Path(full).suffix.lower() in MANIFESTS:
        yield from read_manifest(Path(full))
    else:
        yield ListedFile(full, named=True)


def walk_files(folder: str, skip: str | None = None) -> Iterator[ListedFile | Failure | Skipped]:
    """Walk a tree in a stable order, through links, each folder once; a folder's files come together.

    With them comes what a model saw in them, where ``sayso caption`` wrote it. What sayso drew of
    other pictures, overlays and contact sheets, is left out.
    """
    from sayso.media import kind_of

    seen: dict[str, tuple[Caption, ...]] = {}
    visited: set[tuple[int, int]] = set()
    stack = [folder]
    while stack:
        here = stack.pop()
        try:
            status = os.stat(here)  # noqa: PTH116
            if (status.st_dev, status.st_ino) in visited or here == skip:
                continue
            visited.add((status.st_dev, status.st_ino))
            with os.scandir(here) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            yield Failure(here, "find", f"the folder {here} cannot be read: {_reason(error)}")
            continue
        if any(entry.name == SEEN_CAPTIONS for entry in entries):
            seen |= _seen_below(Path(here, SEEN_CAPTIONS))
        folders, drawn = [], drawn_in(here)
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                folders.append(entry.path)
            else:
                found = ListedFile(entry.path, seen=seen.get(entry.path, ()))
                aside = kind_of(entry.path) is None or entry.name in drawn
                yield Skipped(entry.path) if aside else found
        stack.extend(reversed(folders))


def _seen_below(path: Path) -> dict[str, tuple[Caption, ...]]:
    """Return what ``sayso caption`` wrote of the files of a folder; another program's file holds nothing."""
    try:
        listed = [item for item in read_manifest(path) if isinstance(item, ListedFile)]
    except SaysoError:
        return {}
    return {item.path: item.seen for item in listed if item.seen}


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)

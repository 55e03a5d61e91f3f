"""Whose a file is: what a verb has not written itself it neither writes over nor deletes.

A folder with files that a verb wrote, or the one above it, has a record, ``.sayso-written``: a line a file
with its name, its SHA-256 and the verb. A file is a verb's own if it has a digest that this verb recorded
under its name; one that a person edited, or put there, is foreign. An input of the running command is never
written over. A Python program, outside ``writing``, is kept from foreign files too: it writes over what sayso
wrote, with whatever verb, and nobody changed since. Where it wants more:

    with writing("python", overwrite=True):
        result.write("film")
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sayso.core.errors import SaysoError

RECORD = ".sayso-written"
DRAW = frozenset({"localize", "search"})  # verbs whose pictures (overlays, contact sheets) show others
_CLAIM = "."  # the name of the folder itself in its record
FilePath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class _Policy:
    verb: str
    inputs: frozenset[tuple[int, int]]
    overwrite: bool
    hint: str


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a record."""

    name: str
    sha256: str
    size: int
    verb: str


PROGRAM = "python"  # the verb of files that a Python program writes
_policies: list[_Policy] = []  # the last one holds
_PROGRAM = _Policy(
    PROGRAM, frozenset(), False, 'give another place, or write within writing("python", overwrite=True)'
)


@contextlib.contextmanager
def writing(
    verb: str, inputs: Iterable[FilePath] = (), *, overwrite: bool = False, hint: str = "give another place"
) -> Iterator[None]:
    """Write as a verb, in the whole process, until the block ends.

    Args:
        verb: recorded with each file; other verbs' files are foreign.
        inputs: files that are never written over, even if the verb wrote them.
        overwrite: write over foreign files and inputs too.
        hint: what a refusal says to do.
    """
    _policies.append(_Policy(verb, frozenset(map(_identity, inputs)), overwrite, hint))
    try:
        yield
    finally:
        _policies.pop()


@contextlib.contextmanager
def writing_as(verb: str) -> Iterator[None]:
    """Write as a verb does, where a Python program calls what the verb calls."""
    with contextlib.nullcontext() if _policies else writing(verb):
        yield


def refuse_foreign(*paths: FilePath, grows: bool = False, of_input: bool = False) -> None:
    """Check that files may be written: each is not there yet, or is the running verb's own.

    Args:
        paths: where files are to be written.
        grows: a file that has been appended to since it was recorded is the verb's own still.
        of_input: an own file may be written over even where it is an input.

    Raises:
        SaysoError: if one is somebody else's.
    """
    policy = _policy()
    if policy.overwrite:
        return
    of_what = "" if policy.verb == PROGRAM else " of this command"
    for path in map(Path, paths):
        if not os.path.lexists(path):
            continue
        if not of_input and _identity(path) in policy.inputs:
            raise SaysoError(f"{path} is an input of this command and is not written over; {policy.hint}")
        if not is_own(path, policy.verb, grows=grows):
            raise SaysoError(
                f"{path} is there already, and not as sayso wrote it in an earlier run{of_what}; "
                f"{policy.hint}"
            )


def is_mine(path: FilePath) -> bool:
    """Return whether the running verb wrote a file, or all in a folder, and nobody changed it since."""
    return is_own(path, _policy().verb)


def is_own(path: FilePath, verb: str, *, grows: bool = False) -> bool:
    """Return whether a verb wrote a file, or all in a folder, and nobody changed it since.

    To a Python program, all verbs' files are its own.

    Args:
        path: of the file or folder.
        verb: whose it must be.
        grows: whether lines may have been added to the file, as to a log.
    """
    path = Path(path)
    if path.is_symlink():
        return False
    if path.is_dir():
        return all(is_own(inside, verb) for inside in _files_in(path))
    if not path.is_file():
        return False
    lines = [line for line in _lines_of(path) if verb in (line.verb, PROGRAM)]
    size = path.stat().st_size
    sizes = {line.size for line in lines if line.size == size or (grows and line.size < size)}
    digests = {length: digest_of(path, length) for length in sizes}
    return any(digests.get(line.size) == line.sha256 for line in lines)


def drawn_in(folder: FilePath) -> frozenset[str]:
    """Return the names of a folder's files that verbs drew of other pictures, and nobody changed since."""
    folder = Path(folder).absolute()
    named = (
        above / line.name
        for above in (folder, folder.parent)  # as record_own
        for line in _read(above / RECORD)
        if line.verb in DRAW
    )
    inside = {path for path in named if path.parent == folder}
    return frozenset(path.name for path in inside if any(is_own(path, verb) for verb in DRAW))


def record_own(target: FilePath, content: FilePath | None = None) -> None:
    """Note a file, or all files in a folder, as the running verb's own.

    Args:
        target: the name to note.
        content: the file, or the folder, with its content, where it does not have its name yet.
    """
    target = Path(target).absolute()
    content = Path(content or target)
    folder = target.parent
    if not (folder / RECORD).exists() and (folder.parent / RECORD).exists():
        folder = folder.parent
    name = target.relative_to(folder)
    if content.is_dir():
        for inside in _files_in(content):
            _append(folder, (name / inside.relative_to(content)).as_posix(), inside)
    else:
        _append(folder, name.as_posix(), content)


def remove_own(path: FilePath, *, of_input: bool = False) -> None:
    """Delete a file or a folder if it is there.

    Raises:
        SaysoError: if it, or a file in it, is somebody else's.
    """
    path = Path(path)
    refuse_foreign(path, of_input=of_input)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def claim_folder(folder: FilePath, verb: str) -> None:
    """Make a folder of a verb's own, or check that it is one: all that the verb writes there may be its own.

    Raises:
        SaysoError: if it holds other things, or cannot be made.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = any(path.name != RECORD for path in folder.iterdir())  # first: the record may come meanwhile
        if any(line.name == _CLAIM and line.verb == verb for line in _read(folder / RECORD)):
            return
        if others:
            raise SaysoError(f"{folder} holds other things; give another --out")
        _write_line(folder, _Line(_CLAIM, "", 0, verb))
    except OSError as error:
        raise SaysoError(f"{folder} cannot be made: {error.strerror or error}; give another --out") from error


def digest_of(path: FilePath, length: int | None = None) -> str:
    """Return the SHA-256 of a file, or of its first bytes, hexadecimal."""
    with Path(path).open("rb") as file:
        if length is None:
            return hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha256()
        while length > 0 and (block := file.read(min(length, 1 << 20))):
            digest.update(block)
            length -= len(block)
        return digest.hexdigest()


def _policy() -> _Policy:
    return _policies[-1] if _policies else _PROGRAM


def _files_in(folder: Path) -> list[Path]:
    """Return all in a folder that is no folder, but its records."""
    inside = (path for path in folder.rglob("*") if path.name != RECORD)
    return [path for path in inside if path.is_symlink() or not path.is_dir()]


def _identity(path: FilePath) -> tuple[int, int]:
    """Return what a file is on this machine, whatever it is called; (-1, -1) if there is none."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return (-1, -1)
    return (found.st_dev, found.st_ino)


def _lines_of(path: Path) -> Iterator[_Line]:
    """Give the lines about a file, of the records of its folder and of those above that name it."""
    path = path.absolute()
    for folder in path.parents:
        name = path.relative_to(folder).as_posix()
        yield from (line for line in _read(folder / RECORD) if line.name == name)


def _read(path: Path) -> list[_Line]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    lines = []
    for line in text.splitlines():
        with contextlib.suppress(ValueError, TypeError):  # a line that a kill cut off
            lines.append(_Line(**json.loads(line)))
    return lines


def _append(folder: Path, name: str, content: Path) -> None:
    _write_line(folder, _Line(name, digest_of(content), content.stat().st_size, _policy().verb))


def _write_line(folder: Path, line: _Line) -> None:
    row = {name: getattr(line, name) for name in ("name", "sha256", "size", "verb")}
    with (folder / RECORD).open("a", encoding="utf-8") as file:
        file.write("\n" * _cut_off(folder / RECORD) + json.dumps(row, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _cut_off(path: Path) -> bool:
    """Return whether the last line has no end."""
    with path.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"

"""Files that are whole or not there: written under another name, on disk, then renamed; and their digests.

What is there already is written over only if the running verb wrote it (``ownership``).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from sayso.core.errors import SaysoError
from sayso.core.ownership import digest_of, record_own, refuse_foreign

UNFINISHED = ".sayso.part"  # ends the names of files that are being written, or that a kill left


@contextlib.contextmanager
def atomic_file(
    path: str | os.PathLike[str], *, guarded: bool = True, grows: bool = False, of_input: bool = False
) -> Iterator[IO[bytes]]:
    """Give a binary file that takes its name when the block ends, and never where the block fails.

    A kill or a power failure at any moment leaves what was at the path before, or the new file, whole; and
    beside it at most a hidden file, which the next writing of the path removes. Folders above are made if
    they are missing.

    Args:
        path: the file.
        guarded: whether it has a record, and is refused if a foreign file is there; caches need none.
        grows: see ``refuse_foreign``.
        of_input: see ``refuse_foreign``.

    Raises:
        SaysoError: if it cannot be written, or a foreign file is there.
    """
    target = Path(path)
    if guarded:
        refuse_foreign(target, grows=grows, of_input=of_input)
    descriptor: int | None = None
    waiting: Path | None = None
    is_locked = False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, waiting, is_locked = _unfinished(target)
        with open(descriptor, "wb", closefd=False) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        waiting.chmod(0o666 & ~_umask())
        if guarded:  # once more: what was written in between stays
            refuse_foreign(target, grows=grows, of_input=of_input)
            record_own(target, waiting)
        if not is_locked:  # Windows renames no file that is open
            os.close(descriptor)
            descriptor = None
        waiting.replace(target)
        waiting = None
        fsync(target.parent)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        if descriptor is not None and not is_locked:  # Windows removes none either
            os.close(descriptor)
        if waiting is not None:
            waiting.unlink(missing_ok=True)
        if descriptor is not None and is_locked:  # only now: till then nobody else takes the file up
            os.close(descriptor)


def _unfinished(target: Path) -> tuple[int, Path, bool]:
    """Open an empty file beside the target that no other writer has.

    It has the same name each time, so that what a kill left there is taken up and not left for good. Its
    writer holds a lock on it as long as the descriptor is open; a second one at the same time takes a name
    of its own, as do all where the system has no such locks (Windows).

    Returns:
        Its descriptor, its path, and whether it is locked.
    """
    path = target.with_name(f".{target.name}{UNFINISHED}")
    descriptor = _claim(path)
    if descriptor is not None:
        return descriptor, path, True
    descriptor, other = tempfile.mkstemp(prefix=f".{target.name}.", suffix=UNFINISHED, dir=target.parent)
    return descriptor, Path(other), False


def _claim(path: Path) -> int | None:
    """Open and empty a file that is new, or that a killed writer left; None if it is anything else."""
    try:
        import fcntl

        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held = os.fstat(descriptor)
        ours = stat.S_ISREG(held.st_mode) and held.st_nlink == 1 and held.st_uid == os.geteuid()
        if ours and os.path.samestat(held, path.lstat()):  # another writer may have renamed it meanwhile
            os.ftruncate(descriptor, 0)
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError:  # this file system has no locks, so that nobody would take the file up
        with contextlib.suppress(OSError):
            found = os.fstat(descriptor)
            if stat.S_ISREG(found.st_mode) and found.st_size == 0:
                path.unlink()
    os.close(descriptor)
    return None


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a name for a file that takes its own when the block ends; as ``atomic_file``, unguarded.

    For what writes files by itself, in a folder of sayso's own. Where nothing was written, none is renamed.

    Raises:
        SaysoError: if it cannot be written.
    """
    target = Path(path)
    waiting = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield waiting
        if waiting.exists():
            fsync(waiting)
            waiting.replace(target)
            fsync(target.parent)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        waiting.unlink(missing_ok=True)


def write_atomic(
    path: str | os.PathLike[str],
    content: str | bytes,
    *,
    guarded: bool = True,
    grows: bool = False,
    of_input: bool = False,
) -> None:
    """Write a file as a whole; text is UTF-8, and what UTF-8 cannot say becomes ``?``.

    Args:
        path: the file.
        content: all of it.
        guarded: see ``atomic_file``.
        grows: see ``refuse_foreign``.
        of_input: see ``refuse_foreign``.

    Raises:
        SaysoError: if it cannot be written, or a foreign file is there.
    """
    with atomic_file(path, guarded=guarded, grows=grows, of_input=of_input) as file:
        file.write(content.encode("utf-8", "replace") if isinstance(content, str) else content)


@contextlib.contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a new folder that takes its name when the block ends, and never where the block fails.

    Raises:
        SaysoError: if something other than an empty folder is there already, or it cannot be written.
    """
    target = Path(path).absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise SaysoError(f"{target} is there already and not an empty folder; give another")
    above: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        above = tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent)
        new = Path(above, target.name)
        new.mkdir()
        yield new
        for inside in (*new.rglob("*"), new):
            fsync(inside)
        new.replace(target)
        fsync(target.parent)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        if above is not None:
            shutil.rmtree(above, ignore_errors=True)


def _unwritable(target: Path, error: OSError) -> SaysoError:
    return SaysoError(f"{target} cannot be written: {error.strerror or error}; give another place")


def prefixed(prefix: str | os.PathLike[str], ending: str) -> Path:
    """Return the file ``PREFIX.ending``.

    Raises:
        SaysoError: if the prefix is a folder.
    """
    path = Path(prefix)
    if path.name in ("", ".."):
        raise SaysoError(f"{path} is a folder; give the beginning of files' names, such as {path / 'film'}")
    return path.with_name(f"{path.name}.{ending}")


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Make a folder and those above it, if they are missing; return it.

    Raises:
        SaysoError: if it cannot be made.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaysoError(
            f"the folder {folder} cannot be made: {error.strerror or error}; give another place"
        ) from error
    return folder


def fsync(path: str | os.PathLike[str]) -> None:
    """Wait until a file, or a folder's list of names, is on disk; some systems (Windows) open no folder."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:
        if Path(path).is_dir():
            return
        raise
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    return digest_of(path)


def _umask() -> int:
    """Return the process's mask for new files, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask

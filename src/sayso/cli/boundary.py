"""Where every error of a verb ends: one sentence on stderr and an exit code, never a traceback.

``SAYSO_DEBUG=1`` shows the traceback besides.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shlex
import sys
import traceback

from sayso.cli.exit_codes import ERROR, INTERRUPTED
from sayso.core.errors import SaysoError
from sayso.core.harmless import harmless
from sayso.core.panic import is_panic

CANNOT_WRITE = (errno.EROFS, errno.EISDIR, errno.ENAMETOOLONG)
CLOSED = (errno.EACCES, errno.EPERM, errno.ENOTDIR)
INTERRUPT = "interrupted; what was done is kept, and the same command goes on"
FULL = "the disk is full; free some space, and the same command goes on"
TOO_MANY = "too many files are open; raise the limit with ulimit -n 4096, and the same command goes on"
MEMORY = (
    "there is not enough memory; end other programs or take fewer --workers, and the same command goes on"
)
NOBODY = "a path begins with ~ and a name, and nobody here is called so; write the path in full"
_KINDS: dict[type[BaseException], str] = {
    KeyboardInterrupt: INTERRUPT,
    MemoryError: MEMORY,
    RecursionError: "something is nested too deeply to be read; look for it in the file that was named last",
}
_FULL = re.compile(r"no space left|disk quota|file too large|\(os error (28|27|122)\)", re.IGNORECASE)


def end_of(error: BaseException) -> int:
    """Print what an error comes to for a person; return the exit code.

    Args:
        error: that nothing caught.
    """
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERROR
    if os.environ.get("SAYSO_DEBUG"):
        traceback.print_exception(error, file=sys.stderr)
    print(f"sayso: {harmless(sentence_of(error))}", file=sys.stderr)
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return error.exit_code if isinstance(error, SaysoError) else ERROR


def sentence_of(error: BaseException) -> str:
    """Return what is wrong and what to do, in one sentence, of any error."""
    if isinstance(error, SaysoError):
        return str(error)
    for kind, sentence in _KINDS.items():
        if isinstance(error, kind):
            return sentence
    return _of_machine(error)


def _of_machine(error: BaseException) -> str:
    said = " ".join(str(error).split())
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or _FULL.search(said):
        return FULL
    if number in (errno.EMFILE, errno.ENFILE) or "os error 24" in said:
        return TOO_MANY
    if isinstance(error, OSError) and number is not None:
        return _of_system(error)
    if _comes_from_lancedb(error):
        return _of_index(error)
    if isinstance(error, RuntimeError) and "home directory" in said:  # of Path.expanduser
        return NOBODY
    name = type(error).__name__
    return f"this should not happen ({name}: {said[:200]}); SAYSO_DEBUG=1 shows where: please report it"


def _of_index(error: BaseException) -> str:
    from sayso.index.reasons import reason_of

    address = _address_of(error)
    where = f"the index {address}" if address else "the index"
    named = shlex.quote(address) if address else "INDEX"
    return f"{where} cannot be read or written ({reason_of(error)}); run sayso index {named} --check"


def _address_of(error: BaseException) -> str | None:
    """Return the address of the index that was worked on where an error arose."""
    found, trace = None, error.__traceback__
    while trace is not None:
        for held in (trace.tb_frame.f_locals.get("self"), trace.tb_frame.f_locals.get("store")):
            with contextlib.suppress(Exception):  # looking the store up may fail once more
                of_store = getattr(getattr(held, "store", None), "address", None)
                address = getattr(held, "address", None) or of_store
                found = address if isinstance(address, str) else found
        trace = trace.tb_next
    return found


def _of_system(error: OSError) -> str:
    named = error.filename if error.filename is None else os.fsdecode(error.filename)
    if error.errno in CANNOT_WRITE:
        return f"{named or 'the output'} cannot be written: {error.strerror}; give another place"
    if error.errno in CLOSED:
        return (
            f"{named or 'a file'} cannot be used: {error.strerror}; give another place, or change who may "
            "read and write it"
        )
    place = f"{named} cannot be read or written" if named else "a file cannot be read or written"
    return f"{place}: {error.strerror}; look after the disk, and the same command goes on"


def _comes_from_lancedb(error: BaseException) -> bool:
    """Tell whether LanceDB, or the Rust code below it, gave up."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__", "").partition(".")[0] == "lancedb":
            return True
        trace = trace.tb_next
    return is_panic(error)

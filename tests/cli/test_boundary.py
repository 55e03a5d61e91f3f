"""Whatever stops a verb is one sentence and an exit code, never a traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from command import python, sayso
from sayso.cli import main as command
from sayso.cli.boundary import FULL, INTERRUPT, MEMORY, NOBODY, TOO_MANY, sentence_of
from sayso.core.errors import MissingExtra, SaysoError

Panic = type("PanicException", (BaseException,), {})
ENDS = [
    (SaysoError("this, there; do that"), 1, "this, there; do that"),
    (MissingExtra("nowhere", "hub"), 4, "nowhere"),
    (OSError(errno.ENOSPC, "No space left on device", "/x"), 1, FULL),
    (OSError("LanceError(IO): ... No space left on device (os error 28), rust/x.rs:1"), 1, FULL),
    (RuntimeError("lance error: File too large (os error 27)"), 1, FULL),
    (OSError(errno.EMFILE, "Too many open files"), 1, TOO_MANY),
    (OSError(errno.EROFS, "Read-only file system", "/x/y"), 1, "/x/y cannot be written"),
    (PermissionError(errno.EACCES, "Permission denied", "/x/y"), 1, "/x/y cannot be used"),
    (OSError(errno.EIO, "Input/output error", b"/x/y"), 1, "/x/y cannot be read or written"),
    (MemoryError(), 1, MEMORY),
    (KeyboardInterrupt(), 130, INTERRUPT),
    (RecursionError("maximum recursion depth exceeded"), 1, "nested too deeply"),
    (Panic("called unwrap on a None value\n at x.rs"), 1, "--check"),
    (KeyError("x"), 1, "SAYSO_DEBUG=1"),
]


@pytest.mark.parametrize(("error", "code", "said"), ENDS, ids=[str(error)[:20] for error, _, _ in ENDS])
def test_any_error_is_a_sentence(error, code, said, monkeypatch, capsys):
    def fails(_):
        raise error

    monkeypatch.setattr(command, "command", fails)
    monkeypatch.setattr(sys, "argv", ["sayso", "list"])
    monkeypatch.delenv("SAYSO_DEBUG", raising=False)
    with pytest.raises(SystemExit) as end:
        command.main()
    err = capsys.readouterr().err
    assert end.value.code == code
    assert said in err
    assert err.startswith("sayso: ")
    assert err.count("\n") == 1


def test_the_traceback_is_there_for_who_asks(monkeypatch, capsys):
    monkeypatch.setenv("SAYSO_DEBUG", "1")
    monkeypatch.setattr(command, "command", lambda _: {}["gone"])
    monkeypatch.setattr(sys, "argv", ["sayso", "list"])
    with pytest.raises(SystemExit):
        command.main()
    assert "Traceback" in capsys.readouterr().err


def test_an_error_of_lancedb_is_one_of_the_index(tmp_path):
    import lancedb
    import pyarrow as pa

    table = lancedb.connect(tmp_path).create_table("t", pa.table({"a": [1]}))
    with pytest.raises((RuntimeError, ValueError, OSError)) as caught:
        table.search().where("nothing = 1").to_arrow()
    assert "--check" in sentence_of(caught.value)


def test_a_full_disk_while_indexing(tmp_path):
    """Files may be no longer than 20 kB: as a full disk, at the first table that grows."""
    import toy

    toy.make_video(tmp_path / "a.mp4", ["red", "blue"])
    program = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "from sayso.cli import main; import toy; from sayso import Index;"
        "main.command = lambda _: lambda: Index.open(sys.argv[1], toy.ColourEncoder()).add(sys.argv[2]);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200)); sys.argv[0] = 'list'; main.main()"
    )
    paths = os.pathsep.join(sys.path)
    done = subprocess.run(
        [*python(program), tmp_path / "x.index", tmp_path / "a.mp4"],
        check=False, capture_output=True, text=True,
        # bytecode that does not fit would be cut off, and stay
        env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "space" in done.stderr


def test_the_index_that_cannot_be_read_is_named(tmp_path):
    import toy
    from sayso import Index

    toy.make_picture(tmp_path / "a.png", "red")
    where = tmp_path / "my index"
    index = Index.open(where, toy.ColourEncoder())
    index.add(tmp_path / "a.png")
    for path in where.glob("clips.lance/data/*"):
        content = bytearray(path.read_bytes())
        content[-40:] = bytes(40)
        path.write_bytes(content)
    with pytest.raises(Exception) as caught:  # noqa: PT011  of whatever kind
        Index.open(where, toy.ColourEncoder()).search("red")
    assert str(where) in sentence_of(caught.value)
    assert f"sayso index '{where}' --" in sentence_of(caught.value)


def test_an_index_whose_store_fails_again_is_no_second_error():
    """The store of an open index is looked up, once a second: where a bucket is gone, that fails too."""

    class Open:
        @property
        def store(self):
            raise RuntimeError("Generic S3 error: error sending request")

        def search(self):
            raise Panic("Generic S3 error: error sending request")

    with pytest.raises(Panic) as caught:
        Open().search()
    assert "the store does not answer" in sentence_of(caught.value)


def test_the_home_of_nobody_is_said():
    for words in (
        ["index", "x.index", "x.png", "--model", "~no-such-person/model"],
        ["info", "~nobody-here/x.index"],
    ):
        ran = sayso(*words)
        assert (ran.returncode, ran.stderr) == (1, f"sayso: {NOBODY}\n")

"""The command ``sayso`` in the process of the tests, and code in processes of their own."""

from __future__ import annotations

import contextlib
import io
import sys
from subprocess import CompletedProcess
from unittest import mock

from sayso.cli.main import main


def sayso(*arguments) -> CompletedProcess[str]:
    """Run the command; return what a process would have given back."""
    words = ["sayso", *map(str, arguments)]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        mock.patch.object(sys, "argv", words),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    return CompletedProcess(words, code, out.getvalue(), err.getvalue())


def python(code: str) -> list[str]:
    """Return the command that runs code in a process of its own, which ends as that of ``sayso`` does.

    LanceDB's threads abort one that ends otherwise, once in a while.
    """
    leaving = "from sayso.core.leaving import run_and_leave"
    return [sys.executable, "-c", f"{leaving}; run_and_leave(lambda: exec({code!r}, {{}}))"]

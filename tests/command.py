"""The command ``sayso`` in the process of the tests: what it prints, how it ends."""

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

"""The exit codes of the command, in one place; an error's own is ``SaysoError.exit_code`` (1, 2 or 4)."""

from __future__ import annotations

ERROR = 1
"""An error; or all that was asked for failed, which is listed."""

USAGE = 2
SOME_FAILED = 3
"""Done, but some items failed; they are listed."""

UNAVAILABLE = 4
"""A package or a model is not at hand."""

INTERRUPTED = 130
"""What was done is kept; the same command goes on."""

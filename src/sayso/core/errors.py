"""Errors a person can cause, each with one sentence: what is wrong, where, what to do.

    SaysoError                 exit code 1
      + UsageError             exit code 2: what was asked for makes no sense, whatever the files hold
        - QueryError           a query or filter that cannot be understood
      + MediaError             a picture or video that cannot be read
      + SubtitleError          a caption file that cannot be read, with its line
      + TooSlow                a query that took too long
      + IndexMismatch          an index made by another model or another version
      + Unavailable            exit code 4: an extra or a model is not at hand
        - MissingExtra         a package is not installed

The library raises; only the command line prints.
"""

from __future__ import annotations

import os

from sayso.core.install import install_command


class SaysoError(Exception):
    """The root of all errors that a person can cause."""

    exit_code = 1


class UsageError(SaysoError):
    """What was asked for makes no sense, whatever the files hold: an unknown name, an option's value."""

    exit_code = 2


class MediaError(SaysoError):
    """A picture or a video cannot be read."""


class SubtitleError(SaysoError):
    """A caption file cannot be read.

    Args:
        message: the sentence.
        line: the line of the file (from 1) where reading failed, if known.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class IndexMismatch(SaysoError):
    """An index was made by another model, or by another version of sayso."""


class TooSlow(SaysoError):
    """A query took longer than anybody should wait."""


class QueryError(UsageError):
    """A query or a filter cannot be understood."""


class Unavailable(SaysoError):
    """Something the command needs is not at hand: a model, or a package."""

    exit_code = 4


class MissingExtra(Unavailable):
    """A package that an extra brings is not installed.

    Args:
        package: the import that failed.
        extra: the extra of sayso that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this needs the package {package!r}, which is not installed; run: {install_command(extra)}"
        )
        self.package = package
        self.extra = extra


def nothing_at(path: str | os.PathLike[str], hint: str) -> str:
    """Return the sentence for a path at which there is nothing.

    Args:
        path: as the person gave it.
        hint: what to do, such as ``name a folder of videos``.
    """
    return f"there is nothing at {os.fspath(path)}; {hint}"

"""The route that opens a file of the index on this machine, or shows it in the file manager.

For the page of this machine alone: there is no such route where others can reach the server, and only
a page of this very server may ask.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException, Request

from sayso.core.errors import Unavailable
from sayso.serve.api import PROBLEMS, PlacedMedia, find_media
from sayso.serve.media import vanished

How = Literal["open", "reveal"]
router = APIRouter(prefix="/api", responses=PROBLEMS)
STARTED_S = 5.0
"""A command that still runs after this long has opened something."""


@router.post("/{how}/{media_id}", status_code=204)
def show_file(how: How, file: PlacedMedia, request: Request) -> None:
    """Open a file with what this machine opens such files with, or show it in the file manager."""
    if not from_same_origin(request):
        raise HTTPException(403, "only the page of this server may open files")
    media = find_media(file)
    if not os.path.isfile(media.path):  # noqa: PTH113
        raise vanished(media)
    run(command(media.path, how, sys.platform), media.path)


def from_same_origin(request: Request) -> bool:
    """Whether a page of this very server asks, as browsers say: not even one of another port does."""
    origin = request.headers.get("origin", "")
    host = urlsplit(origin).netloc
    return bool(host) and host == request.headers.get("host")


def command(path: str, how: How, platform: str) -> list[str]:
    """Return the command that opens a file, or shows it in its folder; it needs no shell.

    Args:
        path: absolute.
        how: which of both.
        platform: as ``sys.platform`` says.
    """
    if platform == "darwin":
        return ["open", path] if how == "open" else ["open", "-R", path]
    if platform == "win32":
        return ["explorer", path] if how == "open" else ["explorer", "/select,", path]
    return ["xdg-open", path if how == "open" else str(Path(path).parent)]


def run(arguments: list[str], path: str) -> None:
    """Start a command, and see whether it fails at once.

    Args:
        arguments: of the command.
        path: of the file, for the message.

    Raises:
        Unavailable: if it cannot be started, or fails.
    """
    program = shutil.which(arguments[0])
    if program is None:
        raise Unavailable(f"this machine has no {arguments[0]} to show files with; the file is {path}")
    nowhere = subprocess.DEVNULL
    started = subprocess.Popen(
        [program, *arguments[1:]], stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
    )
    try:
        code = started.wait(STARTED_S)
    except subprocess.TimeoutExpired:
        threading.Thread(target=started.wait, daemon=True).start()  # lest its end be noticed by nobody
        return
    if code and arguments[0] != "explorer":  # explorer ends with 1 when all went well
        raise Unavailable(f"{arguments[0]} cannot show files here (is there a desktop?); the file is {path}")

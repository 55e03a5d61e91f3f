"""Sending a file, or the part of it that a browser's player asks for (RFC 9110, section 14)."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import Response

from sayso.media.files import open_descriptor
from sayso.serve.body import OnDemand

CHUNK = 256 << 10
_RANGE = re.compile(r"bytes=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.IGNORECASE | re.ASCII)
"""Positions have at most as many digits as files can have bytes; others are not understood."""


class UnsatisfiableError(Exception):
    """The range lies beyond the end of the file."""


class FilePart:
    """The bytes ``start`` to ``end`` (exclusive) of an open file, in pieces; closes the file."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self.file, self.left = file, end - start
        file.seek(start)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = self.file.read(min(CHUNK, self.left))
        if not piece:
            raise StopIteration
        self.left -= len(piece)
        return piece

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """Return the (start, end) that a Range header asks for, ``end`` exclusive.

    Returns:
        None where the whole file is the right answer: no range, several, or not understood.

    Raises:
        UnsatisfiableError: if the range lies beyond the end.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
        if match[2] and int(match[2]) < start:
            return None
    if start >= size:
        raise UnsatisfiableError
    return start, end


def send_file(path: str, content_type: str, headers: Headers, *, attachment: bool) -> Response:
    """Return a response with the file or the part asked for.

    Args:
        path: the file; whoever calls has decided that the client may have it.
        content_type: of the answer.
        headers: of the request.
        attachment: whether browsers must save it instead of showing it.

    Raises:
        MediaError: if it cannot be opened, or is no regular file.
    """
    file = os.fdopen(open_descriptor(path, may_be_empty=True), "rb")  # the response closes it
    try:
        return _send(file, path, content_type, headers, attachment)
    except BaseException:
        file.close()
        raise


def _send(file: BinaryIO, path: str, content_type: str, headers: Headers, attachment: bool) -> Response:
    status = os.fstat(file.fileno())
    etag = f'"{hashlib.sha256(f"{status.st_mtime_ns}-{status.st_size}-{path}".encode()).hexdigest()[:24]}"'
    modified = formatdate(status.st_mtime, usegmt=True)
    answer = {
        "content-type": content_type,
        "accept-ranges": "bytes",
        "cache-control": "private, no-cache",
        "etag": etag,
        "last-modified": modified,
    }
    if attachment:
        name = quote(Path(path).name, safe="")
        answer["content-disposition"] = f"attachment; filename*=UTF-8''{name}"
    if _matches(headers.get("if-none-match"), etag):
        file.close()
        return Response(status_code=304, headers=answer)
    wanted = headers.get("range", "")
    if headers.get("if-range") not in (None, etag, modified):
        wanted = ""
    try:
        part = parse_range(wanted, status.st_size)
    except UnsatisfiableError:
        file.close()
        answer["content-range"] = f"bytes */{status.st_size}"
        return Response(status_code=416, headers=answer)
    start, end = part or (0, status.st_size)
    answer["content-length"] = str(end - start)
    if part:
        answer["content-range"] = f"bytes {start}-{end - 1}/{status.st_size}"
    return OnDemand(FilePart(file, start, end), status_code=206 if part else 200, headers=answer)


def _matches(header: str | None, etag: str) -> bool:
    if header is None:
        return False
    return header.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in header.split(","))

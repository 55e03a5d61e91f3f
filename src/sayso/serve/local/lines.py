"""What goes over the socket: a line of JSON each way; empty lines before the answer mean "at work"."""

from __future__ import annotations

import json
import os
import socket
import struct
from pathlib import Path
from typing import Any

PATIENCE_S = 5.0
"""How long nothing may come before the other side counts as dead."""

AT_WORK_S = 0.5
"""How often an empty line is sent."""

MAX_REQUEST = 1 << 20


class SilentError(Exception):
    """The other side did not answer: it is gone, hangs, belongs to another user, or speaks otherwise."""


class Elsewhere(Exception):
    """Whoever asks has to search in its own process."""


def connect(path: Path) -> socket.socket:
    """Return a connection to whoever listens at a path.

    Raises:
        SilentError: if nobody does, or another user.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(PATIENCE_S)
        connection.connect(os.fspath(path))
        ours = same_user(connection)
    except OSError as error:
        connection.close()
        raise SilentError(str(error)) from error
    if not ours:
        connection.close()
        raise SilentError("it belongs to another user")
    return connection


def same_user(connection: socket.socket) -> bool:
    """Whether the other side runs as this user, where the system tells; the folder keeps others out too."""
    known = peer(connection)
    return known is None or known[1] == os.geteuid()


def peer(connection: socket.socket) -> tuple[int, int] | None:
    """Return the other side's process and user; None where the system does not tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    pid, user, _ = struct.unpack(
        "3i", connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i"))
    )
    return pid, user


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    """Send one object."""
    connection.sendall(json.dumps(message).encode() + b"\n")


def receive(connection: socket.socket, *, most: int | None = None) -> dict[str, Any]:
    """Return the next object.

    Args:
        connection: to read from.
        most: bytes that are read at most.

    Raises:
        SilentError: if none comes.
    """
    held = bytearray()
    try:
        while not held.endswith(b"\n"):
            part = connection.recv(1 << 16)
            held += part if held else part.lstrip(b"\n")
            if not part or (most is not None and len(held) > most):
                raise SilentError("it ended before it answered")
        message = json.loads(held)
    except (OSError, ValueError) as error:
        raise SilentError(str(error)) from error
    if not isinstance(message, dict):
        raise SilentError("it speaks otherwise")
    return message


def ask(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of whoever listens at a path.

    Raises:
        SilentError: if there is none.
    """
    with connect(path) as connection:
        try:
            send(connection, request)
        except OSError as error:
            raise SilentError(str(error)) from error
        return receive(connection)

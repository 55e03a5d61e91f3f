"""Running the server: which address, which port, which token."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import logging
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.index import Index
from sayso.serve.local.beside import answering_locally

if TYPE_CHECKING:
    from sayso.systems.localize import Localizer

DEFAULT_PORT = 8000
PORTS_TRIED = 100
SHUTDOWN_S = 1
"""How long open connections (a paused film) may delay the end after Ctrl-C."""


def serve(
    index: Index | Mapping[str, Index],
    host: str = "127.0.0.1",
    port: int | None = None,
    token: str | None = None,
    *,
    unopened: Mapping[str, str] | None = None,
    localizer: Localizer | None = None,
    answers: str = "auto",
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve an index, or several, until interrupted.

    Args:
        index: what is searched; or several collections, by name.
        host: the address to listen on.
        port: by default 8000, or the next one that is free.
        token: what clients must know. One is made if none is given and ``host`` can be
            reached from other machines.
        unopened: names of collections that cannot be opened, and why.
        localizer: for the page's "Where?", a trained one; None: the index's own model.
        answers: the model that answers questions.
        ready: called with the page's address, token included, once it can be opened.

    Raises:
        SaysoError: if the port is taken or the address is not of this machine.
        MissingExtra: if the packages of the extra ``serve`` are not installed.
    """
    for package in ("fastapi", "uvicorn", "python_multipart"):
        need(package, "serve")
    import uvicorn

    from sayso.serve.app import create_app
    from sayso.serve.connections import OnceAMinute, Patience, patient, room_for_files
    from sayso.serve.memory import giving_back

    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(18)
    app = create_app(
        index, unopened=unopened, token=token, local=is_loopback(host), localizer=localizer, answers=answers
    )
    held = app.state.collections
    with listen(host, port) as listener, contextlib.ExitStack() as background:
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            ws="none",
            http=patient(Patience(room_for_files())),
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
        server = uvicorn.Server(config)
        for name in ("uvicorn.error", "asyncio"):
            logging.getLogger(name).addFilter(OnceAMinute())
        background.enter_context(giving_back())
        warming = threading.Thread(target=held.warm_up, name="warm-up", daemon=True)
        warming.start()
        for holdings in held.holdings.values():
            background.enter_context(answering_locally(holdings))
        if ready is not None:
            ready(address(host, listener.getsockname()[1], token))
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
            warming.join(SHUTDOWN_S)  # the interpreter had better not end under it


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def address(host: str, port: int, token: str | None) -> str:
    """Return the page's address, as a person opens it.

    Args:
        host: what the server listens on.
        port: the same.
        token: what visitors must know, if anything.
    """
    if host in ("0.0.0.0", "::"):  # noqa: S104  every interface: name this machine
        host = socket.gethostname()
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")


def listen(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens on a port, or on the first free one from 8000 on.

    Raises:
        SaysoError: if the port is taken, or the address is not of this machine.
    """
    if port is not None:
        try:
            return _bind(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                with listen(host, None) as free:
                    other = free.getsockname()[1]
                raise SaysoError(f"port {port} is taken; use --port {other}, or leave --port away") from error
            raise SaysoError(f"cannot listen on {host}, port {port}: {error.strerror or error}") from error
    for candidate in range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED):
        try:
            return _bind(host, candidate)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise SaysoError(f"cannot listen on {host}: {error.strerror or error}") from error
    raise SaysoError(
        f"no port from {DEFAULT_PORT} to {DEFAULT_PORT + PORTS_TRIED - 1} is free; give one with --port"
    )


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)  # asyncio sends at once only where it knows it is TCP
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener

"""Bodies made on demand: paced by the client, and let go of when it leaves."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import anyio
import pytest
import uvicorn

from sayso.serve.body import OnDemand
from waiting import WAIT_S

CHUNK = 64 << 10


class Endless:
    """Counts the pieces that were asked for, and says when it was closed."""

    def __init__(self, pieces: int | None = None) -> None:
        self.made, self.pieces, self.closed = 0, pieces, threading.Event()

    def __iter__(self):
        return self

    def __next__(self) -> bytes:
        if self.made == self.pieces:
            raise StopIteration
        self.made += 1
        return bytes(CHUNK)

    def close(self) -> None:
        self.closed.set()


@contextmanager
def served(app):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def asking(port: int, method: str = "GET"):
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as client:
        client.sendall(f"{method} / HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        yield client


def test_pieces_are_made_no_faster_than_they_are_taken_and_stop_when_the_client_leaves():
    source = Endless()
    with served(OnDemand(source, headers={"content-type": "video/mp4"})) as port:
        with asking(port) as client:
            assert client.recv(CHUNK).startswith(b"HTTP/1.1 200")
            waited = 0
            while waited < 3:
                before = source.made
                time.sleep(0.1)
                waited = waited + 1 if source.made == before else 0
            assert source.made * CHUNK < 32 << 20, "a client that does not read holds the work back"
            assert not source.closed.is_set()
        assert source.closed.wait(WAIT_S), "the client is gone"
        made = source.made
        time.sleep(0.2)
        assert source.made == made


def test_all_pieces_arrive_and_the_source_is_closed():
    source = Endless(pieces=3)
    with served(OnDemand(source, headers={"content-length": str(3 * CHUNK)})) as port:
        with asking(port) as client:
            received = b""
            while len(received.partition(b"\r\n\r\n")[2]) < 3 * CHUNK:
                received += client.recv(1 << 20)
        assert received.endswith(b"\r\n\r\n" + bytes(3 * CHUNK))
        assert source.closed.wait(WAIT_S)


def test_head_makes_nothing_and_closes():
    source = Endless(pieces=3)
    with (
        served(OnDemand(source, headers={"content-length": str(3 * CHUNK)})) as port,
        asking(port, "HEAD") as client,
    ):
        assert b"content-length: 196608" in client.recv(CHUNK)
        assert source.closed.wait(WAIT_S)
    assert source.made == 0


def test_a_source_that_fails_is_closed():
    class Broken(Endless):
        def __next__(self) -> bytes:
            raise ValueError("broken")

    source = Broken()

    async def ask() -> None:
        async def send(message) -> None:
            pass

        await OnDemand(source, headers={})({"method": "GET"}, anyio.sleep_forever, send)

    with ThreadPoolExecutor(1) as apart, pytest.raises(ExceptionGroup, match="unhandled"):
        apart.submit(anyio.run, ask).result()  # a browser of this process has a loop in the main thread
    assert source.closed.is_set()

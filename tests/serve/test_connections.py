"""Connections end that their clients neither use nor leave, and there are never too many."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import anyio
import pytest
import uvicorn

from sayso.serve import connections as module
from sayso.serve.connections import OnceAMinute, Patience, patient, room_for_files
from sayso.serve.server import listen
from waiting import WAIT_S, wait_for

WHOLE = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
NEVER_S = 3600.0


async def answering(scope, receive, send):
    """Read the body, and answer with more than any buffer takes if it is asked for."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message.get("more_body", False)
    if scope["path"] == "/late":
        await anyio.sleep(0.15)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(1000 if scope["path"] == "/much" else 1):
        await send({"type": "http.response.body", "body": bytes(1 << 16), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@contextmanager
def serving(**limits):
    patience = Patience(**{"head_s": NEVER_S, "body_s": NEVER_S, "send_s": NEVER_S, **limits})
    with listen("127.0.0.1", 0) as listener:
        config = uvicorn.Config(
            answering, ws="none", lifespan="off", log_level="critical", http=patient(patience)
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield server, lambda: socket.create_connection(listener.getsockname(), timeout=WAIT_S)
        finally:
            server.should_exit = server.force_exit = True
            thread.join()


def is_ended(connection):
    """Wait for the end of a connection on which nothing is answered."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("sent", [b"", b"GET / HT", WHOLE[:-2] + b"x-slow: "])
def test_half_a_head_is_not_waited_for(sent):
    with serving(head_s=0.05) as (_, connect), connect() as connection:
        connection.sendall(sent)
        assert is_ended(connection)


def test_half_a_body_is_not_waited_for():
    with serving(body_s=0.05) as (_, connect), connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1234")
        assert is_ended(connection)


def test_who_takes_nothing_is_left():
    with serving(send_s=0.05) as (server, connect), connect() as connection:
        connection.sendall(WHOLE.replace(b"/ ", b"/much "))
        wait_for(lambda: server.server_state.total_requests or server.server_state.tasks, lambda: "it begins")
        wait_for(lambda: not server.server_state.tasks, lambda: "it ends")


def test_who_takes_nothing_and_asks_on_is_left():
    with serving(send_s=0.2) as (server, connect), connect() as connection:
        connection.sendall(WHOLE.replace(b"/ ", b"/much "))
        wait_for(lambda: server.server_state.total_requests or server.server_state.tasks, lambda: "it begins")
        with suppress(OSError):  # on a busy machine it is left by then
            connection.sendall(WHOLE)
        wait_for(lambda: not server.server_state.tasks, lambda: "it ends")


def test_an_answer_may_come_later_than_a_body_may():
    with serving(body_s=0.05) as (_, connect), connect() as connection:
        connection.sendall(WHOLE.replace(b"/ ", b"/late "))
        assert connection.recv(12) == b"HTTP/1.1 200"


def test_who_takes_all_gets_all_however_short_the_others_are_kept():
    with serving(head_s=NEVER_S) as (_, connect), connect() as connection:
        for _ in range(2):  # the connection lives on
            connection.sendall(WHOLE)
            taken = b""
            while len(taken) < 1 << 16:
                taken += connection.recv(1 << 20)
            assert taken.startswith(b"HTTP/1.1 200")
            while not taken.endswith(b"0\r\n\r\n"):
                taken += connection.recv(1 << 20)


def test_half_open_connections_make_room_the_longest_waiting_first():
    with serving(connections=3) as (server, connect):
        idle = [connect() for _ in range(3)]
        wait_for(lambda: len(server.server_state.connections) == 3, lambda: "all are there")
        for connection in idle:
            connection.sendall(b"GET / HT")
        with connect() as one:
            one.sendall(WHOLE)
            assert one.recv(12) == b"HTTP/1.1 200"
        assert is_ended(idle[0])
        idle[2].sendall(b"TP/1.1\r\nhost: x\r\n\r\n")
        assert idle[2].recv(12) == b"HTTP/1.1 200"
        for connection in idle:
            connection.close()


def test_where_all_are_at_work_the_next_is_told_to_come_again():
    with serving(connections=1) as (server, connect), connect() as first:
        first.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1234")
        wait_for(lambda: server.server_state.tasks, lambda: "the first is at work")
        with connect() as second:
            answer = second.recv(1 << 16)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: " in answer
        first.sendall(b"56789")
        assert first.recv(12) == b"HTTP/1.1 200"


def test_a_message_is_logged_once_a_minute():
    passes = OnceAMinute().filter
    records = [
        logging.makeLogRecord({"msg": msg, "args": (k,)}) for k, msg in enumerate(["a %s", "a %s", "b"])
    ]
    assert [passes(record) for record in records] == [True, False, True]


def test_the_same_error_is_logged_once_a_minute_and_another_is_not():
    def record(error):
        try:
            raise error
        except type(error) as raised:
            return logging.makeLogRecord(
                {"msg": "a", "exc_info": (type(raised), raised, raised.__traceback__)}
            )

    passes = OnceAMinute().filter
    told = [record(error) for error in (ValueError("1"), ValueError("2"), OSError("1"))]
    assert [passes(one) for one in told] == [True, False, True]


def test_a_minute_is_sixty_seconds_and_not_all_that_was_said_is_kept(monkeypatch):
    clock = SimpleNamespace(now=5.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(module, "time", clock)
    passes = OnceAMinute().filter

    def said(message):
        return passes(logging.makeLogRecord({"msg": message}))

    assert said("0")
    for clock.now, passed in ((5.0, False), (64.9, False), (65.0, True), (124.9, False)):
        assert said("0") == passed
    assert all(said(str(k)) for k in range(1, 101))
    assert not said("0"), "a hundred and one are kept"
    assert said("101")
    assert said("0"), "and then all are forgotten"


def test_connections_leave_descriptors_for_all_else():
    assert 8 <= room_for_files() <= 512


@pytest.mark.parametrize(
    ("soft", "hard", "set_to", "room"),
    [
        (256, -1, 1152, 512),
        (256, 4096, 1152, 512),
        (256, 1000, 1000, 436),
        (100, 100, 100, 8),
        (1000, 1000, 1000, 436),
        (1152, 4096, None, 512),
        (4096, 4096, None, 512),
        (-1, -1, None, 512),
    ],
)
def test_as_many_files_as_connections_need_may_be_open(monkeypatch, soft, hard, set_to, room):
    resource, limits = pytest.importorskip("resource"), []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: limits.append(both))
    assert room_for_files() == room
    assert limits == ([] if set_to is None else [(set_to, hard)])

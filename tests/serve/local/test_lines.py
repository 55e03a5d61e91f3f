"""What comes over the socket is one object, or it counts as silence."""

from __future__ import annotations

import socket

import pytest

from sayso.serve.local import lines
from sayso.serve.local.lines import SilentError, connect, peer, receive, same_user, send


@pytest.fixture
def pair():
    one, other = socket.socketpair(socket.AF_UNIX)
    one.settimeout(30)
    with one, other:
        yield one, other


def test_objects_arrive_whole_after_signs_of_life(pair):
    one, other = pair
    message = {"text": "é\ud800\n", "number": 0.1 + 0.2, "rows": list(range(3000)), "nothing": None}
    other.sendall(b"\n")
    other.sendall(b"\n\n")
    send(other, message)
    assert receive(one) == message


@pytest.mark.parametrize("sent", [b"", b"\n\n", b'{"half": ', b"[1]\n", b"not JSON\n", b"\xff\xfe\n"])
def test_what_is_no_object_is_silence(pair, sent):
    one, other = pair
    other.sendall(sent)
    other.close()
    with pytest.raises(SilentError):
        receive(one)


def test_a_request_without_end_is_not_read_to_the_end(pair):
    one, other = pair
    other.sendall(b"x" * 5000)
    other.sendall(b"x" * 5000)
    with pytest.raises(SilentError):
        receive(one, most=4096)


def test_one_that_says_nothing_is_given_up(pair):
    one, _ = pair
    one.settimeout(0.01)
    with pytest.raises(SilentError):
        receive(one)


def test_another_users_process_is_not_spoken_to(pair, runtime, monkeypatch):
    one, _ = pair
    assert same_user(one)
    known = peer(one)
    assert known is not None
    monkeypatch.setattr(lines, "peer", lambda connection: (known[0], known[1] + 1))
    assert not same_user(one)
    path = runtime.parent / "x.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with pytest.raises(SilentError, match="another user"):
            connect(path)


def test_a_dead_socket_is_silence(runtime):
    path = runtime.parent / "dead.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    with pytest.raises(SilentError):
        connect(path)
    with pytest.raises(SilentError):
        connect(runtime / "none.sock")

"""Addresses, ports, tokens, and a server in a process of its own that is interrupted."""

from __future__ import annotations

import re
import signal
import socket
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from sayso.core.errors import SaysoError
from sayso.serve import server
from sayso.serve.server import address, is_loopback, listen
from waiting import PATIENCE_S, process


@pytest.fixture
def taken():
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_that_is_taken_is_told_with_one_that_is_free(taken):
    with pytest.raises(
        SaysoError, match=rf"port {taken} is taken; use --port \d+, or leave --port away"
    ) as error:
        listen("127.0.0.1", taken)
    assert int(re.search(r"--port (\d+)", str(error.value))[1]) != taken


def test_without_a_port_the_next_free_one_is_taken(taken, monkeypatch):
    monkeypatch.setattr(server, "DEFAULT_PORT", taken)
    with listen("127.0.0.1", None) as listener:
        assert taken < listener.getsockname()[1] < taken + server.PORTS_TRIED
    monkeypatch.setattr(server, "PORTS_TRIED", 1)
    with pytest.raises(SaysoError, match=f"no port from {taken} to {taken} is free"):
        listen("127.0.0.1", None)


@pytest.mark.parametrize("port", [None, 8123])
def test_an_address_of_another_machine_is_refused(port):
    with pytest.raises(SaysoError, match=r"cannot listen on 192\.0\.2\.1"):
        listen("192.0.2.1", port)
    with pytest.raises(SaysoError, match="cannot listen on no host of this name"):
        listen("no host of this name", port)


def test_an_answer_is_not_held_back_until_the_client_acknowledges_its_head():
    """With Nagle's algorithm every answer takes 40 ms; asyncio turns it off for sockets that say TCP."""
    with listen("127.0.0.1", None) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_addresses_as_people_open_them():
    assert address("127.0.0.1", 8000, None) == "http://127.0.0.1:8000/"
    assert address("::1", 80, "t") == "http://[::1]:80/?token=t"
    assert address("0.0.0.0", 1, None) == f"http://{socket.gethostname()}:1/"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.org", False),
        ("192.168.1.2", False),
    ],
)
def test_loopback(host, expected):
    assert is_loopback(host) is expected


PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
import toy
from sayso import Index
from sayso.core.leaving import run_and_leave
from sayso.serve import serve
index = Index.open({index!r}, toy.ColourEncoder())

def main():
    serve(index, {host!r}, 0, ready=lambda url: print(url, flush=True))
    print("ended", flush=True)

run_and_leave(main)
"""


@contextmanager
def started(index, host: str):
    """Run a server in a process of its own; what is left of it is killed at the end."""
    tests = str(Path(__file__).parents[1])
    program = PROGRAM.format(tests=tests, index=index.store.address, host=host)
    arguments = [sys.executable, "-c", program]
    with process(arguments) as server:
        yield server, server.stdout.readline().strip()


def test_an_interrupt_ends_the_server_also_while_somebody_watches(site):
    with started(site.index, "127.0.0.1") as (server, url):
        with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S) as client:
            answer = client.get("/api/search", params={"q": "red", "text_weight": 0}).json()
            assert answer["hits"][0]["score"] > 0.9
            with client.stream("GET", f"/play/{site.id_of('old.avi')}") as watching:
                next(watching.iter_bytes(1))
                server.send_signal(signal.SIGINT)
                out, err = server.communicate(timeout=PATIENCE_S)
        assert (out, server.returncode) == ("ended\n", 0), err
        assert err == ""


def test_a_server_that_others_can_reach_asks_for_a_token(library):
    with started(library[0], "0.0.0.0") as (_, printed):
        url = httpx.URL(printed)
        token = url.params["token"]
        assert len(token) >= 20
        base = f"http://127.0.0.1:{url.port}"
        options = {"trust_env": False, "timeout": PATIENCE_S}
        assert httpx.get(f"{base}/api/index", **options).status_code == 401
        headers = {"authorization": f"Bearer {token}"}
        assert httpx.get(f"{base}/api/index", headers=headers, **options).status_code == 200

"""What is spent at once has a limit, and who is refused is told when to come again."""

from __future__ import annotations

import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import HTTPException
from PIL import Image

from sayso.serve import budget as module
from sayso.serve.budget import AGAIN_S, CORES, CROWD, Budget, Gate
from waiting import PATIENCE_S, wait_for


def test_a_gate_lets_some_in_and_some_wait():
    gate, inside, most, turn, go_on = Gate("searches", 2, 1), 0, 0, threading.Lock(), threading.Event()

    def work():
        nonlocal inside, most
        with gate.turn():
            with turn:
                inside += 1
                most = max(most, inside)
            go_on.wait()
            with turn:
                inside -= 1

    with ThreadPoolExecutor(3) as pool:
        works = [pool.submit(work) for _ in range(3)]
        wait_for(lambda: inside == 2 and gate._here == 3, lambda: "two are in, one waits")
        with pytest.raises(HTTPException) as refused:
            gate.enter()
        go_on.set()
        for one in works:
            one.result()
    assert (refused.value.status_code, refused.value.headers) == (429, {"retry-after": str(AGAIN_S)})
    assert most == 2
    with gate.turn(), gate.turn():
        pass  # all places are free again


def test_patience_ends_with_a_503_and_leaves_the_line():
    gate = Gate("pictures", 1, 1, patience_s=0.01)
    with gate.turn():
        for _ in range(3):
            with pytest.raises(HTTPException) as refused:
                gate.enter()
            assert refused.value.status_code == 503
    gate.enter()


def _png(side):
    held = io.BytesIO()
    Image.new("L", (side, side)).save(held, "PNG")
    return held.getvalue()


class NotedGate(Gate):
    """Notes who comes in and who is gone again."""

    def __init__(self, *limits) -> None:
        super().__init__(*limits)
        self.noted = []

    def enter(self) -> None:
        super().enter()
        self.noted.append("in")

    def leave(self) -> None:
        super().leave()
        self.noted.append("out")


def test_a_server_keeps_to_its_budget(library, serving):
    full = Gate("searches", 1, 0)
    streams = NotedGate("streams", 1, 0)
    with serving(*library, budget=Budget(searches=full, streams=streams, upload_pixels=100)) as site:
        upload = {"picture": ("x.png", _png(11), "image/png")}
        refused = site.client.post("/api/search/image", files=upload)
        assert (refused.status_code, "pixels" in refused.json()["error"]) == (400, True)
        assert site.client.post("/api/search/image", files={"picture": _png(10)}).status_code == 200
        with full.turn():
            for path in ("/api/search?q=red", "/api/index", "/api/timeline", "/api/moments?pick=x"):
                answer = site.client.get(path)
                assert (answer.status_code, answer.headers["retry-after"]) == (429, str(AGAIN_S))
                assert "try again" in answer.json()["error"]
            assert site.client.get("/").status_code == 200
        assert site.client.get("/api/search?q=red").status_code == 200

        play = f"/play/{site.id_of('old.avi')}"
        with streams.turn():
            assert site.client.get(play).status_code == 429
        assert site.client.get(play).status_code == 200
        wait_for(lambda: streams.noted == ["in", "out"] * 2, lambda: f"{streams.noted}: it is not over")
        assert site.client.get(play + "?t=1e18").status_code == 400
        assert site.client.get(play).status_code == 200


def test_in_a_crowd_nobody_waits_long():
    gate = Gate("searches", 1, 10, crowded_s=0.01)
    waiting = [threading.Thread(target=gate.enter, daemon=True) for _ in range(CROWD)]
    with gate.turn():
        for one in waiting:
            one.start()
        wait_for(lambda: gate._here == 1 + CROWD, lambda: "not all wait")
        with pytest.raises(HTTPException) as error:
            gate.enter()
    for _ in waiting:
        gate.leave()
    for one in waiting:
        one.join(PATIENCE_S)
    assert error.value.status_code == 503 and not any(one.is_alive() for one in waiting)


def test_who_waits_how_long():
    """The first four behind those inside are patient."""
    gate, waits = Gate("searches", 2, 10, 30.0, 0.5), []

    class Free:
        def acquire(self, timeout):
            return waits.append(timeout) or True

    gate._free = Free()
    for _ in range(2 + CROWD + 3):
        gate.enter()
    assert waits == [30.0] * (2 + CROWD) + [0.5] * 3
    gate = Gate("searches", 2, 10, 30.0)
    gate._free = Free()
    for _ in range(12):
        gate.enter()
    assert waits[-12:] == [30.0] * 12, "without a shorter time all are as patient"


@pytest.mark.parametrize(("cores", "searches", "cuts"), [(1, 2, 1), (2, 2, 1), (8, 8, 4)])
def test_how_many_are_let_in_grows_with_the_cores(monkeypatch, cores, searches, cuts):
    assert os.cpu_count() == CORES
    monkeypatch.setattr(module, "CORES", cores)
    budget = Budget()
    assert (budget.searches.places, budget.cuts.places) == (searches + 16, cuts + 4)
    assert budget.places == searches + 16 + 64 + 10 + 12 + cuts + 4

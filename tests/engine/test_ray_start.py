"""A cluster that could not start is tried again; one that is elsewhere is asked once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from sayso.core.errors import SaysoError
from sayso.engine import ray_extract


@pytest.fixture
def ray(monkeypatch):
    """Stands in for Ray, whose start fails as often as it is told."""
    said = SimpleNamespace(fails=0, starts=0, ends=0, killed=0)

    class Node:
        def start(self):
            said.starts += 1
            if said.starts <= said.fails:
                raise Exception("timed out during startup")  # as Ray does

        def kill_all_processes(self, *, check_alive, allow_graceful, wait):
            said.killed += 1

    def init(*_, **__):
        Node().start()

    def shutdown():
        said.ends += 1

    stand_in = SimpleNamespace(init=init, shutdown=shutdown, is_initialized=lambda: False)
    monkeypatch.setattr(ray_extract, "need", lambda *_: stand_in)
    return said


def test_a_slow_start_is_tried_again(ray):
    ray.fails = 2
    with ray_extract.ray_cluster():
        assert (ray.starts, ray.ends, ray.killed) == (3, 2, 2)
    assert ray.ends == 3


@pytest.mark.parametrize(("address", "starts"), [(None, 3), ("head:6379", 1)])
def test_no_cluster_is_one_sentence(ray, address, starts):
    ray.fails = 9
    with pytest.raises(SaysoError, match="cannot be reached: timed out"), ray_extract.ray_cluster(address):
        pass
    assert ray.starts == ray.ends == ray.killed == starts

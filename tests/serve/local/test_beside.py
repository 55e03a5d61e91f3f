"""``sayso serve`` answers searches of its index beside the page."""

from __future__ import annotations

import pytest

import toy
from sayso import Index
from sayso.serve.holdings import Holdings
from sayso.serve.local.beside import answering_locally
from sayso.serve.local.client import WarmIndex
from sayso.serve.local.start import listeners, stop_daemons


def asked(address, device="auto"):
    """Search; return the titles, and whether a server was asked."""
    warm = WarmIndex(address, device=device)
    return {hit.title for hit in warm.search("white")}, warm._opened is None


def test_a_server_answers_for_its_index_and_its_device_alone(runtime, index, media, colours, tmp_path):
    other = Index.open(tmp_path / "other.index", toy.ColourEncoder())
    other.add(media / "green.png")
    found = {hit.title for hit in index.search("white")}
    with answering_locally(Holdings(index)):
        assert asked(index.store.address) == (found, True)
        assert asked(index.store.address, "cpu") == (found, False)
        assert asked(other.store.address) == ({"green"}, False)
        running = listeners()
        assert [(one["kind"], one["indexes"], one["ends_in_s"]) for one in running] == [
            ("serve", {index.store.address: 1}, None)
        ]
        assert stop_daemons() == []
        assert asked(index.store.address) == (found, True)
        with answering_locally(Holdings(index)):  # a second server leaves it to the first
            assert asked(index.store.address) == (found, True)
        assert asked(index.store.address) == (found, True)
    assert listeners() == []
    assert asked(index.store.address) == (found, False)


@pytest.mark.parametrize("value", ["1", "yes"])
def test_it_does_not_where_that_is_not_wanted(runtime, index, monkeypatch, value):
    monkeypatch.setenv("SAYSO_NO_DAEMON", value)
    with answering_locally(Holdings(index)):
        assert not runtime.exists()

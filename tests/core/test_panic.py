from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from sayso.core.panic import Panicked, is_panic, panics_as_errors

Panic = type("PanicException", (BaseException,), {})


def test_a_panic_becomes_an_error_and_all_else_stays():
    with pytest.raises(Panicked, match="called unwrap") as caught, panics_as_errors():
        raise Panic("called unwrap on a None value")
    assert is_panic(caught.value) and is_panic(caught.value.__cause__)
    for error in (KeyboardInterrupt(), ValueError("x"), SystemExit(3)):
        with pytest.raises(type(error)) as stays, panics_as_errors():
            raise error
        assert stays.value is error and not is_panic(error)


def test_a_request_that_panics_is_an_error_that_the_server_answers():
    from sayso.serve.guard import Guard

    async def panics(scope, receive, send):
        raise Panic("x")

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")]}
    guard = Guard(panics, token=None, hosts=("localhost",))
    with ThreadPoolExecutor(1) as thread, pytest.raises(Panicked):  # browsers' tests leave a loop in this one
        thread.submit(lambda: asyncio.run(guard(scope, None, None))).result()


def test_a_table_on_which_lancedb_panics_is_damage_that_the_check_lists(tmp_path, monkeypatch):
    import toy
    from sayso import Index
    from sayso.index import check

    toy.make_picture(tmp_path / "a.png", "red")
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(tmp_path / "a.png")

    def panics(*_):
        raise Panic("index out of bounds")

    monkeypatch.setattr(check, "_read_all", panics)
    damages = check.check_index(index.store)
    assert "index out of bounds" in str(damages)

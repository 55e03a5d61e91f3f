"""The server: an index behind an HTTP API with an OpenAPI document, and the page that uses it."""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as PlainHTTPException

from sayso.core.errors import SaysoError, TooSlow, Unavailable
from sayso.index import Index
from sayso.serve import api, ask, browse, finds, media, page, reveal, where
from sayso.serve.answering import Answering
from sayso.serve.budget import AGAIN_S, Budget
from sayso.serve.collections import Collections, collection_names
from sayso.serve.guard import LOOPBACK, Guard
from sayso.serve.holdings import Holdings
from sayso.version import __version__

if TYPE_CHECKING:
    from sayso.generators import Generator
    from sayso.systems.localize import Localizer

MORE_THREADS = 32
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{8,200}")


def create_app(
    index: Index | Mapping[str, Index],
    *,
    unopened: Mapping[str, str] | None = None,
    token: str | None = None,
    hosts: Sequence[str] | None = None,
    local: bool = False,
    localizer: Localizer | None = None,
    answers: str | Generator = "auto",
    budget: Budget | None = None,
) -> FastAPI:
    """Return the application that serves an index, or several.

    Args:
        index: what is searched; or several collections, by the names that people choose them by.
        unopened: names of further collections that cannot be opened, and why, a sentence each.
        token: what clients must know, as ``?token=`` on the page's address (kept in a
            cookie from then on) or as a bearer token; None to let everybody in.
        hosts: names that may stand in the Host header; by default those of the
            loopback interface if there is no token, and any if there is one.
        local: whether the page is for the people at this machine alone, who may open files with it.
        localizer: for the page's "Where?", a trained one; None: the index's own model.
        answers: the model that answers questions, or its name; loaded with the first one.
        budget: what it may spend at once.

    Raises:
        SaysoError: if the token holds characters that do not fit a cookie or an address.
    """
    if token is not None and not _TOKEN.fullmatch(token):
        raise SaysoError("a token is 8 to 200 letters, digits and . _ ~ - ; leave --token away to get one")
    if hosts is None and token is None:
        hosts = LOOPBACK
    app = FastAPI(title="sayso", version=__version__, docs_url=None, redoc_url=None, lifespan=_threads)
    app.router.redirect_slashes = False  # an id with a slash behind it is no id, and nobody is sent elsewhere
    app.state.collections = _collections(index, unopened, localizer, answers)
    for part in (api, ask, browse, where, finds, media, page):
        app.include_router(part.router)
    if local:
        app.include_router(reveal.router)
    app.state.local = local
    app.state.budget = budget or Budget()
    app.add_middleware(Guard, token=token, hosts=hosts)
    _add_error_handlers(app)
    _without_422(app)
    return app


@asynccontextmanager
async def _threads(app: FastAPI) -> AsyncIterator[None]:
    """Have more threads than can wait at the gates of a budget, so that what needs no gate goes on."""
    to_thread.current_default_thread_limiter().total_tokens = app.state.budget.places + MORE_THREADS
    yield


def _collections(
    index: Index | Mapping[str, Index],
    unopened: Mapping[str, str] | None,
    localizer: Localizer | None,
    answers: str | Generator,
) -> Collections:
    indexes = {collection_names([index.store.address])[0]: index} if isinstance(index, Index) else index
    answering = Answering(answers, next(iter(indexes.values())).device)
    turns: dict[str, threading.RLock] = {}

    def held(one: Index) -> Holdings:
        turn = turns.setdefault(one.store.identity.model_sha256, one.model_turn)
        return Holdings(one, localizer, answering, turn)

    return Collections({name: held(one) for name, one in indexes.items()}, unopened)


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(SaysoError)
    def refused(_: Request, error: SaysoError) -> JSONResponse:
        if isinstance(error, TooSlow):
            return _problem(503, str(error), {"retry-after": str(AGAIN_S)})
        return _problem(503 if isinstance(error, Unavailable) else 400, str(error))

    @app.exception_handler(RequestValidationError)
    def misused(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        return _problem(400, f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}")

    @app.exception_handler(PlainHTTPException)
    def failed(_: Request, error: HTTPException) -> JSONResponse:
        return _problem(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(Exception)
    def broken(_: Request, error: Exception) -> JSONResponse:
        return _problem(500, f"the server failed ({type(error).__name__}); its terminal says more")


def _problem(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": sentence}, status, headers)


def _without_422(app: FastAPI) -> None:
    """Take FastAPI's own description of validation errors out of the OpenAPI document: ours are 400."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        for name in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(name, None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]

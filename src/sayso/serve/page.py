"""The page and its files: plain HTML, CSS and JavaScript; some of them the pages that are files share."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from sayso.export.pages import SHARED, put_in

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"])
def page(request: Request) -> Response:
    """Send the page."""
    return _send("index.html", request)


@router.api_route("/static/{name}", methods=["GET", "HEAD"])
def static(name: str, request: Request) -> Response:
    """Send one of the page's files."""
    return _send(name, request)


def _send(name: str, request: Request) -> Response:
    """Send a file of the two folders; only names that stand in them are looked at."""
    folders = (files("sayso.serve") / "static", SHARED)
    pages = {entry.name: entry for folder in folders for entry in folder.iterdir() if entry.is_file()}
    suffix = "." + name.rpartition(".")[2]
    if name not in pages or suffix not in TYPES:
        raise HTTPException(404, f"there is no page {name[:60]!r} here")
    content = pages[name].read_bytes()
    if name == "index.html":
        content = put_in(content.decode()).encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = {"cache-control": "no-cache", "etag": etag, "content-type": TYPES[suffix]}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers)

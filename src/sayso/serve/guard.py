"""Who may talk to the server, and what browsers may do with its answers.

Four checks before any route runs, each answered with one sentence: the Host
header (a page elsewhere must not reach a loopback server through a name of its
own: DNS rebinding), requests that other sites make in the background, the token,
and the size of the body. Every answer carries a strict content-security policy.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from html import escape
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sayso.core.panic import panics_as_errors

MAX_BODY = 20 << 20
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
FOREIGN = ("cross-site", "same-site")
"""What Sec-Fetch-Site says of other sites; the other ports of a machine are the same site."""

OPEN_PATHS = "/static/"
"""What needs no token: the page's own files, the same in every installation."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}

REFUSED_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>sayso</title><link rel="stylesheet" href="/static/base.css">
<link rel="stylesheet" href="/static/style.css">
<main class="refused"><h1>sayso</h1><p>{sentence}</p>
<p>Have you been here before in this browser? <a href="{address}">Go on</a>.</p></main></html>
"""


class Guard:
    """ASGI middleware around the whole server.

    Args:
        app: what answers.
        token: what clients must know; None for none.
        hosts: names that may stand in the Host header, without port; None for any.
    """

    def __init__(self, app: ASGIApp, *, token: str | None, hosts: Sequence[str] | None) -> None:
        self.app = app
        self.token = token
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request and pass it on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
                if self.token and token_in_address(scope) and message["status"] == 200:
                    MutableHeaders(scope=message).append("set-cookie", self._cookie(scope))
            await send(message)

        refusal = self._refusal(scope, headers)
        if refusal is None:
            with panics_as_errors():
                await self.app(scope, limited(receive), protected)
        else:
            await refuse(*refusal, scope, protected)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Return status and sentence for a request that must not pass."""
        host = host_name(headers.get("host", ""))
        if self.hosts is not None and host not in self.hosts:
            return 403, f"this server does not answer to the name {host!r}; use http://127.0.0.1 and its port"
        if headers.get("sec-fetch-site") in FOREIGN and not opens_the_page(scope, headers):
            return 403, "other sites may not use this server; open its page first"
        if self.token and not scope["path"].startswith(OPEN_PATHS) and not self._knows_token(scope, headers):
            return 401, (
                "the token is missing or wrong; open the address with ?token= that 'sayso serve' printed, "
                "or send the header 'Authorization: Bearer TOKEN'"
            )
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            return 413, too_large()
        return None

    def _knows_token(self, scope: Scope, headers: Headers) -> bool:
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(cookie_name(self.token or ""))
        except CookieError:
            morsel = None
        offered = [
            bearer.strip() if scheme.lower() == "bearer" else "",
            morsel.value if morsel else "",
            token_in_address(scope),
        ]
        wanted = (self.token or "").encode()
        return any(hmac.compare_digest(offer.encode(), wanted) for offer in offered)

    def _cookie(self, scope: Scope) -> str:
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        name = cookie_name(self.token or "")
        return f"{name}={self.token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000{secure}"


def opens_the_page(scope: Scope, headers: Headers) -> bool:
    """Whether a browser goes to the page, as by a link: nothing else is for other sites to ask for."""
    goes = headers.get("sec-fetch-mode") == "navigate" and scope["method"] in ("GET", "HEAD")
    return goes and scope["path"] == "/"


def cookie_name(token: str) -> str:
    """Return a name that differs between servers of one host: cookies do not know ports."""
    return "sayso_" + hashlib.sha256(token.encode()).hexdigest()[:8]


def token_in_address(scope: Scope) -> str:
    """Return the token of a page's address, or ''. Only the page takes it there."""
    if scope["path"] != "/":
        return ""
    query: str = scope["query_string"].decode("latin-1")
    return parse_qs(query).get("token", [""])[0]


def host_name(host: str) -> str:
    """Return a Host header without its port, in lower case."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def too_large() -> str:
    """Return the sentence for a body over the limit."""
    return f"the upload is larger than {MAX_BODY >> 20} MB; send a smaller picture"


def limited(receive: Receive) -> Receive:
    """Return ``receive`` that stops a body which grows over the limit without having said so."""
    taken = 0

    async def counting() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY:
            raise HTTPException(413, too_large())
        return message

    return counting


async def refuse(status: int, sentence: str, scope: Scope, send: Send) -> None:
    """Answer with one sentence: JSON for programs, a page for people.

    Args:
        status: of HTTP.
        sentence: why the request is refused.
        scope: of the request (ASGI).
        send: takes the answer (ASGI).
    """
    if status == 401 and scope["path"] == "/":
        address = escape("/?" + scope["query_string"].decode("latin-1")) if scope["query_string"] else "/"
        body = REFUSED_PAGE.format(sentence=escape(sentence.capitalize()), address=address).encode()
        kind = b"text/html; charset=utf-8"
    else:
        body, kind = json.dumps({"error": sentence}).encode(), b"application/json"
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

"""Asking a site over HTTP: politely, again where that helps, and only what it lets programs have.

No cookie is kept or sent. A redirect is followed under the limits of the host that it leads to.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, TypeVar, cast
from urllib.error import URLError
from urllib.parse import quote, urljoin, urlsplit, urlunsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

from sayso.core.errors import SaysoError
from sayso.core.offline import offline
from sayso.systems.corpus.limits import HostLimits
from sayso.systems.corpus.source import of_youtube
from sayso.version import __version__

GONE = frozenset({401, 403, 404, 410, 451})
BUSY = frozenset({429, 503})
REDIRECTS = 5
LARGEST_TEXT = 32 << 20
UNWANTED = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_VALUED = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})
_KEPT = "%/:=&?~#+!$,;'@()*[]"  # of an address; the rest is escaped, as browsers do
_CHUNK = 1 << 18
Result = TypeVar("Result")


class Trouble(Exception):
    """What may work another time."""


class GoneForGood(Exception):
    """What is not there, or not for everybody; asking again is of no use."""


class NotForPrograms(Exception):
    """What a site asks programs to leave alone, by ``X-Robots-Tag``."""


class GaveUp(Exception):
    """What did not work at the last attempt either.

    Args:
        why: the last reason.
        attempts: how many there were.
    """

    def __init__(self, why: str, attempts: int) -> None:
        super().__init__(why)
        self.attempts = attempts


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What a site sent.

    Args:
        url: where it came from at last.
        content: the bytes; empty where it is a video or a picture.
        attempts: how often it was asked for.
    """

    url: str
    content: bytes
    attempts: int


class Web:
    """Sites, asked within limits.

    Args:
        limits: shared by all that ask.
    """

    def __init__(self, limits: HostLimits) -> None:
        self.limits = limits

    def read(self, url: str) -> WebAnswer:
        """Return a text: a page, captions, JSON; of a video or a picture only where it is.

        Raises:
            GoneForGood: if it is not there.
            NotForPrograms: if programs are asked not to use it.
            GaveUp: after the last attempt.
        """

        def once() -> tuple[str, bytes]:
            with self._answer(url) as (answer, last):
                if answer.headers.get_content_maintype() in ("video", "audio", "image"):
                    return last, b""
                return last, b"".join(self._blocks(answer, LARGEST_TEXT))

        (last, content), attempts = self.persist(once)
        return WebAnswer(last, content, attempts)

    def save(self, url: str, file: IO[bytes], check: Callable[[], None]) -> int:
        """Write what is at an address into a file; return how often it was asked for.

        Args:
            url: of the file.
            file: open for writing, empty.
            check: raises ``Trouble`` if what was written is not what it should be.

        Raises:
            GoneForGood: if it is not there.
            NotForPrograms: if programs are asked not to use it.
            GaveUp: after the last attempt.
        """

        def once() -> None:
            file.seek(0)
            file.truncate()
            with self._answer(url) as (answer, _):
                file.writelines(self._blocks(answer, None))
            file.flush()
            check()

        return self.persist(once)[1]

    def persist(self, once: Callable[[], Result]) -> tuple[Result, int]:
        """Return what a call gives and how many attempts it took; it is repeated while it raises ``Trouble``.

        Raises:
            GaveUp: after the last attempt.
        """
        manners = self.limits.manners
        for attempt in range(1, manners.attempts + 1):
            try:
                return once(), attempt
            except Trouble as error:
                if attempt == manners.attempts:
                    raise GaveUp(str(error), attempt) from error
                if not isinstance(error, Busy):  # the whole host waits for that
                    self.limits.wait(manners.backoff(attempt))
        raise AssertionError("no attempt was made")

    def _blocks(self, answer: http.client.HTTPResponse, largest: int | None) -> Iterator[bytes]:
        """Yield a body of at most so many bytes; one that drips is trouble, and a run that ends stops it."""
        began, got = self.limits.clock(), 0
        for block in _body(answer, largest):
            yield block
            got += len(block)
            self.limits.wait(0)
            if self.limits.manners.too_slow(got, self.limits.clock() - began):
                raise Trouble("too slow")

    @contextmanager
    def _answer(self, url: str) -> Iterator[tuple[http.client.HTTPResponse, str]]:
        """Give the answer 200 to a request, and where it came from at last."""
        for _ in range(REDIRECTS + 1):
            answer = self._head(url)
            if answer.status // 100 == 3:
                answer.close()
                url = _led_to(url, answer.headers.get("Location"))
                continue
            with answer:
                unwanted = _directives(answer.headers.get_all("X-Robots-Tag") or []) & UNWANTED
                if unwanted:
                    raise NotForPrograms(f"X-Robots-Tag: {min(unwanted)}")
                yield answer, url
            return
        raise GoneForGood("redirects in a circle")

    def _head(self, url: str) -> http.client.HTTPResponse:
        """Return the answer to one request, of which the head has come."""
        address, host = web_address(url)
        if offline():
            raise SaysoError(
                f"{url} cannot be asked for: SAYSO_OFFLINE is set; unset it, or leave out --offline"
            )
        with self.limits.turn(gate_of(address)) as gate:
            try:
                opener = _opener(direct=host in LOOPBACK)
                request = Request(address, headers={"User-Agent": f"sayso/{__version__}", "Accept": "*/*"})  # noqa: S310
                answer: Any = opener.open(request, timeout=self.limits.manners.timeout_s)
            except http.client.InvalidURL as error:
                raise GoneForGood("no address of the web") from error
            except (OSError, http.client.HTTPException, URLError) as error:
                raise Trouble(_reason(error)) from error
            except ValueError as error:
                raise GoneForGood("no address of the web") from error
            if answer.status in BUSY:
                self.limits.refused(gate, answer.headers.get("Retry-After"))
            elif answer.status < 500:
                self.limits.answered(gate)
        if answer.status in (200, 301, 302, 303, 307, 308):
            return cast(http.client.HTTPResponse, answer)
        answer.close()
        if answer.status in GONE:
            raise GoneForGood(f"HTTP {answer.status}")
        raise (Busy if answer.status in BUSY else Trouble)(f"HTTP {answer.status}")


class Busy(Trouble):
    """A host wants to be left alone for a while; its gate waits."""


def leads_inside(origin: str, target: str) -> bool:
    """Tell whether an address outside leads to this machine, or to its network, where nobody invited it."""
    return not _is_inside(origin) and _is_inside(target)


def _is_inside(url: str) -> bool:
    host = web_address(url)[1]
    if host in LOOPBACK or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return not address.is_global


def web_address(url: str) -> tuple[str, str]:
    """Return an address as it is asked for, escaped as browsers do, without a password; and its host.

    Raises:
        GoneForGood: if it is none of the web.
    """
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError as error:
        raise GoneForGood("no address of the web") from error
    if parts.scheme not in ("http", "https") or not host:
        raise GoneForGood("no address of the web")
    named = f"[{host}]" if ":" in host else host
    path, query = (quote(part, safe=_KEPT, errors="replace") for part in (parts.path, parts.query))
    return urlunsplit((parts.scheme, f"{named}{port}", path, query, "")), host


def gate_of(url: str) -> str:
    """Return the host, with its port, whose limits hold for an address; YouTube's names are one host."""
    return "www.youtube.com" if of_youtube(url) else urlsplit(url).netloc.rpartition("@")[2].lower()


def _led_to(url: str, where: str | None) -> str:
    """Return where a redirect leads.

    Raises:
        GoneForGood: if that is nowhere.
    """
    if not where:
        raise GoneForGood("a redirect to nowhere")
    try:
        target = urljoin(url, quote(where.encode("latin-1", "replace"), safe=_KEPT))
    except ValueError as error:
        raise GoneForGood("a redirect to nowhere") from error
    if leads_inside(url, target):
        raise GoneForGood("a redirect into this network")
    return target


def _opener(*, direct: bool) -> OpenerDirector:
    """Return what sends a request and follows nothing; proxies of the environment are for others than us."""
    opener = OpenerDirector()
    for handler in (*(() if direct else (ProxyHandler(),)), HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    return opener


def _body(answer: http.client.HTTPResponse, largest: int | None) -> Iterator[bytes]:
    """Yield a body; one that is not as long as its head says is trouble."""
    promised = answer.headers.get("Content-Length", "")
    got = 0
    try:
        while block := answer.read1(_CHUNK):
            got += len(block)
            if largest is not None and got > largest:
                raise GoneForGood("too large for a text")
            yield block
    except (OSError, http.client.HTTPException) as error:
        raise Trouble(_reason(error)) from error
    if promised.isdecimal() and str(got) != (promised.lstrip("0") or "0"):
        raise Trouble("cut off")


def _directives(said: list[str]) -> set[str]:
    """Return the directives of ``X-Robots-Tag`` that count for everybody."""
    found: set[str] = set()
    for line in said:
        for part in line.lower().split(","):
            name, colon, _ = (word.strip() for word in part.partition(":"))
            if colon and name not in _VALUED and re.fullmatch(r"[a-z][\w-]*", name):
                break  # the rest of the line is for the program of that name
            found.add(name)
    return found


def _reason(error: Exception) -> str:
    """Return the same few words for one kind of failure of a connection."""
    if isinstance(error, http.client.IncompleteRead):
        return "cut off"
    inner = error.reason if isinstance(error, URLError) else error
    if isinstance(inner, TimeoutError):
        return "no answer in time"
    return "no connection" if isinstance(inner, OSError) else "a broken answer"

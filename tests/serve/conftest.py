"""A small library of plain colours in the formats that matter, and a real server in front of its index."""

from __future__ import annotations

import io
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import av
import httpx
import numpy as np
import pytest
import uvicorn
from PIL import Image

import toy
from sayso import Index
from sayso.serve import create_app
from sayso.serve.budget import Budget, Gate
from sayso.serve.server import listen
from waiting import PATIENCE_S, WAIT_S, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

NASTY = "<img src=x onerror=alert(1)>"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
REPORT_VIOLATIONS = """addEventListener("securitypolicyviolation",
  (event) => console.error("CSP", event.violatedDirective, event.blockedURI))"""
SLOW_FILMS = """addEventListener("loadstart",
  ({ target }) => { target.defaultPlaybackRate = target.playbackRate = 1 / 16; }, true)"""
"""Films play slowly, so that a moment of two seconds is still on when a busy machine looks."""
DROP = """([name, bytes, kind]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name, { type: kind }));
  for (const type of ["dragenter", "dragover", "drop"])
    document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
SAID = ["we begin with apples", "then come pears", "a plum tree", "thank you all"]


@dataclass
class Site:
    """A running server, what it serves, and a client that talks to it."""

    url: str
    index: Index
    folder: Path
    client: httpx.Client

    def id_of(self, name: str) -> str:
        """Return the media id of a file of the library."""
        rows = self.index.store.media.search().select(["media_id", "path"]).to_arrow().to_pylist()
        return next(row["media_id"] for row in rows if Path(row["path"]).name == name)


def make_movie(
    path: Path,
    colours: Sequence[str],
    *,
    codec: str = "libx264",
    seconds_each: float = 4.0,
    fps: int = 10,
    size: tuple[int, int] = (64, 48),
    tone_hz: float | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a video of plain colours with any codec, and with a tone if one is given."""
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=fps, options=options or {})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.time_base = Fraction(1, fps)
        audio = container.add_stream("aac", rate=16_000, layout="mono") if tone_hz else None
        for k in range(round(len(colours) * seconds_each * fps)):
            colour = toy.COLOURS[colours[int(k / (seconds_each * fps))]]
            image = np.ascontiguousarray(np.broadcast_to(np.uint8(colour), (size[1], size[0], 3)))
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(video.encode())
        if audio is not None:
            times = np.arange(round(len(colours) * seconds_each * 16_000)) / 16_000
            wave = (0.5 * np.sin(2 * np.pi * tone_hz * times)).astype(np.float32)
            for start in range(0, len(wave), 1024):
                frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], "fltp", "mono")
                frame.sample_rate, frame.pts, frame.time_base = 16_000, start, Fraction(1, 16_000)
                container.mux(audio.encode(frame))
            container.mux(audio.encode())
    return path


def write_library(folder: Path) -> None:
    """Write videos that browsers play and videos that they do not, pictures, and a transcript."""
    make_movie(folder / "talk.mp4", ["red", "green", "blue", "yellow"], tone_hz=440)
    clocks = [(f"00:00:{4 * k:02d},000", f"00:00:{4 * k + 3:02d},500", text) for k, text in enumerate(SAID)]
    lines = [f"{k}\n{start} --> {end}\n{text}\n" for k, (start, end, text) in enumerate(clocks, 1)]
    (folder / "talk.srt").write_text("\n".join(lines))
    make_movie(folder / "film.mkv", ["cyan", "magenta"], seconds_each=6, options={"g": "20"})
    make_movie(folder / "old.avi", ["black", "white"], codec="mpeg4", tone_hz=None)
    make_movie(
        folder / "clip.webm", ["white"], codec="libvpx-vp9", seconds_each=2, options={"deadline": "realtime"}
    )
    for name, colour in (
        ("sea.png", "blue"),
        ("rose.jpg", "red"),
        ("scan.tiff", "yellow"),
        (f"{NASTY}.png", "green"),
    ):
        Image.new("RGB", (90, 60), toy.COLOURS[colour]).save(folder / name)


@contextmanager
def running(index: Index, folder: Path, **options: object) -> Iterator[Site]:
    """Serve an index on a free port while the block lasts; nobody is turned away for waiting long."""
    gates = {"searches": 2, "streams": 8, "decodes": 2, "thumbs": 4}
    patient = Budget(**{name: Gate(name, at_once, 60, PATIENCE_S) for name, at_once in gates.items()})
    app = create_app(index, **{"budget": patient, **options})
    with listen("127.0.0.1", 0) as listener:
        config = uvicorn.Config(
            app, log_level="warning", ws="none", lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S) as client:
                yield Site(url, index, folder, client)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def library(tmp_path_factory) -> tuple[Index, Path]:
    """The library's index and folder; nobody changes them."""
    folder = tmp_path_factory.mktemp("library")
    write_library(folder)
    index = Index.open(tmp_path_factory.mktemp("index") / "toy.index", toy.ColourEncoder())
    report = index.add(folder)
    assert not report.failures, report.failures
    return index, folder


@pytest.fixture(scope="session")
def site(library) -> Iterator[Site]:
    """The library behind a real server on the loopback interface."""
    with running(*library) as site:
        yield site


@pytest.fixture(scope="session")
def movie() -> Callable[..., Path]:
    """The maker of videos."""
    return make_movie


@pytest.fixture(scope="session")
def serving() -> Callable[..., object]:
    """The context manager that serves an index."""
    return running


class Visit:
    """A page in a real browser, and what a person does on it; also all that Playwright's page does."""

    def __init__(self, page: Page, troubles: list[str], forgiven: list[str]) -> None:
        self.page, self.troubles, self.forgiven = page, troubles, forgiven

    def forgive(self, words: str) -> None:
        """Wait until the browser notes a trouble that the test makes; such ones do not fail it."""
        wait_for(
            lambda: self.page.evaluate("1") and any(words in one for one in self.troubles),
            lambda: f"no trouble with {words}",
        )
        self.forgiven.append(words)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.page, name)

    @property
    def state(self) -> dict[str, str]:
        """What the address holds at this moment."""
        query = urlsplit(self.page.evaluate("location.href")).query
        return {name: values[0] for name, values in parse_qs(query).items()}

    def wait_for_state(self, fields: Iterable[str] | dict[str, str]) -> None:
        """Wait until the address holds exactly these fields, and their values where they are given."""
        wanted = fields if isinstance(fields, dict) else set(fields)
        wait_for(
            lambda: (self.state if isinstance(wanted, dict) else self.state.keys()) == wanted,
            lambda: f"the address holds {self.state}, not {wanted}",
        )

    @property
    def cards(self) -> Locator:
        """All results."""
        return self.page.locator("#results .card:not(.skeleton)")

    def card(self, title: str) -> Locator:
        """Return the first result of a title."""
        return self.cards.filter(has=self.page.locator(".title", has_text=title)).first

    @property
    def now(self) -> float:
        """Where the player is, seconds."""
        return self.page.locator("#video").evaluate("(video) => video.currentTime")

    def search(self, words: str) -> None:
        """Type words, and wait for what is found."""
        from playwright.sync_api import expect

        self.page.get_by_role("searchbox").fill(words)
        self.wait_for_results()
        expect(self.page.locator("#count")).to_contain_text(re.compile("moment|nothing"))

    def wait_for_results(self) -> None:
        """Wait until the list shows what the controls ask for: it is busy from the first letter on."""
        from playwright.sync_api import expect

        expect(self.page.locator("#results")).not_to_have_attribute("aria-busy", "true")

    def open_moment(self, words: str, title: str) -> None:
        """Search, and open the result of a title."""
        self.search(words)
        self.card(title).locator(".open").click()
        self.page.locator("#player").wait_for(state="visible")

    def drop(self, colour: str) -> None:
        """Drop a picture of a plain colour on the page."""
        held = io.BytesIO()
        Image.new("RGB", (1200, 800), toy.COLOURS[colour]).save(held, "PNG")
        self.page.evaluate(DROP, ["x.png", list(held.getvalue()), "image/png"])

    def wait_until(self, condition: str, selector: str = "#video") -> None:
        """Wait until a condition on ``node`` holds; asked from outside, for the page forbids eval."""
        node = self.page.locator(selector).first
        wait_for(
            lambda: node.evaluate(f"(node) => {condition}"), lambda: f"{condition} never held for {selector}"
        )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, once for all tests."""
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on this machine")
    playwright.expect.set_options(timeout=1000 * WAIT_S)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(site, browser) -> Iterator[Callable[..., Visit]]:
    """Open a page, with whatever the browser should pretend; what goes wrong in it fails the test."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []
    forgiven: list[str] = []

    def open_(address: str = "/", *, routes: dict[str, Any] | None = None, **options: Any) -> Visit:
        options.setdefault("viewport", {"width": 1280, "height": 800})
        context = browser.new_context(base_url=site.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(1000 * WAIT_S)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: said.type in ("error", "warning") and troubles.append(said.text))
        page.on("dialog", lambda dialog: troubles.append("a dialog opened"))
        at_home = (site.url, "blob:", "data:")
        page.on("request", lambda request: request.url.startswith(at_home) or troubles.append(request.url))
        page.add_init_script(REPORT_VIOLATIONS)
        page.add_init_script(SLOW_FILMS)
        for pattern, handler in (routes or {}).items():
            page.route(pattern, handler)
        page.goto(address)
        return Visit(page, troubles, forgiven)

    yield open_
    for context in contexts:
        for page in context.pages:  # a route that is still being answered would fail the next test
            page.unroute_all(behavior="ignoreErrors")
        context.close()
    assert [one for one in troubles if not any(words in one for words in forgiven)] == []

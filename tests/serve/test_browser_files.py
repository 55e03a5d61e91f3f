"""Pages that are files, with the style and the player of the page of a search, in a real browser."""

from __future__ import annotations

import pytest
from PIL import Image

from sayso.export import script_page, sheet_page, steps_page
from waiting import WAIT_S, wait_for

pytestmark = pytest.mark.browser
expect = pytest.importorskip("playwright.sync_api").expect

SLOW_FILMS = """addEventListener("loadstart",
  ({ target }) => { target.defaultPlaybackRate = target.playbackRate = 1 / 16; }, true)"""
"""A film is not over before a busy machine looks."""


def script(film):
    row = {"kind": "dialogue", "speaker": "ANN", "text": "Go <b>home</b>", "score": 0.9}
    heading = {
        "kind": "heading",
        "speaker": None,
        "text": "INT. HOUSE",
        "score": None,
        "start_s": None,
        "end_s": None,
    }
    rows = [heading, *({**row, "start_s": 4.0 * k, "end_s": 4.0 * k + 2} for k in range(4))]
    lines = [{**row, "element": k + 1, "start_s": 4.0 * k, "end_s": 4.0 * k + 2} for k in range(4)]
    return script_page("A film", rows, lines, film)


def steps(film):
    names = ["loosen nut", "jack car"]
    found = [
        {
            "step": k,
            "name": n,
            "start_s": 8.0 * k,
            "end_s": 8.0 * k + 3,
            "time_s": 8.0 * k,
            "present": True,
            "text": n,
        }
        for k, n in enumerate(names)
    ]
    told = [{"name": n, "phrases": [n], "videos": 1, "example": None} for n in names]
    videos = [{"name": "one", "duration_s": 16, "steps": found}]
    return steps_page("Change a tyre", told, videos, None, [film] if film else None)


def faces(film):
    rows = [{"track": k, "name": "Ann", "score": 0.9, "start_s": 4.0 * k, "candidates": []} for k in range(4)]
    return sheet_page("Faces", rows, {0: Image.new("RGB", (96, 96), "red")}, film=film)


PAGES = {"script": (script, 8), "steps": (steps, 8), "faces": (faces, 8)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, movie):
    """The three pages beside their film, and without one."""
    folder = tmp_path_factory.mktemp("pages")
    movie(folder / "a film.mp4", ["red", "green", "blue", "yellow"])
    for name, (page, _) in PAGES.items():
        (folder / f"{name}.html").write_text(page("a film.mp4"))
        (folder / f"{name}-alone.html").write_text(page(None))
    return folder


@pytest.fixture
def open_file(folder, browser):
    """Open a page; what goes wrong in it, or leaves this folder, fails the test."""
    opened, troubles = [], []

    def open_(name, **options):
        context = browser.new_context(**options)
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(1000 * WAIT_S)
        page.add_init_script(SLOW_FILMS)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: said.type in ("error", "warning") and troubles.append(said.text))
        home = (folder.as_uri(), "data:")
        page.on("request", lambda request: request.url.startswith(home) or troubles.append(request.url))
        page.goto((folder / f"{name}.html").as_uri())
        return page

    open_.troubles = troubles
    yield open_
    for context in opened:
        context.close()
    assert troubles == []


@pytest.mark.parametrize(
    "name", ["script", *(pytest.param(name, marks=pytest.mark.slow) for name in ("steps", "faces"))]
)
def test_a_link_plays_the_film_at_its_second(open_file, name):
    page = open_file(name)
    video = page.locator("#video")
    expect(page.locator("#film")).to_be_hidden()
    start = PAGES[name][1]
    page.locator(f"a[data-start='{start}']").first.click()
    expect(page.locator("#film")).to_be_visible()
    state = "(v) => [v.currentTime, v.videoWidth, v.paused]"
    wait_for(
        lambda: (now := video.evaluate(state))[0] >= start and now[1] == 64 and not now[2],
        lambda: f"the film is at {video.evaluate(state)}",
    )
    page.keyboard.press("Space")
    wait_for(lambda: video.evaluate("(v) => v.paused"), lambda: "it goes on")
    page.keyboard.press("ArrowLeft")
    wait_for(lambda: video.evaluate("(v) => v.currentTime") < start, lambda: "it does not go back")
    marks = {"script": 4, "steps": 2, "faces": 0}[name]
    expect(page.locator("#marks .mark")).to_have_count(marks)
    page.keyboard.press("Escape")
    expect(page.locator("#film")).to_be_hidden()


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_the_pages_fit_and_follow_the_room(open_file, name, width, scheme):
    for file in (name, f"{name}-alone"):
        page = open_file(file, viewport={"width": width, "height": 800}, color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        light = "parseInt(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]) > 128"
        assert page.evaluate(light) is (scheme == "light")
    assert page.locator("#film").count() == page.locator("a[href]").count() == 0 or name == "faces"


@pytest.mark.slow
def test_a_film_that_is_gone_is_said(open_file, folder):
    (folder / "gone.html").write_text(steps("gone.mp4"))
    page = open_file("gone")
    page.locator("a[data-start='8']").first.click()
    expect(page.get_by_role("alert")).to_contain_text("does not play this film, or it is not there any more")
    wait_for(lambda: page.evaluate("1") and open_file.troubles, lambda: "the browser notes it itself")
    open_file.troubles.clear()

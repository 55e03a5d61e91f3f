"""The page that ``sayso steps`` writes, in a real browser: on a phone, in a dark room, and where it leads."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from sayso.export import steps_page
from waiting import WAIT_S, wait_for

pytestmark = pytest.mark.browser


@pytest.fixture
def page(tmp_path):
    """Two videos of four steps; the second has a name that no line can hold."""
    names = ["loosen nut", "jack car", "remove wheel", "lower car"]
    steps = [{"name": n, "phrases": [n, f"{n}s"], "videos": 2, "example": f"now {n}"} for n in names]
    rows = [
        {
            "step": k,
            "name": name,
            "start_s": 10.0 * k + 5,
            "end_s": 10.0 * k + 12,
            "time_s": 10.0 * k + 8,
            "present": k != 2,
            "text": None,
        }
        for k, name in enumerate(names)
    ]
    videos = [{"name": name, "duration_s": 50, "steps": rows} for name in ("one", "w" * 300)]
    jpeg = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(jpeg, "JPEG")
    pictures = {(n, k): jpeg.getvalue() for n in range(2) for k in range(4)}
    file = tmp_path / "index.html"
    file.write_text(steps_page("Change a tyre", steps, videos, pictures, ["a b.mp4", "w.mp4"]))
    return file.as_uri()


@pytest.mark.parametrize(
    ("width", "scheme"), [(390, "light"), pytest.param(1280, "dark", marks=pytest.mark.slow)]
)
def test_the_page_is_whole_on_any_screen(browser, page, width, scheme):
    opened = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    opened.set_default_timeout(1000 * WAIT_S)
    wrong, asked = [], []
    opened.on("console", lambda message: wrong.append(message.text))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(page)
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    loaded = "[...document.querySelectorAll('.shots img')].every((image) => image.naturalWidth === 64)"
    wait_for(lambda: opened.evaluate(loaded), lambda: "a picture is missing")
    assert wrong == []
    assert all(url.startswith(("data:", page)) for url in asked)
    opened.close()


@pytest.mark.slow
def test_steps_stand_where_they_happen_and_lead_there(browser, page):
    opened = browser.new_page(viewport={"width": 1000, "height": 800})
    opened.set_default_timeout(1000 * WAIT_S)
    opened.goto(page)
    second = opened.locator(".strip a").nth(1)
    whole, part = second.evaluate(
        "(a) => [a.closest('.strip'), a].map((e) => e.getBoundingClientRect().toJSON())"
    )
    assert (part["x"] - whole["x"]) / whole["width"] == pytest.approx(15 / 50, abs=0.01)
    assert part["width"] / whole["width"] == pytest.approx(7 / 50, abs=0.01)
    assert second.get_attribute("href") == "a%20b.mp4#t=15"
    faded = opened.locator(".strip a").evaluate_all("all => all.map((a) => getComputedStyle(a).opacity < 1)")
    assert faded == [False, False, True, False] * 2
    opened.close()

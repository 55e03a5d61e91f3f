"""Asking where in a picture something is, in a real browser, by mouse and by keyboard."""

from __future__ import annotations

import pytest

from serve.test_where import pointing  # noqa: F401  a fixture

pytestmark = pytest.mark.browser
expect = pytest.importorskip("playwright.sync_api").expect
PIXEL = """([x, y]) => {
  const heat = document.querySelector("#heat");
  const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  copy.drawImage(heat, -Math.floor(x * heat.width), -Math.floor(y * heat.height));
  return [...copy.getImageData(0, 0, 1, 1).data]; }"""


@pytest.fixture
def site(pointing):  # noqa: F811
    """The pages of these tests come from the site whose model can point."""
    return pointing


def button(page):
    return page.get_by_role("button", name="Where?")


def test_a_click_lays_a_map_over_the_picture_and_says_where(open_page):
    page = open_page()
    asked = []
    page.on("request", lambda request: "/api/where/" in request.url and asked.append(request.url))
    page.open_moment("blue", "flag")
    expect(button(page)).to_be_visible()
    expect(button(page)).to_have_attribute("aria-pressed", "false")
    assert not asked, "it is made on request only"
    page.wait_until("node.naturalWidth === 180", "#picture")
    button(page).click()
    expect(page.locator("#heat-note")).to_have_text("“blue” is most likely at the bottom on the right.")
    expect(page.get_by_role("img", name="Heat map: “blue” is most likely at the bottom")).to_be_visible()
    assert len(asked) == 1
    cold, hot = page.evaluate(PIXEL, [0.1, 0.1]), page.evaluate(PIXEL, [0.92, 0.92])
    assert max(cold[:3]) < 80 < 200 < hot[0]
    page.wait_until("Math.abs(node.width / node.height - 180 / 120) < 0.01", "#heat")
    boxes = "(a, b) => ['left', 'top', 'width', 'height'].every((side) => a[side] === b[side])"
    both = "node.getBoundingClientRect(), document.querySelector('#picture').getBoundingClientRect()"
    page.wait_until(f"({boxes})({both})", "#heat")
    button(page).click()
    expect(page.locator("#heat")).to_be_hidden()
    expect(page.locator("#heat-note")).to_be_hidden()
    expect(button(page)).to_have_attribute("aria-pressed", "false")


def test_the_keyboard_suffices(open_page):
    page = open_page("/?q=blue&kind=picture")
    page.card("flag").locator(".open").press("Enter")
    expect(button(page)).to_be_visible()
    page.keyboard.press("w")
    expect(page.locator("#heat")).to_be_visible()
    page.keyboard.press("w")
    expect(page.locator("#heat")).to_be_hidden()
    button(page).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#heat")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator("#player-title")).to_have_text("even")
    expect(page.locator("#heat")).to_be_hidden()
    expect(button(page)).to_have_attribute("aria-pressed", "false")


def test_videos_and_pictures_without_words_have_no_such_button(open_page):
    page = open_page()
    page.open_moment("red", "film")
    page.wait_until("node.readyState > 1")
    expect(button(page)).to_be_hidden()
    page.keyboard.press("w")
    expect(page.locator("#heat-note")).to_be_hidden()
    page = open_page()
    page.locator("#sample .card", has_text="flag").locator(".open").click()
    expect(page.locator("#facts")).to_contain_text("180")
    expect(button(page)).to_be_hidden()


def test_what_went_wrong_is_said_on_the_page(open_page):
    def answered(route):
        route.fulfill(status=200, json={"heat": [[0.0, 1.0]], "x": 0.75, "y": 0.5, "query": "blue"})

    page = open_page("/?q=blue&kind=picture", routes={"**/api/where/**": lambda route: route.abort()})
    page.card("flag").locator(".open").click()
    button(page).click()
    expect(page.locator("#heat-note")).to_contain_text("The server does not answer")
    expect(button(page)).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#heat")).to_be_hidden()
    page.troubles.clear()
    page = open_page("/?q=blue&kind=picture", routes={"**/api/where/**": answered})
    page.card("flag").locator(".open").click()
    button(page).click()
    expect(page.locator("#heat-note")).to_have_text("“blue” is most likely on the right.")

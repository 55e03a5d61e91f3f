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


@pytest.mark.slow
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


@pytest.mark.slow
def test_pictures_without_words_have_no_such_button(open_page):
    page = open_page()
    page.locator("#sample .card", has_text="flag").locator(".open").click()
    expect(page.locator("#facts")).to_contain_text("180")
    expect(button(page)).to_be_hidden()


@pytest.mark.slow
@pytest.mark.parametrize("title", ["film", "old"])
def test_a_film_pauses_and_the_map_is_of_its_frame_and_in_the_address(open_page, title):
    page = open_page(f"/?q=blue&title={title}")
    asked = []
    page.on("request", lambda request: "/api/where/" in request.url and asked.append(request.url))
    page.card(title).locator(".open").click()
    page.wait_until("node.readyState > 2 && !node.seeking")
    page.locator("#seek").fill("2.55")
    page.wait_until("node.readyState > 2 && !node.seeking && Math.abs(node.currentTime - 2.55) < 0.2")
    button(page).click()
    page.wait_until("node.paused")
    expect(page.locator("#heat-note")).to_have_text("“blue” is most likely at the bottom on the right.")
    expect(page.locator("#heat")).to_be_visible()
    cold, hot = page.evaluate(PIXEL, [0.1, 0.1]), page.evaluate(PIXEL, [0.834, 0.9])
    assert max(cold[:3]) < 80 < 200 < hot[0]
    page.wait_until("Math.abs(node.width / node.height - 180 / 120) < 0.02", "#heat")
    second = float(page.state["where"])
    assert 2.35 < second < 2.8
    page.reload()
    expect(page.locator("#heat")).to_be_visible()
    page.wait_until(f"node.paused && !node.seeking && Math.abs(node.currentTime - {second}) < 0.001")
    assert asked[-1] == asked[-2]
    page.locator("#seek").fill("0.5")
    expect(page.locator("#heat")).to_be_hidden()
    page.wait_until("node.readyState > 1 && !node.seeking")
    page.wait_for_state(["q", "title", "m", *(["t"] if "t" in page.state else [])])
    page.keyboard.press("w")
    expect(page.locator("#heat-note")).to_contain_text("“blue” is most likely")
    page.keyboard.press(" ")
    expect(page.locator("#heat")).to_be_hidden()
    page.keyboard.press("Escape")
    page.wait_for_state(["q", "title"])


@pytest.mark.slow
def test_a_link_with_a_map_of_a_picture_shows_it(open_page, site):
    page = open_page(f"/?q=blue&m={site.id_of('flag.png')}&where=1")
    expect(page.locator("#heat")).to_be_visible()
    page.keyboard.press("w")
    page.wait_for_state(["q", "m"])


@pytest.mark.slow
def test_what_went_wrong_is_said_on_the_page(open_page):
    def answered(route):
        route.fulfill(status=200, json={"heat": [[0.0, 1.0]], "x": 0.75, "y": 0.5, "query": "blue"})

    page = open_page("/?q=blue&kind=picture", routes={"**/api/where/**": lambda route: route.abort()})
    page.card("flag").locator(".open").click()
    button(page).click()
    expect(page.locator("#heat-note")).to_contain_text("The server does not answer")
    expect(button(page)).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#heat")).to_be_hidden()
    page.forgive("net::ERR_FAILED")
    page = open_page("/?q=blue&kind=picture", routes={"**/api/where/**": answered})
    page.card("flag").locator(".open").click()
    button(page).click()
    expect(page.locator("#heat-note")).to_have_text("“blue” is most likely on the right.")

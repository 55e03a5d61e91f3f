"""Accessibility by axe-core (WCAG 2.2 A and AA, and its best practices): all pages, in every state."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from serve.test_browser_files import PAGES, folder, open_file  # noqa: F401  fixtures
from serve.test_collections import two  # noqa: F401  a fixture
from serve.test_people import named  # noqa: F401  a fixture
from serve.test_where import pointing  # noqa: F401  a fixture

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect = pytest.importorskip("playwright.sync_api").expect
FOUND = find_spec("axe_playwright_python")
if FOUND is None or FOUND.origin is None:
    pytest.skip("axe-core is not installed: pip install axe-playwright-python", allow_module_level=True)
AXE = (Path(FOUND.origin).parent / "axe.min.js").read_text(encoding="utf-8")
RUN = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.map(
  (one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`)"""
ROOMS = [("light", 1280), ("dark", 390)]


def check(page, state):
    """Fail if axe finds anything in what the page shows now."""
    page.evaluate(AXE)
    assert page.evaluate(RUN) == [], state


@pytest.fixture
def look(open_page):
    """Open a page whose animations have no part in what is seen."""

    def look_(address, room, **options):
        scheme, width = room
        options |= {
            "color_scheme": scheme,
            "viewport": {"width": width, "height": 844},
            "reduced_motion": "reduce",
        }
        return open_page(address, **options)

    return look_


@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_searching(look, room):
    page = look("/", room)
    expect(page.locator("#sample .card").first).to_be_visible()
    check(page, "the first page")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    check(page, "help")
    page.keyboard.press("Escape")
    page.search("blue")
    page.get_by_role("button", name="Filters").click()
    page.keyboard.press("Escape")
    page.cards.first.locator(".open").focus()
    page.keyboard.press("p")
    expect(page.locator("#tray")).to_be_visible()
    check(page, "results, filters, the tray")
    page.get_by_role("button", name="Export", exact=True).click()
    check(page, "the menu of formats")
    page.keyboard.press("Escape")
    page.search("xyzzy qwrtp")
    check(page, "guesses")


@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_browsing(look, room):
    page = look("/?browse=newest", room)
    expect(page.locator(".month img.shown").first).to_be_visible()
    page.get_by_role("button", name="Filters").click()
    check(page, "the timeline, filters")


@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_what_goes_wrong(look, room):
    page = look("/?q=red&m=nobody&title=zzz", room)
    expect(page.locator("#bad-link")).to_be_visible()
    page.wait_for_results()
    check(page, "nothing found, a bad link")
    page.get_by_role("searchbox").fill("red - red")
    page.wait_for_results()
    expect(page.locator("#notice [role=alert]")).to_be_visible()
    check(page, "an error")
    page.forgive("Failed to load resource")


@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_watching(look, room):
    page = look("/?q=blue", room)
    page.card("talk").locator(".open").click()
    page.wait_until("node.readyState > 2")
    expect(page.locator("#transcript [aria-current]")).to_be_visible()
    check(page, "a film with a transcript")
    page.keyboard.press("Escape")
    page.card("sea").locator(".open").click()
    page.wait_until("node.naturalWidth === 90", "#picture")
    check(page, "a picture")


class TestWhere:
    @pytest.fixture
    def site(self, pointing):  # noqa: F811
        return pointing

    @pytest.mark.parametrize("room", ROOMS, ids=str)
    def test_a_heat_map(self, look, site, room):
        page = look(f"/?q=blue&m={site.id_of('flag.png')}&where=1", room)
        expect(page.locator("#heat")).to_be_visible()
        check(page, "a heat map")


class TestSeveral:
    @pytest.fixture
    def site(self, two):  # noqa: F811
        return two

    @pytest.mark.parametrize("room", ROOMS, ids=str)
    def test_collections(self, look, room):
        page = look("/?q=red", room)
        page.wait_for_results()
        expect(page.get_by_role("combobox", name="Collection")).to_be_visible()
        expect(page.locator("#problems")).to_be_visible()
        check(page, "several collections")


class TestPeople:
    @pytest.fixture
    def site(self, named):  # noqa: F811
        return named

    @pytest.mark.parametrize("room", ROOMS, ids=str)
    def test_people(self, look, room):
        page = look("/?q=who:rick", room)
        expect(page.locator("#people [aria-pressed=true]")).to_be_visible()
        page.wait_for_results()
        check(page, "people")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("scheme", "width"), ROOMS)
def test_pages_that_are_files(open_file, name, scheme, width):  # noqa: F811
    size = {"width": width, "height": 844}
    page = open_file(name, color_scheme=scheme, viewport=size, reduced_motion="reduce")
    page.locator("a[data-start='8']").first.click()
    expect(page.locator("#film")).to_be_visible()
    check(page, name)

"""Choosing a collection on the page, in a real browser."""

from __future__ import annotations

import re

import pytest

from serve.test_collections import two  # noqa: F401  a fixture

pytestmark = pytest.mark.browser
expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture
def site(two):  # noqa: F811
    """The pages of these tests come from the site of several collections."""
    return two


def picker(page):
    return page.get_by_role("combobox", name="Collection")


def test_the_picker_names_each_with_its_size_and_the_address_holds_the_choice(open_page):
    page = open_page()
    options = picker(page).locator("option")
    expect(options).to_have_text(["All (6)", "films (4)", "photos (2)", "old (not served)"])
    expect(page.locator("#problems li")).to_have_text(["old is not served: old.index holds no index"])
    expect(page.locator("#holds")).to_contain_text("1 video (12 s) and 3 pictures")
    picker(page).select_option("photos")
    expect(page.locator("#holds")).to_contain_text(re.compile("^2 pictures, "))
    expect(page.locator("#sample .card")).to_have_count(2)
    page.wait_for_state({"collection": "photos"})
    page.search("red")
    expect(page.cards.locator(".title").first).to_have_text("rose")
    page.reload()
    expect(picker(page)).to_have_value("photos")
    page.wait_for_results()
    picker(page).select_option("")
    page.wait_for_state({"q": "red"})
    page.wait_for_results()
    expect(page.card("wall").locator(".parts")).to_have_text(re.compile("^films · .*seen"))
    page.go_back()
    expect(picker(page)).to_have_value("photos")
    expect(page.card("rose").locator(".parts")).to_have_text(re.compile("^photos · .*seen"))


@pytest.mark.slow
def test_a_moment_of_any_collection_plays_is_picked_and_compared(open_page):
    page = open_page("/?q=green")
    page.card("talk").locator(".open").click()
    page.wait_until("node.currentTime >= 4 && node.videoWidth === 64")
    expect(page.locator("#marks .mark")).to_have_count(3)
    page.keyboard.press("p")
    expect(page.locator("#tray-list li")).to_have_count(1)
    page.reload()
    expect(page.locator("#player")).to_be_visible()
    expect(page.locator("#tray-list li")).to_have_count(1)
    page.wait_until("node.currentTime >= 4")
    page.keyboard.press("s")
    page.wait_for_results()
    expect(page.card("sea")).to_be_visible()
    expect(page.locator("#example")).to_contain_text("like this moment")


@pytest.mark.slow
def test_what_cannot_be_searched_is_said(open_page, site, monkeypatch):
    from sayso.core.errors import Unavailable

    def absent(*_, **__):
        raise Unavailable("the model is not here")

    monkeypatch.setattr(site.index["films"], "search", absent)
    page = open_page("/?q=red")
    page.wait_for_results()
    expect(page.locator("#problems")).to_contain_text("films: the model is not here")
    expect(page.card("rose")).to_be_visible()
    monkeypatch.undo()
    page.search("blue")
    expect(page.locator("#problems")).not_to_contain_text("films")


@pytest.mark.slow
def test_a_link_to_a_collection_that_is_not_there_says_so(open_page):
    page = open_page("/?collection=holiday&q=red")
    expect(page.get_by_role("alert")).to_contain_text("There is no collection 'holiday' here")
    expect(picker(page).locator("option")).to_have_count(4)
    picker(page).select_option("films")
    expect(page.card("wall")).to_be_visible()
    page.forgive("Failed to load resource")


@pytest.mark.slow
def test_one_collection_has_no_picker(browser, library, serving):
    with serving(*library) as site:
        page = browser.new_page()
        page.goto(site.url)
        expect(page.locator("#holds")).to_contain_text("videos")
        expect(page.locator("#collections")).to_be_hidden()
        page.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 1280])
def test_the_picker_fits(open_page, width):
    page = open_page("/?q=red", viewport={"width": width, "height": 640})
    expect(picker(page)).to_be_visible()
    page.wait_until("node.scrollWidth <= node.clientWidth", "html")
    page.wait_until("node.offsetWidth >= 160", ".field")

"""Searching in a real browser: typing, filters, pictures, keys, the address, and what goes wrong.

Whatever a test does, at its end nothing may have gone wrong in the console, no
content-security policy may have been broken, and no request may have left the server.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from waiting import wait_for

pytestmark = pytest.mark.browser
expect = pytest.importorskip("playwright.sync_api").expect
NASTY = "<img src=x onerror=alert(1)>"


def test_the_first_page_says_what_there_is_and_what_to_try(open_page):
    page = open_page()
    expect(page.locator("#holds")).to_contain_text("4 videos (38 s) and 4 pictures")
    expect(page.locator("#sample .card")).to_have_count(8)
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.get_by_role("button", name="food on a table").click()
    expect(page.get_by_role("searchbox")).to_have_value("food on a table")
    expect(page.cards.first).to_be_visible()


def test_typing_searches_and_the_best_comes_first(open_page):
    page = open_page()
    page.search("yellow")
    expect(page.cards.first.locator(".title")).to_have_text(re.compile("talk|scan"))
    expect(page.locator("#count")).to_have_text(
        re.compile(r"^2 moments in 2 files · \d+ guesses · [\d.]+ m?s$")
    )
    page.wait_for_state({"q": "yellow"})
    expect(page.page).to_have_title("yellow · sayso")
    talk = page.card("talk")
    expect(talk.locator(".tag")).to_have_text(re.compile("^0:12"))
    page.wait_until(
        "node.complete && node.naturalWidth > 0",
        f"[data-id='{talk.get_attribute('data-id')}'] img.thumb",
    )


def test_what_is_said_is_found_and_marked(open_page):
    page = open_page("/?q=pears&text_weight=1")
    expect(page.cards).to_have_count(1)
    expect(page.cards.first.locator(".caption mark")).to_have_text("pears")
    expect(page.locator("#text-weight")).to_have_value("1")
    page.locator("#text-weight").fill("0")
    expect(page.cards).not_to_have_count(1)
    page.wait_for_state({"q": "pears", "text_weight": "0"})
    page.get_by_role("button", name="reset").click()
    page.wait_for_state({"q": "pears"})


@pytest.mark.slow
def test_why_what_is_found_may_mean_little_is_said_quietly_and_only_then(open_page):
    page = open_page()
    page.search("red who:ilsa")
    expect(page.get_by_role("status").filter(has_text="names nobody")).to_be_visible()
    page.search("red")
    expect(page.cards.first).to_be_visible()
    expect(page.locator("#doubt")).to_be_hidden()


@pytest.mark.slow
def test_the_slider_is_not_there_where_nothing_is_said(open_page, site):
    def silent(route):
        route.fulfill(json={**route.fetch().json(), "has_text": False})

    page = open_page("/?q=red", routes={"**/api/index": silent})
    expect(page.cards.first).to_be_visible()
    expect(page.locator("#mix")).to_be_hidden()


@pytest.mark.parametrize(("title", "start"), [("talk", 8), pytest.param("film", 4, marks=pytest.mark.slow)])
def test_hovering_plays_from_the_moment_without_sound(open_page, title, start):
    page = open_page()
    page.search("blue" if title == "talk" else "magenta")
    page.card(title).locator(".tile").hover()
    expect(page.card(title).locator("video.preview")).to_be_attached()
    page.wait_until(f"node.currentTime > {start} + 0.02 && node.muted && !node.paused", "video.preview")
    page.mouse.move(2, 2)
    expect(page.locator("video.preview")).to_have_count(0)


@pytest.mark.slow
def test_keys_of_the_results(open_page):
    page = open_page()
    expect(page.locator("#holds")).to_contain_text("videos")
    page.keyboard.type("red")
    page.wait_for_results()
    expect(page.cards.first).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("j")
    expect(page.cards.nth(0).locator(".open")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.cards.nth(1).locator(".open")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type("?")
    expect(page.locator("#help")).to_be_hidden()
    page.wait_for_results()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    with page.expect_download() as saved:
        page.keyboard.press("e")
    results = json.loads(Path(saved.value.path()).read_text())
    assert results["query"] == "red?"
    assert results["hits"][0].keys() >= {"id", "path", "start_s", "end_s", "score", "thumb"}
    page.keyboard.press(" ")
    expect(page.locator("#player")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#player")).to_be_hidden()
    page.keyboard.press("s")
    expect(page.locator("#example")).to_contain_text("like this moment")
    page.wait_for_state(["similar"])


def test_the_address_holds_everything_and_going_back_works(open_page):
    page = open_page()
    page.search("blue")
    page.get_by_role("radio", name="Videos").check()
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Title contains").fill("tal")
    page.get_by_label("Shortest, seconds").fill("2")
    expect(page.cards.locator(".title").first).to_have_text("talk")
    page.get_by_label("Lowest score").fill("0.2")
    expect(page.locator("#filters-count")).to_have_text("3")
    page.wait_for_results()
    page.cards.first.locator(".open").click()
    page.wait_until("node.currentTime >= 8")
    page.wait_for_state(["q", "kind", "title", "min_duration_s", "min_score", "m", "t"])
    before = page.state
    page.reload()
    expect(page.locator("#player")).to_be_visible()
    page.wait_until("node.currentTime >= 8 && node.currentTime < 12")
    page.wait_for_state(before)
    expect(page.get_by_role("searchbox", include_hidden=True)).to_have_value("blue")
    page.keyboard.press("Escape")
    expect(page.locator("#player")).to_be_hidden()
    expect(page.cards.locator(".title").first).to_have_text("talk")
    page.wait_for_state(before.keys() - {"m", "t"})
    page.go_back()
    expect(page.locator("#filters-count")).to_be_hidden()
    page.go_back()
    expect(page.get_by_role("radio", name="All")).to_be_checked()
    page.wait_for_state({"q": "blue"})
    page.go_forward()
    expect(page.get_by_role("radio", name="Videos")).to_be_checked()


def test_find_similar_on_a_card(open_page):
    page = open_page("/?q=red&kind=picture")
    page.card("rose").hover()
    page.card("rose").get_by_role("button", name="Find similar to rose").click()
    expect(page.locator("#example img")).to_be_visible()
    page.get_by_role("radio", name="Videos").check()
    expect(page.cards.first.locator(".title")).to_have_text("talk")
    expect(page.locator("#text-weight")).to_be_disabled()


@pytest.mark.slow
def test_nothing_found_and_clearing_the_filters(open_page):
    page = open_page("/?q=red&title=zzz")
    expect(page.get_by_role("heading", name="Nothing found for “red”")).to_be_visible()
    expect(page.locator("#count")).to_have_text("nothing found")
    page.locator("#notice").get_by_role("button", name="Clear filters").click()
    expect(page.cards.first).to_be_visible()
    page.wait_for_state({"q": "red"})


def test_an_empty_index_is_told_and_no_other_words_are_advised(open_page):
    said = "the index x.index is empty; add files to it with: sayso index x.index PATH..."

    def empty(route):
        hints = [said] if "q=red" in route.request.url else []
        route.fulfill(json={**route.fetch().json(), "hits": [], "found": 0, "next": None, "hints": hints})

    page = open_page("/?q=red", routes={"**/api/search?*": empty})
    expect(page.get_by_role("heading", name="Nothing found for “red”")).to_be_visible()
    expect(page.locator("#doubt")).to_have_text(f"{said.capitalize()}.", ignore_case=True)
    expect(page.locator("#notice p")).to_have_count(0)
    page.search("blue")
    expect(page.locator("#notice p")).to_have_text("Try other words, or fewer of them.")


def test_an_error_is_told_with_the_servers_sentence(open_page):
    page = open_page()
    search_field = page.get_by_role("searchbox")
    search_field.fill("red - red")
    expect(page.get_by_role("alert")).to_contain_text("cancel each other out")
    page.forgive("400")
    page.route("**/api/search?*", lambda route: route.abort())
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_contain_text("Is “sayso serve” still running?")
    page.unroute("**/api/search?*")
    page.forgive("net::ERR_FAILED")
    page.search("red")
    expect(page.locator("#notice")).to_be_hidden()


def test_a_new_search_ends_the_one_before(open_page):
    held = []

    def slow(route):
        held.append(route) if "q=slow" in route.request.url else route.continue_()

    page = open_page(routes={"**/api/search?*": slow})
    failed = []
    page.on("requestfailed", lambda request: "/api/" in request.url and failed.append(request.url))
    page.get_by_role("searchbox").fill("slow")
    expect(page.locator("#results .skeleton").first).to_be_visible()
    page.search("blue")
    expect(page.cards.first.locator(".title")).to_have_text(re.compile("talk|sea"))
    wait_for(lambda: page.evaluate("1") and failed, lambda: "the search before still waits")
    assert len(held) == 1
    assert ["q=slow" in url for url in failed] == [True]


def test_nothing_found_is_said_above_the_best_guesses(open_page):
    page = open_page("/?q=xyzzy+qwrtp")
    expect(page.get_by_role("heading", name="Nothing found for “xyzzy qwrtp”")).to_be_visible()
    expect(page.locator("#notice")).to_contain_text("the best guesses")
    expect(page.cards.first).to_be_visible()
    expect(page.locator("#count")).to_have_text(re.compile(r"^nothing found · \d+ guesses · [\d.]+ m?s$"))
    expect(page.locator(".line-below")).to_have_count(0)
    page.search("red")
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator(".line-below")).to_have_count(1)


def test_a_card_says_what_is_seen_and_what_is_said_and_for_how_many_it_stands(open_page, site):
    page = open_page("/?q=pears")
    parts = page.card("talk").locator(".parts")
    expect(parts).to_have_text(re.compile(r"^\d+ \w+ 2\d{3} \(file date\) · seen 0\.\d\d · said 1\.00$"))
    page.search("white")
    expect(page.cards.first.locator(".many")).to_have_text("2 copies")
    page.search("red + blue")
    page.get_by_role("button", name="By file").click()
    expect(page.get_by_role("button", name="By file")).to_have_attribute("aria-pressed", "true")
    hits = site.index.search("red + blue", limit=40, by_file=True, files=False)
    count = next(hit.moments for hit in hits if hit.title == "talk")
    expect(page.card("talk").locator(".many")).to_have_text(f"{count} moments")
    page.wait_for_state({"q": "red + blue", "by_file": "1"})
    expect(page.cards).to_have_count(len(hits))

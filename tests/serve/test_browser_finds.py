"""What a person does with a find in a real browser: save a clip, export, pick; links that lead nowhere."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import av
import pytest

pytest.importorskip("playwright")
from PIL import Image
from playwright.sync_api import expect


def test_save_clip_in_the_player(open_page):
    page = open_page()
    page.open_moment("blue", "talk")
    hit = json.loads(page.evaluate("() => fetch('/api/search?q=blue').then((a) => a.text())"))["hits"]
    talk = next(one for one in hit if one["title"] == "talk")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save clip").click()
    assert saved.value.suggested_filename == f"talk_{talk['start_s']:.2f}-{talk['end_s']:.2f}.mp4"
    with av.open(str(saved.value.path())) as file:
        means = [frame.to_ndarray(format="rgb24").mean((0, 1)) for frame in file.decode(video=0)]
    assert len(means) == round((talk["end_s"] - talk["start_s"]) * 10)
    assert all(mean[2] > 180 > mean[0] + mean[1] for mean in means)
    expect(page.locator("#clip-note")).to_be_hidden()


@pytest.mark.slow
def test_the_file_is_shown_in_its_folder_where_that_works(open_page):
    asked = []

    def local(route):
        route.fulfill(json={**route.fetch().json(), "local": True})

    def refuse(route):
        asked.append((route.request.method, urlsplit(route.request.url).path))
        route.fulfill(status=503, json={"error": "there is no desktop"})

    page = open_page(routes={"**/api/index": local, "**/api/reveal/*": refuse})
    page.open_moment("blue", "talk")
    page.get_by_role("button", name="Show in folder").click()
    expect(page.locator("#local-note")).to_have_text("there is no desktop")
    assert asked == [("POST", f"/api/reveal/{page.state['m']}")]
    page.forgive("503")


@pytest.mark.slow
def test_a_page_for_others_offers_no_file_manager(open_page):
    page = open_page()
    page.open_moment("blue", "talk")
    expect(page.get_by_role("button", name="Show in folder")).to_be_hidden()


@pytest.mark.slow
def test_a_clip_that_cannot_be_cut_is_said(open_page):
    answer = {"status": 400, "content_type": "application/json", "body": '{"error": "it is too long"}'}
    page = open_page(routes={"**/clip/**": lambda route: route.fulfill(**answer)})
    page.open_moment("blue", "talk")
    page.get_by_role("button", name="Save clip").click()
    expect(page.locator("#clip-note")).to_have_text("it is too long")
    expect(page.get_by_role("button", name="Save clip")).to_be_enabled()
    page.forgive("400")


@pytest.mark.slow
def test_the_export_menu_by_mouse_and_by_keys(open_page):
    page = open_page("/?q=blue")
    page.wait_for_results()
    button = page.get_by_role("button", name="Export", exact=True)
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    forms = ["JSON", "CSV", "SRT", "EDL", "FCPXML", "OTIO", "Contact sheet"]
    expect(page.get_by_role("menuitem")).to_contain_text(forms)
    expect(page.get_by_role("menuitem", name="JSON")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#export-menu")).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="JSON")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="CSV")).to_be_focused()
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    rows = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text())))
    assert saved.value.suggested_filename == "sayso.csv"
    assert len(rows) == page.cards.count()
    assert float(rows[0]["score"]) > 0
    for name, start in (("EDL", "TITLE: blue"), ("FCPXML", "<?xml"), ("OTIO", "{"), ("SRT", "1\n")):
        button.click()
        with page.expect_download() as saved:
            page.get_by_role("menuitem", name=name).click()
        assert Path(saved.value.path()).read_text().startswith(start)
    button.click()
    with page.expect_download() as saved:
        page.get_by_role("menuitem", name="Contact sheet").click()
    with Image.open(saved.value.path()) as sheet:
        assert sheet.format == "PNG"


def test_the_tray_lives_in_the_address_and_exports(open_page):
    page = open_page("/?q=blue")
    expect(page.locator("#tray")).to_be_hidden()
    page.card("talk").hover()
    page.card("talk").get_by_role("button", name="Pick talk").click()
    page.card("sea").hover()
    page.card("sea").get_by_role("button", name="Pick sea").click()
    page.wait_for_state(["q", "tray"])
    expect(page.locator("#tray-count")).to_have_text("2 moments picked")
    expect(page.card("talk").locator(".pick")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#player")).to_be_hidden()
    before = page.state["tray"]
    assert before.count(",") == 1
    page.search("red")
    page.go_back()
    page.wait_for_state({"q": "blue", "tray": before})  # going back loses no pick
    page.get_by_role("button", name="Clear the search").click()
    expect(page.locator("#tray-list li")).to_have_count(2)
    page.reload()
    expect(page.locator("#tray-list li")).to_have_count(2)
    page.get_by_role("button", name="Export picked").click()
    with page.expect_download() as saved:
        page.get_by_role("menuitem", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text())))
    assert [row["title"] for row in rows] == ["talk", "sea"]
    page.get_by_role("button", name="Export picked").click()
    with page.expect_download() as saved:
        page.get_by_role("menuitem", name="EDL").click()
    assert "001  TALK" in Path(saved.value.path()).read_text()
    page.locator("#tray-list a").first.click()
    expect(page.locator("#player")).to_be_visible()
    page.wait_until("node.currentTime >= 8")
    expect(page.locator("#player-pick")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("p")
    expect(page.locator("#player-pick")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("p")
    page.keyboard.press("Escape")
    expect(page.locator("#tray-list li")).to_have_count(2)
    page.get_by_role("button", name="Take sea out of the tray").click()
    expect(page.locator("#tray-list li")).to_have_count(1)
    page.get_by_role("button", name="Clear tray").click()
    expect(page.locator("#tray")).to_be_hidden()
    page.wait_for_state([])


@pytest.mark.slow
def test_picking_by_key(open_page):
    page = open_page("/?q=blue")
    expect(page.cards.first).to_be_visible()
    page.wait_for_results()
    page.keyboard.press("j")
    page.keyboard.press("p")
    expect(page.locator("#tray-list li")).to_have_count(1)
    page.keyboard.press("p")
    expect(page.locator("#tray")).to_be_hidden()


@pytest.mark.slow
def test_a_tray_of_which_some_is_gone_says_so_and_keeps_the_rest(open_page, site):
    clip = site.index.moments(site.id_of("talk.mp4"))[1]
    page = open_page(f"/?tray=nobody-1@0-4,{clip.id}@4-8")
    expect(page.locator("#tray-trouble")).to_have_text("1 picked moment of this link cannot be found here.")
    expect(page.locator("#tray-list li")).to_have_count(1)


@pytest.mark.parametrize(
    "address",
    [
        "/?m=nothing&t=3",
        pytest.param("/?m={talk}&t=99", marks=pytest.mark.slow),
        *(pytest.param(one, marks=pytest.mark.slow) for one in ("/?q=blue&m=nothing", "/?m={talk}&t=soon")),
        pytest.param("/?m={talk}&t=-3", marks=pytest.mark.slow),
    ],
)
def test_a_link_that_leads_nowhere_says_so_without_a_player(open_page, site, address):
    page = open_page(address.format(talk=site.id_of("talk.mp4")))
    expect(
        page.get_by_role("alert").filter(has_text="This link leads to a moment that is not here")
    ).to_be_visible()
    expect(page.locator("#player")).to_be_hidden()
    page.wait_for_state(["q"] if "q" in address else [])
    page.wait_for_results()
    if "nothing" in address:
        page.forgive("404")
    page.get_by_role("button", name="Close this notice").click()
    expect(page.locator("#bad-link")).to_be_hidden()
    page.open_moment("blue", "talk")


@pytest.mark.slow
def test_the_question_mark_opens_help_from_the_first_page(open_page):
    page = open_page()
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_hidden()
    expect(page.get_by_role("searchbox")).to_have_value("")


@pytest.mark.slow
def test_an_example_stays_when_words_are_added(open_page):
    page = open_page("/?q=red&kind=picture")
    page.card("rose").hover()
    page.card("rose").get_by_role("button", name="Find similar to rose").click()
    expect(page.locator("#example")).to_contain_text("like this moment")
    page.get_by_role("radio", name="All").check()
    page.search("3:blue - red")
    expect(page.locator("#example")).to_contain_text("like this moment")
    page.wait_for_state(["similar", "q"])
    expect(page.cards.first.locator(".title")).to_have_text("sea")
    page.get_by_role("button", name="Stop searching by this picture").click()
    page.wait_for_state(["q"])


@pytest.mark.parametrize("scheme", ["dark", pytest.param("light", marks=pytest.mark.slow)])
@pytest.mark.parametrize("width", [360, pytest.param(1280, marks=pytest.mark.slow)])
def test_nothing_lies_outside_the_window_and_the_tray_hides_nothing(open_page, scheme, width):
    page = open_page("/?q=blue", color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 780})
    page.wait_for_results()
    expect(page.cards.first).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("p")
    page.get_by_role("button", name="Export picked").click()
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(int(part) for part in re.findall(r"\d+", colour)[:3]) < 100) is (scheme == "dark")
    box = "(({ left, top, right }) => left >= 0 && top >= 0 && right <= innerWidth)"
    page.wait_until(f"{box}(node.getBoundingClientRect())", "#tray-menu")
    page.keyboard.press("Escape")
    page.wait_until("node.scrollWidth <= innerWidth", "html")
    page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
    bottom = "document.querySelector('#results').lastElementChild.getBoundingClientRect().bottom"
    page.wait_until(f"{bottom} <= node.getBoundingClientRect().top + 1", "#tray")

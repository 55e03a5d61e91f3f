"""The timeline in a real browser: months, scrolling, scrubber, keyboard, deep links, and dates on cards."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from io import BytesIO

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

import toy
from sayso import Index
from sayso.index.adding import identity_of
from sayso.index.schema import MEDIA_SCHEMA, clips_schema
from waiting import wait_for

pytest.importorskip("playwright")
from playwright.sync_api import expect

FILES = 600
NEWEST = date(2023, 12, 20)
STEP = timedelta(days=2)


def picture(colour):
    held = BytesIO()
    Image.new("RGB", (96, 64), toy.COLOURS[colour]).save(held, "JPEG")
    return held.getvalue()


def rows_of(k, path):
    """Return the row of a clip and that of its file: a picture every other day, each tenth a film's name."""
    taken = (NEWEST - k * STEP).isoformat() + "T10:00:00"
    named = {"title": f"IMG_{k:04d}", "kind": "video" if k % 10 == 9 else "picture"}
    named |= {
        "taken": taken,
        "taken_from": "mtime" if k % 3 == 2 else "exif",
        "duration_s": 61.0 if k % 10 == 9 else None,
    }
    shown = {"id": f"m{k}-0", "text": "", "seen": "", "meta": {}, **named}
    clip = {**named, "id": f"m{k}-0", "media_id": f"m{k}", "path": str(path), "start_s": 0.0, "end_s": 0.0}
    colour = list(toy.COLOURS)[k % 8]
    clip |= {"text": "", "seen": "", "shown": json.dumps(shown), "thumb": picture(colour)}
    file = {**named, "path": f"{path}/{k}", "media_id": f"m{k}", "size": 1, "mtime_ns": 0, "content": str(k)}
    file |= {"settings": "", "width": 96, "height": 64, "clips": 1, "captions": [], "added": ""}
    return clip, file, toy.direction(toy.COLOURS[colour])


@pytest.fixture(scope="module")
def site(tmp_path_factory, serving):
    """Six hundred pictures of three years, written into an index without decoding any, behind a server."""
    folder = tmp_path_factory.mktemp("pictures")
    index = Index.open(tmp_path_factory.mktemp("index") / "many.index", toy.ColourEncoder())
    index.store.create(identity_of(index.encoder))
    made = [
        rows_of(k, toy.make_picture(folder / "one.png", "red") if k == 0 else folder / "one.png")
        for k in range(FILES)
    ]
    schema = clips_schema(index.store.identity)
    vectors = pa.array(np.concatenate([vector for *_, vector in made]).astype(np.float16))
    columns = [
        pa.FixedSizeListArray.from_arrays(vectors, 5)
        if field.name == "vector"
        else pa.array([clip.get(field.name) for clip, *_ in made], field.type)
        for field in schema
    ]
    index.store.append(pa.Table.from_arrays(columns, schema=schema))
    index.store.commit(pa.Table.from_pylist([file for _, file, _ in made], schema=MEDIA_SCHEMA))
    with serving(index, folder) as site:
        yield site


def tile(page, k):
    return page.locator(f'.month li[data-index="{k}"] a')


def shown(page, k):
    """Wait for a file's thumbnail."""
    expect(tile(page, k).locator("img.shown")).to_be_visible()


def month_of(k):
    return f"{NEWEST - k * STEP:%Y-%m}"


def heading(page, name):
    return page.get_by_role("heading", name=name)


def test_the_collection_is_browsed_without_a_query(open_page, site):
    page = open_page("/")
    page.get_by_role("link", name="Browse by date").last.click()
    shown(page, 0)
    page.wait_for_state({"browse": "newest"})
    expect(page.locator("#count")).to_have_text(re.compile("^600 files · 2020\\s*–\\s*2023$"))
    counts = {}
    for k in range(FILES):
        counts[month_of(k)] = counts.get(month_of(k), 0) + 1
    expect(heading(page, f"December 2023 {counts['2023-12']} files")).to_be_in_viewport()
    first = page.locator(".month").first
    expect(first.get_by_role("listitem").first).to_have_attribute("aria-setsize", str(counts["2023-12"]))
    assert tile(page, 0).get_attribute("aria-label") == "Picture, IMG_0000, Wed, 20 December 2023, 10:00"
    assert "(file date)" in tile(page, 2).get_attribute("aria-label")
    expect(tile(page, 9)).to_have_text("1:01")


def test_only_what_is_in_sight_has_elements(open_page, site):
    page = open_page("/?browse=newest")
    shown(page, 0)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    shown(page, FILES - 1)
    expect(heading(page, f"{NEWEST - (FILES - 1) * STEP:%B %Y}")).to_be_in_viewport()
    expect(tile(page, 0)).to_have_count(0)
    wait_for(lambda: page.locator(".month li").count() < 150, lambda: "what is out of sight stays")
    page.wait_until("new URL(location.href).searchParams.get('browse') < '2020-12'", "body")
    page.evaluate("scrollTo(0, 0)")
    shown(page, 0)
    page.wait_until("new URL(location.href).searchParams.get('browse') === 'newest'", "body")


@pytest.mark.slow
def test_a_link_leads_to_its_month(open_page, site):
    page = open_page("/?browse=2021-03")
    expect(heading(page, "March 2021")).to_be_in_viewport()
    first = next(k for k in range(FILES) if month_of(k) == "2021-03")
    shown(page, first)
    page.wait_for_state({"browse": "2021-03"})
    page.reload()
    expect(heading(page, "March 2021")).to_be_in_viewport()


def test_a_click_opens_the_player_and_closing_it_comes_back(open_page, site):
    page = open_page("/?browse=2022-05")
    first = next(k for k in range(FILES) if month_of(k) == "2022-05")
    shown(page, first + 1)
    tile(page, first + 1).click()
    expect(page.locator("#player-title")).to_have_text(f"IMG_{first + 1:04d}")
    day = NEWEST - (first + 1) * STEP
    expect(page.locator("#facts")).to_contain_text(f"{day.day} {day:%B %Y}, 10:00")
    wait_for(lambda: page.state.get("m") == f"m{first + 1}", lambda: f"the address holds {page.state}")
    page.keyboard.press("j")
    expect(page.locator("#player-title")).to_have_text(f"IMG_{first + 2:04d}")
    page.keyboard.press("Escape")
    expect(page.locator("#player")).to_be_hidden()
    expect(tile(page, first + 2)).to_be_focused()
    page.wait_for_state({"browse": "2022-05"})


@pytest.mark.slow
def test_the_keyboard_moves_through_the_months(open_page, site):
    page = open_page("/?browse=newest")
    shown(page, 0)
    page.keyboard.press("Escape")  # leave the search field
    page.keyboard.press("ArrowRight")
    expect(tile(page, 0)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(tile(page, 1)).to_be_focused()
    columns = page.locator("#months").evaluate(
        "(node) => Math.round(node.clientWidth / node.querySelector('li').offsetWidth - 0.3)"
    )
    page.keyboard.press("ArrowDown")
    expect(tile(page, 1 + columns)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(tile(page, 1)).to_be_focused()
    page.keyboard.press("End")
    expect(tile(page, FILES - 1)).to_be_focused()
    page.keyboard.press("Home")
    expect(tile(page, 0)).to_be_focused()
    expect(page.locator('.month a[tabindex="0"]')).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#player-title")).to_have_text("IMG_0000")


@pytest.mark.slow
def test_the_scrubber_is_a_slider_of_months(open_page, site):
    page = open_page("/?browse=newest")
    shown(page, 0)
    slider = page.get_by_role("slider", name="Month")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^December 2023, \\d+ files$"))
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(heading(page, "September 2023")).to_be_in_viewport()
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^September 2023"))
    page.wait_until("location.search === '?browse=2023-09'", "body")
    years = page.locator("#scrubber-years li").all_text_contents()
    assert years == ["2023", "2022", "2021", "2020"]


@pytest.mark.slow
def test_filters_without_a_query_list(open_page, site):
    page = open_page("/?kind=video&after=2022&before=2023")
    films = [k for k in range(FILES) if k % 10 == 9 and month_of(k).startswith("2022")]
    expect(page.locator("#count")).to_contain_text(f"{len(films)} files · 2022")
    shown(page, 0)
    expect(tile(page, 0)).to_have_attribute("aria-label", re.compile(f"^Video of 1:01, IMG_{films[0]:04d}"))
    page.locator("#filters-open").click()
    page.get_by_label("Taken before").fill("2022-07")
    few = [k for k in films if month_of(k) < "2022-07"]
    expect(page.locator("#count")).to_contain_text(f"{len(few)} files · 2022")
    page.get_by_label("Taken before").fill("2019")
    expect(page.locator("#browse-note")).to_be_visible()
    expect(page.locator("#browse-note")).to_contain_text("nothing is after 2022 and before 2019")
    page.forgive("400")
    page.get_by_label("Taken from").fill("2018")
    expect(page.locator("#browse-note")).to_have_text("Nothing passes the filters.")
    expect(page.locator("#browse-note")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator("#count")).to_contain_text("60 files")


@pytest.mark.slow
def test_typing_searches_and_emptying_the_field_comes_back(open_page, site):
    page = open_page("/?browse=2021-03")
    expect(heading(page, "March 2021")).to_be_in_viewport()
    page.search("red")
    expect(page.locator("#browse")).to_be_hidden()
    page.get_by_role("searchbox").fill("")
    expect(heading(page, "March 2021")).to_be_in_viewport()


@pytest.mark.slow
def test_results_show_their_dates_and_sort_by_them(open_page, site):
    page = open_page("/?q=red&min_score=0.01")
    page.get_by_role("button", name="Newest first").click()
    expect(page.locator("#results")).not_to_have_attribute("aria-busy", "true")
    expect(page.get_by_role("button", name="Newest first")).to_have_attribute("aria-pressed", "true")
    wait_for(lambda: page.state.get("sort") == "time", lambda: f"the address holds {page.state}")
    found = site.index.search("red", min_score=0.01, sort="time", limit=3)
    expect(page.cards.locator(".title").first).to_have_text(found[0].title)
    days = [date.fromisoformat(hit.taken[:10]) for hit in found]
    marks = [" (file date)" if hit.taken_from == "mtime" else "" for hit in found]
    for k, (day, mark) in enumerate(zip(days, marks, strict=True)):
        expect(page.cards.nth(k).locator(".parts")).to_contain_text(f"{day.day} {day:%b %Y}{mark} · seen")


@pytest.mark.slow
def test_on_a_phone_nothing_sticks_out(open_page, site):
    page = open_page("/?browse=2021-03", color_scheme="dark", has_touch=True)
    page.set_viewport_size({"width": 390, "height": 844})
    expect(heading(page, "March 2021")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    first = next(k for k in range(FILES) if month_of(k) == "2021-03")
    shown(page, first)
    tile(page, first).tap()
    expect(page.locator("#player-title")).to_have_text(f"IMG_{first:04d}")

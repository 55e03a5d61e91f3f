"""The page for everybody, in a real browser: phones, dark rooms, dropped pictures, hostile names.

Whatever a test does, at its end nothing may have gone wrong in the console, no
content-security policy may have been broken, and no request may have left the server.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from waiting import WAIT_S

pytestmark = pytest.mark.browser
expect = pytest.importorskip("playwright.sync_api").expect
NASTY = "<img src=x onerror=alert(1)>"


@pytest.mark.slow
def test_who_wants_no_motion_sees_none(open_page):
    page = open_page("/?q=blue", reduced_motion="reduce")
    page.card("talk").locator(".tile").hover()
    page.wait_for_timeout(600)
    expect(page.locator("video.preview")).to_have_count(0)


def test_a_dropped_picture_searches_and_survives_reloading(open_page):
    page = open_page()
    page.drop("yellow")
    expect(page.locator("#example")).to_contain_text("like this picture")
    expect(page.cards.first.locator(".title")).to_have_text(re.compile("scan|talk"))
    page.reload()
    expect(page.cards.first.locator(".title")).to_have_text(re.compile("scan|talk"))
    page.wait_until("node.naturalWidth > 0 && node.naturalWidth <= 768", "#example img")
    page.card("talk").locator(".open").click()
    expect(page.locator("#marks .mark.best")).to_have_count(1)
    page.wait_until("node.style.left === '75%'", "#marks .mark.best")
    page.keyboard.press("Escape")
    page.get_by_role("searchbox").fill("red")
    page.wait_for_results()
    page.wait_for_state(["q", "picture"])
    page.get_by_role("button", name="Stop searching by this picture").click()
    expect(page.locator("#example")).to_be_hidden()
    page.wait_for_state({"q": "red"})


def test_a_picture_that_is_gone_is_told(open_page):
    page = open_page("/?picture=abcdef")
    expect(page.get_by_role("alert")).to_have_text(
        "The picture of this search is not here any more. Drop it again."
    )


def test_markup_in_a_title_is_text(open_page):
    page = open_page("/?q=green&kind=picture")
    expect(page.card("onerror").locator(".title")).to_have_text(NASTY)
    page.card("onerror").locator(".open").click()
    expect(page.locator("#player-title")).to_have_text(NASTY)
    assert page.locator("img[src='x']").count() == 0
    page.keyboard.press("Escape")
    page.search(NASTY)
    expect(page.page).to_have_title(f"{NASTY} · sayso")


@pytest.mark.parametrize(
    "address",
    [
        "/?q=blue",
        *(pytest.param(a, marks=pytest.mark.slow) for a in ("/", "/?q=red&title=zzz", "/?similar={clip}")),
    ],
)
def test_on_a_phone_nothing_sticks_out(open_page, site, address):
    clip = site.index.search("red")[0].id
    page = open_page(address.format(clip=clip))
    page.set_viewport_size({"width": 320, "height": 640})
    expect(page.locator("#holds")).to_contain_text("videos", use_inner_text=False)
    if address == "/?q=blue":
        page.get_by_role("button", name="Filters").click()
    page.wait_until("node.scrollWidth <= node.clientWidth", "html")
    if address == "/?q=blue":
        page.card("talk").locator(".open").click()
        expect(page.locator("#transcript button").first).to_be_visible()
        page.wait_until(
            "[...node.querySelectorAll('*')].every((e) => e.getBoundingClientRect().right <= 320.5)",
            "#player",
        )


@pytest.mark.slow
def test_on_no_phone_is_the_count_squeezed(open_page):
    page = open_page("/?q=blue")
    count = page.locator("#count")
    expect(count).to_contain_text("moments")
    page.locator("#mix").evaluate("(e) => { e.hidden = true }")  # as where nothing is said
    for width in range(320, 641, 20):
        page.set_viewport_size({"width": width, "height": 640})
        page.wait_until(f"innerWidth === {width}")
        page.wait_until("node.offsetHeight < 2.5 * parseFloat(getComputedStyle(node).lineHeight)", "#count")


@pytest.mark.slow
def test_light_and_dark(open_page):
    grounds = []
    for scheme in ("light", "dark"):
        page = open_page("/?q=red", color_scheme=scheme)
        page.wait_for_results()
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        grounds.append(sum(int(part) for part in re.findall(r"\d+", colour)[:3]))
    assert grounds[0] > 700 > 100 > grounds[1]


def test_everything_that_can_be_used_has_a_name(open_page):
    page = open_page("/?q=blue")
    page.wait_for_results()
    expect(page.cards.first).to_be_visible()
    nameless = """() => [...document.querySelectorAll("button, a, input, dialog, [role]")].filter((e) => {
      const by = e.getAttribute("aria-labelledby");
      const name = [e.getAttribute("aria-label"), e.textContent, e.labels?.[0]?.textContent,
                    by && document.getElementById(by) && "named"];
      return !name.some((text) => text && text.trim()); }).map((e) => e.outerHTML.slice(0, 80))"""
    spoken = ('id="original"', 'role="status"', 'role="alert"')
    unnamed = [html for html in page.evaluate(nameless) if not any(part in html for part in spoken)]
    assert unnamed == []
    expect(page.locator("#count")).to_have_attribute("aria-live", "polite")
    images = page.locator("img:not([alt])")
    assert images.count() == 0


def test_the_token_leaves_the_address(browser, library, serving):
    with serving(*library, token="a-long-enough-token") as site:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(1000 * WAIT_S)
        page.goto(f"{site.url}/?token=a-long-enough-token&q=blue")
        expect(page.locator("#results .card").first).to_be_visible()
        assert urlsplit(page.evaluate("location.href")).query == "q=blue"
        page.reload()
        expect(page.locator("#results .card").first).to_be_visible()
        context.close()
        stranger = browser.new_context()
        page = stranger.new_page()
        page.set_default_timeout(1000 * WAIT_S)
        page.goto(f"{site.url}/?q=blue")
        expect(page.locator("body")).to_contain_text("The token is missing or wrong")
        stranger.close()

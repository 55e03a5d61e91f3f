"""A long list of results in a real browser: what is far costs nothing, and is there for who looks for it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from waiting import WAIT_S, wait_for

pytestmark = pytest.mark.browser
expect = pytest.importorskip("playwright.sync_api").expect
MANY = 300
COLUMNS = "getComputedStyle(node).gridTemplateColumns.split(' ').length"
COVERED = "document.querySelector('.top').offsetHeight"
IN_SIGHT = f"(({{ top, bottom }}) => top < innerHeight && bottom > {COVERED})(node.getBoundingClientRect())"
FIRST_IN_SIGHT = f"""[...document.querySelectorAll("#results .card")].find(
  (card) => card.getBoundingClientRect().bottom > {COVERED}).dataset.id"""


def counted(total, likely=None):
    """Return a handler that answers with so many moments, the first of them likely."""

    def handle(route):
        asked = parse_qs(urlsplit(route.request.url).query)
        limit, start = int(asked["limit"][0]), int(asked.get("cursor", ["0"])[0])
        answer = route.fetch(url=route.request.url.replace(f"cursor={start}", "cursor=")).json()
        names = range(start, min(total, start + limit))
        score = [0.9 if likely is None or k < likely else 0.4 for k in names]
        hits = [
            {**answer["hits"][0], "id": f"x-{k}", "title": f"hit {k}", "score": s, "start_s": k / 20}
            for k, s in zip(names, score, strict=True)
        ]
        end = start + limit
        route.fulfill(json={**answer, "hits": hits, "next": str(end) if end < total else None})

    return handle


def scroll_to_the_end(page, count):
    """Scroll down until there are so many cards."""

    def are_there():
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        return page.cards.count() >= count

    wait_for(are_there, lambda: f"{page.cards.count()} cards, not {count}", 3 * WAIT_S)


def test_the_list_goes_on_while_it_is_scrolled_and_has_an_end(open_page):
    page = open_page("/?q=red", routes={"**/api/search?*": counted(610)})
    expect(page.cards.first).to_be_visible()
    page.wait_for_results()
    assert page.cards.count() < 200, "what nobody scrolls to is not asked for"
    scroll_to_the_end(page, 610)
    assert page.cards.locator(".title").all_text_contents() == [f"hit {k}" for k in range(610)]
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    expect(page.locator("#count")).to_contain_text("610 moments in 1 file")
    expect(page.cards.last.locator("img.shown")).to_be_visible()
    expect(page.cards.first.locator("img")).to_have_count(0)
    page.evaluate("scrollTo(0, 0)")
    expect(page.cards.first.locator("img.shown")).to_be_visible()
    expect(page.cards.last.locator("img")).to_have_count(0)


def test_guesses_stand_below_a_line(open_page):
    page = open_page("/?q=red", routes={"**/api/search?*": counted(130, likely=50)})
    scroll_to_the_end(page, 130)
    above = "document.querySelector('.line-below').previousElementSibling"
    page.wait_until(f"node.querySelectorAll('.card')[49] === {above}.lastElementChild", "#results")
    expect(page.locator(".line-below")).to_have_count(1)
    expect(page.locator("#count")).to_contain_text("50 moments in 1 file · 80 guesses")


def hit(page, k):
    return page.cards.filter(has=page.get_by_text(f"hit {k}", exact=True))


@pytest.fixture
def far_down(open_page):
    """Open a page of many results, all of which were scrolled through."""

    def open_(**options):
        page = open_page("/?q=red", routes={"**/api/search?*": counted(MANY)}, **options)
        scroll_to_the_end(page, MANY)
        page.wait_for_results()
        return page

    return open_


@pytest.mark.slow
def test_the_words_of_cards_that_are_far_are_found_in_the_page(far_down):
    page = far_down()
    expect(hit(page, 7).locator("img")).to_have_count(0)
    assert page.evaluate("find('hit 7', true, true)"), "to look backwards"
    assert page.evaluate("getSelection().anchorNode.parentElement.closest('.card').dataset.id") == "x-79"
    page.evaluate("getSelection().empty()")
    page.evaluate("scrollTo(0, 0)")
    assert page.evaluate("find('hit 288')")
    page.wait_until(IN_SIGHT, "[data-id='x-288']")
    expect(hit(page, 288).locator("img.shown")).to_be_visible()


@pytest.mark.slow
def test_the_keyboard_goes_through_all_of_it(far_down):
    page = far_down()
    page.evaluate("scrollTo(0, 0)")
    columns = page.locator("#results").evaluate(f"(node) => {COLUMNS}")
    hit(page, 0).locator(".open").focus()
    for _ in range(40):
        page.keyboard.press("ArrowDown")
    far = 40 * columns
    expect(hit(page, far).locator(".open")).to_be_focused()
    page.wait_until(IN_SIGHT, f"[data-id='x-{far}']")
    page.keyboard.press("p")
    expect(hit(page, far).locator(".pick")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(hit(page, far + 1).locator(".open")).to_be_focused()
    assert "tray=" in hit(page, far + 1).locator(".open").get_attribute("href")


@pytest.mark.slow
def test_what_was_opened_far_down_has_the_focus_afterwards_where_it_was(far_down):
    page = far_down()
    hit(page, 150).locator(".open").click()
    expect(page.locator("#player")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#player")).to_be_hidden()
    expect(hit(page, 150).locator(".open")).to_be_focused()
    page.wait_until(IN_SIGHT, "[data-id='x-150']")
    expect(hit(page, 150).locator("img.shown")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("focused", [False, True])
def test_another_width_makes_other_rows_and_keeps_the_place(far_down, focused):
    page = far_down()
    hit(page, 150).scroll_into_view_if_needed()
    if focused:
        hit(page, 150).locator(".open").focus()
    before = page.locator("#results").evaluate(f"(node) => {COLUMNS}")
    for width in (390, 1700, 700):
        top = page.evaluate(FIRST_IN_SIGHT)
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_until(f"{COLUMNS} !== {before}", "#results")
        full = "[...node.children].slice(0, -1).every((box) => box.children.length % COLUMNS === 0)"
        page.wait_until(full.replace("COLUMNS", COLUMNS), "#results")
        page.wait_until(IN_SIGHT, f"[data-id='{top}']")
        assert page.cards.locator(".title").all_text_contents() == [f"hit {k}" for k in range(MANY)]
        before = page.locator("#results").evaluate(f"(node) => {COLUMNS}")
    if focused:
        expect(hit(page, 150).locator(".open")).to_be_focused()

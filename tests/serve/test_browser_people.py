"""People to click, in a real browser."""

from __future__ import annotations

import pytest

from serve.test_people import named  # noqa: F401  a fixture

pytestmark = pytest.mark.browser
expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture
def site(named):  # noqa: F811
    """The pages of these tests come from the site that knows people."""
    return named


def test_a_click_on_a_face_searches_for_the_person_and_a_second_one_does_not(open_page):
    page = open_page()
    rick = page.get_by_role("button", name="Rick")
    ilsa = page.get_by_role("button", name="Ilsa Lund")
    expect(rick).to_have_attribute("aria-pressed", "false")
    page.wait_until("node.naturalWidth > 0", "#people img")
    ilsa.click()
    expect(page.get_by_role("searchbox")).to_have_value('who:"Ilsa Lund"')
    page.wait_for_results()
    expect(page.cards).to_have_count(1)
    expect(ilsa).to_have_attribute("aria-pressed", "true")
    page.wait_for_state({"q": 'who:"Ilsa Lund"'})
    ilsa.click()
    rick.click()
    page.search("who:rick blue")
    expect(page.cards.first.locator(".tag")).to_contain_text("0:04")
    expect(rick).to_have_attribute("aria-pressed", "true")
    rick.click()
    page.wait_for_state({"q": "blue"})
    expect(rick).to_have_attribute("aria-pressed", "false")
    page.wait_until("node.scrollWidth <= node.clientWidth", "html")

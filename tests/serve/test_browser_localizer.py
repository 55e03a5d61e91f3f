"""The page's "Where?" with a trained localizer behind it, in a real browser."""

from __future__ import annotations

import pytest

from serve.test_where import localizer, localizing, pointing  # noqa: F401  fixtures

pytestmark = pytest.mark.browser
expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture
def site(localizing):  # noqa: F811
    """The pages of these tests come from the site that has a localizer."""
    return localizing


@pytest.mark.parametrize(
    ("words", "note"),
    [
        ("sea", "“sea” is most likely at the bottom on the right."),
        pytest.param(
            "blue",
            "“blue” is most likely at the bottom on the right. (The localizer knows no 'blue', so this is the"
            " map of the search's model colour.)",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_its_classes_are_found_by_it_and_others_by_the_search_which_says_so(open_page, words, note):
    page = open_page(f"/?q={words}&kind=picture")
    page.card("flag").locator(".open").click()
    page.get_by_role("button", name="Where?").click()
    expect(page.locator("#heat-note")).to_have_text(note)
    expect(page.locator("#heat")).to_be_visible()

"""Asking about a moment on the page, in a real browser."""

from __future__ import annotations

import pytest

from serve.test_ask import asked_site, model  # noqa: F401  fixtures

pytestmark = pytest.mark.browser
expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture
def site(asked_site):  # noqa: F811
    """The pages of these tests come from the site whose model answers."""
    return asked_site


def ask(page, question):
    page.get_by_label("Ask about this moment").get_by_role("textbox").fill(question)
    page.keyboard.press("Enter")


def test_an_answer_comes_word_by_word_escaped_and_marked_as_machine_made(open_page, model):  # noqa: F811
    page = open_page()
    page.open_moment("green", "talk")
    model.go.clear()
    ask(page, "What is it?")
    expect(page.locator(".answer")).to_have_text("It")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    model.go.set()
    expect(page.locator(".answer")).to_have_text("It is <b>red</b>")
    assert page.locator(".answer b").count() == 0
    expect(page.locator("#ask-note")).to_have_text("Machine-made, and may be wrong. a test")
    expect(page.locator(".asked")).to_have_text("What is it?")
    (shown,) = model.prompts[-1].pictures
    assert shown.ndim == 4  # the moment that is on the screen


@pytest.mark.slow
def test_an_answer_can_be_stopped_and_the_dialogue_goes_on(open_page, model):  # noqa: F811
    page = open_page()
    page.open_moment("red", "rose")
    model.go.clear()
    ask(page, "What is it?")
    expect(page.locator(".answer")).to_have_text("It")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".answer")).to_have_text("It (stopped)")
    model.go.set()
    ask(page, "And now?")
    expect(page.locator(".answer").nth(1)).to_have_text("It is <b>red</b>")
    ask(page, "Why?")
    expect(page.locator(".answer").nth(2)).to_have_text("It is <b>red</b>")
    assert [one.text for one in model.prompts[-1].exchanges] == ["And now?", "Why?"]


@pytest.mark.slow
def test_another_file_begins_anew_and_typing_moves_nothing(open_page, model):  # noqa: F811
    page = open_page()
    page.open_moment("red", "rose")
    ask(page, "j k w /")  # keys of the page are letters here
    expect(page.locator(".answer")).to_have_text("It is <b>red</b>")
    expect(page.locator("#player-title")).to_have_text("rose")
    page.keyboard.press("Escape")
    page.card("talk").locator(".open").click()
    expect(page.locator("#answers li")).to_have_count(0)


@pytest.mark.slow
def test_trouble_is_one_sentence(open_page, model):  # noqa: F811
    page = open_page()
    page.open_moment("red", "rose")
    page.route("**/api/ask", lambda route: route.fulfill(status=503, json={"error": "no model is here"}))
    ask(page, "What?")
    expect(page.locator(".answer.failed")).to_have_text("no model is here")
    page.forgive("503")


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 1280])
def test_it_fits_on_any_screen(open_page, model, width):  # noqa: F811
    page = open_page()
    page.open_moment("red", "rose")
    page.set_viewport_size({"width": width, "height": 640})
    for k in range(4):
        ask(page, f"A question {k} " + "that goes on and on " * 10)
        expect(page.locator(".answer").nth(k)).to_have_text("It is <b>red</b>")
    inside = f"(e) => e.getBoundingClientRect().right <= {width} + 0.5"
    page.wait_until(f"[...node.querySelectorAll('*')].every({inside})", "#player")
    expect(page.get_by_role("button", name="Ask")).to_be_in_viewport()

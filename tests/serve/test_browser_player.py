"""Watching in a real browser: the right second, marks, streams, and keys.

Whatever a test does, at its end nothing may have gone wrong in the console, no
content-security policy may have been broken, and no request may have left the server.
"""

from __future__ import annotations

import re

import pytest

import toy
from media import films
from sayso import Index
from sayso.media import read_clip
from waiting import WAIT_S, wait_for

pytestmark = pytest.mark.browser
expect = pytest.importorskip("playwright.sync_api").expect
OFF = """(video, expected) => {  // how far the colour of what is shown is off
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  context.drawImage(video, 0, 0, 1, 1);
  const shown = context.getImageData(0, 0, 1, 1).data;
  return expected.reduce((sum, value, k) => sum + Math.abs(value - shown[k]), 0); }"""


def test_a_click_opens_the_player_at_the_second(open_page, site):
    page = open_page()
    page.open_moment("blue", "talk")
    page.wait_until(
        "node.currentTime >= 8 && node.currentTime < 10 && !node.paused && node.videoWidth === 64"
    )
    page.wait_for_state({"q": "blue", "m": site.id_of("talk.mp4"), "t": "8"})
    expect(page.locator("#player-title")).to_have_text("talk")
    expect(page.locator("#length")).to_have_text("0:16")
    expect(page.locator("#transcript button")).to_have_count(4)
    expect(page.locator("#transcript [aria-current]")).to_contain_text("a plum tree")
    expect(page.locator("#original")).to_have_attribute("download", "talk.mp4")


def test_the_timeline_marks_every_moment_by_its_score_and_seeks(open_page):
    page = open_page()
    page.open_moment("blue", "talk")
    marks = page.locator("#marks .mark")
    expect(marks).to_have_count(4)
    expect(page.locator("#marks .mark.best")).to_have_count(1)
    page.wait_until("[...node.children].map((mark) => mark.style.left).join() === '0%,25%,50%,75%'", "#marks")
    tallest = "Math.max(...[...node.children].map((mark) => mark.offsetHeight))"
    page.wait_until(f"{tallest} === node.children[2].offsetHeight", "#marks")
    page.wait_until("node.readyState > 2")
    page.locator("#transcript button").nth(3).click()
    page.wait_until("node.currentTime >= 12 && node.currentTime < 14")
    marks.nth(2).click()
    page.wait_until("node.currentTime >= 8 && node.currentTime < 10")
    page.locator("#transcript button").nth(3).click()
    page.wait_until("node.currentTime >= 12")
    seek = page.locator("#seek")
    width, height = seek.evaluate("(node) => [node.offsetWidth, node.offsetHeight]")
    seek.click(position={"x": width * 0.5, "y": height - 6})
    page.wait_until("node.currentTime >= 7.5 && node.currentTime < 9.5")
    seek.hover(position={"x": width * 0.9, "y": height - 6})
    expect(page.locator("#tip")).to_have_text("0:14")
    expect(page.locator("#tip img")).to_be_visible()


@pytest.mark.parametrize(
    ("words", "title", "start"),
    [("magenta", "film", 8), pytest.param("white", "old", 4, marks=pytest.mark.slow)],
)
def test_what_browsers_do_not_play_is_streamed_with_the_right_clock(open_page, words, title, start):
    page = open_page(f"/?title={title}")
    asked = []
    page.on("request", lambda request: "/play/" in request.url and asked.append(request.url))
    page.open_moment(words, title)
    page.wait_until(
        f"node.currentTime >= {start} && node.currentTime < {start + 2} && !node.paused && node.videoWidth",
    )
    assert asked[0].endswith(f"?t={start}.000")
    expect(page.locator("#facts")).to_contain_text("converted while playing")
    page.keyboard.press("Space")
    page.locator("#seek").fill("0.5")
    page.wait_until("node.currentTime < 1 && node.readyState > 1 && !node.seeking")
    assert len(asked) > 1 or title == "film", "what lies before was not there and was asked for"
    expected = list(toy.COLOURS["cyan" if title == "film" else "black"])
    page.wait_until(f"({OFF})(node, {expected}) < 60")  # the frame before stays until the new one is painted
    page.wait_until(f"Math.abs(node.duration - {12 if title == 'film' else 8}) <= 0.2")


@pytest.mark.parametrize("width", [390, pytest.param(1280, marks=pytest.mark.slow)])
def test_the_transcript_follows_the_film(open_page, width):
    def long(route):
        file = route.fetch().json()
        lines = [
            {"start_s": k / 4, "end_s": k / 4 + 0.25, "text": f"line {k}", "speaker": None} for k in range(64)
        ]
        route.fulfill(json={**file, "transcript": lines})

    routes = {"**/api/media/*": long}
    page = open_page("/?q=blue", routes=routes, viewport={"width": width, "height": 844})
    page.card("talk").locator(".open").click()
    expect(page.locator("#transcript [aria-current]")).to_have_text(re.compile("line 3[2-9]"))
    inside = """[...node.querySelectorAll('[aria-current]')].some((line) => {
      const [at, box] = [line, node].map((one) => one.getBoundingClientRect());
      return at.top >= box.top && at.bottom <= Math.min(box.bottom, innerHeight); })"""
    page.wait_until(inside, "#transcript")
    page.locator("#seek").fill("15.1")
    expect(page.locator("#transcript [aria-current]")).to_have_text(re.compile("line 6"))
    page.wait_until(inside, "#transcript")


@pytest.mark.slow
def test_keys_of_the_player(open_page):
    page = open_page("/?q=blue&kind=video")
    page.card("talk").locator(".open").focus()
    page.keyboard.press("Enter")
    page.wait_until("node.currentTime >= 8 && !node.paused && node.readyState > 2")
    page.keyboard.press("Space")
    page.wait_until("node.paused")
    still = page.now
    page.keyboard.press(".")
    page.wait_until(f"!node.seeking && node.currentTime > {still} + 0.03")
    assert page.now - still < 0.26
    forward = page.now
    page.keyboard.press(",")
    page.wait_until(f"!node.seeking && node.currentTime < {forward} - 0.03")
    assert forward - page.now < 0.26
    page.keyboard.press("ArrowLeft")
    page.wait_until(f"!node.seeking && node.currentTime < {forward} - 4")
    page.keyboard.press("]")
    page.wait_until("node.currentTime >= 8 && node.currentTime < 10 && !node.paused")
    page.keyboard.press("m")
    page.wait_until("node.muted")
    page.keyboard.press("Enter")
    page.wait_until("node.currentTime >= 8 && node.currentTime < 9")
    title = page.locator("#player-title").inner_text()
    page.keyboard.press("j")
    expect(page.locator("#player-title")).not_to_have_text(title)
    page.keyboard.press("k")
    expect(page.locator("#player-title")).to_have_text(title)
    page.keyboard.press("s")
    expect(page.locator("#player")).to_be_hidden()
    page.wait_for_state(["similar", "kind"])
    expect(page.cards.first).to_be_visible()


@pytest.mark.slow
def test_brackets_go_from_moment_to_moment(open_page):
    page = open_page("/?q=red+%2B+yellow&text_weight=0&kind=video")
    page.card("talk").locator(".open").click()
    expect(page.locator("#marks .mark.best")).to_have_count(2)
    page.wait_until("node.readyState > 2")
    page.keyboard.press("]")
    page.wait_until("node.currentTime >= 12 && node.currentTime < 14")
    expect(page.locator("#moments")).to_have_text("moment 2 of 2")
    page.keyboard.press("[")
    page.wait_until("node.currentTime < 2")


@pytest.mark.slow
def test_closing_the_player_leads_back_to_the_card(open_page):
    page = open_page("/?q=blue")
    page.card("talk").locator(".open").click()
    expect(page.locator("#player")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#player")).to_be_hidden()
    expect(page.card("talk").locator(".open")).to_be_focused()
    page.wait_for_state({"q": "blue"})


@pytest.mark.slow
def test_pictures_open_large_also_those_that_browsers_do_not_show(open_page):
    page = open_page("/?q=yellow&kind=picture")
    for title in ("scan", "sea"):
        page.card(title).locator(".open").click()
        page.wait_until("node.naturalWidth === 90", "#picture")
        expect(page.locator("#facts")).to_contain_text("90")
        expect(page.locator("#controls")).to_be_hidden()
        page.keyboard.press("Escape")
        expect(page.locator("#player")).to_be_hidden()


FRAME = """(video) => {  // how light the middle of each of the frame's twelve blocks is
  const [width, height] = [video.videoWidth, video.videoHeight];
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(video, 0, 0);
  return [0, 1, 2].flatMap((row) => [0, 1, 2, 3].map((column) =>
    context.getImageData((column + 0.5) * width / 4, (row + 0.5) * height / 3, 1, 1).data[1])); }"""
VP9 = {"codec": "libvpx-vp9", "sound_codec": "libopus", "deadline": "realtime", "cpu_used": "8"}


LATE = {
    "late.mp4": (6.0, 0.0, {}),
    "late.mkv": (6.0, 0.0, {}),
    "late.webm": (6.0, 0.0, VP9),
    "alone.mp4": (6.0, None, {}),
    "early.mp4": (-1.0, 0.0, {"muxer": {"avoid_negative_ts": "disabled"}}),
    "both.webm": (6.0, 4.0, VP9),
}


@pytest.fixture
def late_site(tmp_path, serving, name):
    """A film whose pictures begin after 0, or whose clock does, or starts again; cut by its captions."""
    path = tmp_path / "films" / name
    path.parent.mkdir()
    if name == "joined.ts":
        parts = [films.make_late(tmp_path / "part.ts", 0.0, 0.0, *n).read_bytes() for n in ((100,), ())]
        path.write_bytes(b"".join(parts))
    else:
        pictures_s, sound_s, options = LATE[name]
        films.make_late(path, pictures_s, sound_s, **options)
    path.with_suffix(path.suffix + ".srt").write_text("1\n00:00:07,200 --> 00:00:09,000\nflip it\n")
    index = Index.open(tmp_path / "late.index", toy.ColourEncoder())
    report = index.add(path.parent, by_caption=True)
    assert not report.failures, report.failures
    with serving(index, path.parent) as site:
        yield site


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("late.mp4", 30),
        pytest.param("late.mkv", 30, marks=pytest.mark.slow),
        pytest.param("late.webm", 30, marks=pytest.mark.slow),
        pytest.param("alone.mp4", 180, marks=pytest.mark.slow),
        pytest.param("early.mp4", 205, marks=pytest.mark.slow),
        pytest.param("both.webm", 130, marks=pytest.mark.slow),
        pytest.param("joined.ts", 79, marks=pytest.mark.slow),
    ],
)
def test_the_frame_on_screen_at_a_hits_start_is_the_one_that_was_embedded(late_site, browser, name, number):
    media_id = late_site.id_of(name)
    (moment,) = late_site.index.moments(media_id)
    assert (moment.start_s, moment.text) == (7.2, "flip it")
    embedded = read_clip(late_site.folder / name, moment.start_s, moment.start_s + 0.04, frames=1).frames[0]
    assert films.number_of(embedded) == pytest.approx(number, abs=2)
    page = browser.new_page()
    page.set_default_timeout(1000 * WAIT_S)
    page.add_init_script("HTMLMediaElement.prototype.play = async function () {}")
    try:
        page.goto(f"{late_site.url}/?m={media_id}&t={moment.start_s}")
        video = page.locator("#video")
        seen = []

        def is_shown():
            if not video.evaluate("(v) => v.readyState >= 2 && !v.seeking && v.currentTime > 7"):
                return False
            seen.append(sum((light > 135) << k for k, light in enumerate(video.evaluate(FRAME))))
            return abs(seen[-1] - films.number_of(embedded)) <= 1

        wait_for(is_shown, lambda: f"frames {seen[-3:]} are shown, not {films.number_of(embedded)}")
    finally:
        page.close()

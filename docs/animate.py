"""Record the animated picture of the page that the README shows, from a running server.

    sayso demo &                       # or: sayso serve my.index
    python docs/animate.py http://127.0.0.1:8000 "a cup of coffee" "a rocket launch" "riding a bike"

Needs Playwright (``pip install playwright``) and Chromium. Each query is typed; its results are held.
"""

from __future__ import annotations

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
SIZE, WIDTH, QUALITY = {"width": 1160, "height": 720}, 800, 45
LETTERS, TYPED_MS, HELD_MS = 3, 120, 2200


def frame_of(page: Page) -> Image.Image:
    """Return what the page shows, as a small picture."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return picture.resize((WIDTH, WIDTH * picture.height // picture.width), Image.Resampling.LANCZOS)


def record(page: Page, query: str) -> list[tuple[Image.Image, int]]:
    """Type a query, wait for what it finds; return frames and how long each is held, milliseconds.

    Args:
        page: of the search.
        query: what is typed.
    """
    field = page.get_by_role("searchbox").or_(page.locator("input[type=search], #query")).first
    frames = []
    field.fill("")
    for end in range(LETTERS, len(query) + LETTERS, LETTERS):
        field.evaluate("(box, text) => { box.value = text }", query[:end])  # nothing is searched meanwhile
        frames.append((frame_of(page), TYPED_MS))
    with page.expect_response(lambda answer: "search" in answer.url and answer.ok):
        field.fill(query)
        field.press("Enter")
    page.locator("#results .card:not(.skeleton)").first.wait_for()
    page.wait_for_load_state("networkidle")
    return [*frames, (frame_of(page), HELD_MS)]


def main() -> None:
    """Record all queries."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("address", help="of the server, with ?token= if it has one")
    parser.add_argument("queries", nargs="+")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("page.webp"))
    wanted = parser.parse_args()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport=SIZE)
        page.goto(wanted.address)
        frames = [one for query in wanted.queries for one in record(page, query)]
        browser.close()
    (first, _), *others = frames
    durations = [held for _, held in frames]
    rest = [picture for picture, _ in others]
    first.save(
        wanted.out, save_all=True, append_images=rest, duration=durations, loop=0, quality=QUALITY, method=6
    )


if __name__ == "__main__":
    main()

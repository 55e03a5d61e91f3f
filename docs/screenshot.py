"""Take the picture of the page that the README shows, from a running server.

    sayso demo &                       # or: sayso serve my.index
    python docs/screenshot.py http://127.0.0.1:8000 --query "people riding bicycles"

Needs Playwright (``pip install playwright``) and Chromium.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import sync_playwright

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]


def main() -> None:
    """Open the page, search, open a result if asked to, and save the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("address", help="of the server, with ?token= if it has one")
    parser.add_argument(
        "--query", "-q", default="", help="what to search; without it the first page is shown"
    )
    parser.add_argument("--open", type=int, metavar="N", help="open the Nth result in the player")
    parser.add_argument(
        "--after", type=float, default=2.0, help="seconds to let pictures load and a video play"
    )
    parser.add_argument("--dark", action="store_true", help="as in a dark room")
    parser.add_argument("--size", default="1360x850", help="of the window, pixels")
    parser.add_argument("--scale", type=float, default=1.0, help="pixels of the picture for one of the page")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("page.png"))
    wanted = parser.parse_args()
    width, height = (int(side) for side in wanted.size.split("x"))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(
            viewport={"width": width, "height": height},
            device_scale_factor=wanted.scale,
            color_scheme="dark" if wanted.dark else "light",
        )
        page.goto(wanted.address)
        if wanted.query:
            page.goto(f"{wanted.address.partition('?')[0].rstrip('/')}/?{urlencode({'q': wanted.query})}")
            page.locator("#results .card:not(.skeleton)").first.wait_for()
        if wanted.open:
            page.locator("#results .open").nth(wanted.open - 1).click()
        page.wait_for_timeout(1000 * wanted.after)
        page.screenshot(path=wanted.out)
        browser.close()


if __name__ == "__main__":
    main()

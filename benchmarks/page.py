"""What the page weighs, and how smoothly it scrolls: first load, frame times of 10,000 cards, Lighthouse.

    python benchmarks/page.py                              # with Chromium, by Playwright
    python benchmarks/page.py --lighthouse lighthouse      # the command of npm's lighthouse, where it is

The frame times are those of requestAnimationFrame while the list is scrolled by a screen's tenth a frame,
down through all cards; on a machine without a graphics card Chromium paints by the processor.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Route, sync_playwright

import sayso
from sayso.serve import create_app
from sayso.serve.server import listen

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu"]
SCROLL = """async (frames) => {
  const times = [];
  await new Promise((done) => {
    let last = performance.now();
    const frame = (now) => {
      times.push(now - last);
      last = now;
      scrollBy(0, innerHeight / 10);
      times.length < frames ? requestAnimationFrame(frame) : done();
    };
    requestAnimationFrame(frame);
  });
  return times.slice(1); }"""


@contextmanager
def served(pictures: int) -> Iterator[str]:
    """Serve an index of made-up pictures; yield the page's address."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name, listen("127.0.0.1", 0) as listener:
        folder = Path(name)
        for k in range(pictures):
            coarse = Image.fromarray(rng.integers(0, 255, (6, 8, 3), np.uint8))
            coarse.resize((640, 480), Image.Resampling.BICUBIC).save(folder / f"picture {k}.jpg")
        index = sayso.Index.open(folder / "page.index", "offline")
        index.add(folder)
        app = create_app(index)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def weigh(browser: Browser, url: str) -> Counter[str]:
    """Return the bytes of the first load by kind, and under ``requests`` how many there were."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108  Playwright marks what it calls
    page.goto(url, wait_until="networkidle")
    weights: Counter[str] = Counter()
    for answer in answers:
        kind = answer.headers.get("content-type", "").partition(";")[0].rpartition("/")[2]
        weights[kind] += len(answer.body())
        weights["requests"] += 1
    page.close()
    return weights


def many_hits(cards: int) -> Any:
    """Return a handler that answers every search with so many moments."""

    def handle(route: Route) -> None:
        asked = parse_qs(urlsplit(route.request.url).query)
        start, limit = int(asked.get("cursor", ["0"])[0]), int(asked["limit"][0])
        first = route.request.url.replace(f"cursor={start}&", "").replace(f"&cursor={start}", "")
        answer = route.fetch(url=first).json()
        known = answer["hits"]
        numbers = range(start, min(cards, start + limit))
        hits = [{**known[k % len(known)], "id": f"x-{k}", "title": f"hit {k}", "score": 0.9} for k in numbers]
        hits = [
            {**hit, "thumb": known[k % len(known)]["thumb"]} for k, hit in zip(numbers, hits, strict=True)
        ]
        more = str(start + limit) if start + limit < cards else None
        route.fulfill(json={**answer, "hits": hits, "next": more})

    return handle


def scroll(browser: Browser, url: str, cards: int, frames: int) -> np.ndarray:
    """Return the frame times in ms of scrolling through so many cards."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(600_000)
    page.route("**/api/search?*", many_hits(cards))
    page.goto(f"{url}/?q=red")
    count = 0
    while count < cards:
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(20)
        count = page.locator("#results > .card").count()
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)
    times = np.array(page.evaluate(SCROLL, frames))
    page.close()
    return times


def lighthouse(command: str, chromium: str, url: str) -> dict[str, float]:
    """Return Lighthouse's scores of the first page, 0 to 100."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        subprocess.run(
            [
                command,
                url,
                "--quiet",
                "--output=json",
                f"--output-path={report.name}",
                "--preset=desktop",
                f"--chrome-flags={' '.join(FLAGS)}",
            ],
            check=True,
            env={"CHROME_PATH": chromium, "PATH": "/usr/bin:/bin"},
        )
        found = json.load(report)
    return {one["title"]: round(100 * (one["score"] or 0)) for one in found["categories"].values()}


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cards", type=int, default=10_000)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--lighthouse", help="the command")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or ""
    with served(pictures=48) as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        weights = weigh(browser, url)
        print(f"first load: {weights.pop('requests')} requests,", end=" ")
        print(", ".join(f"{kind} {size / 1024:.0f} KiB" for kind, size in weights.most_common()))
        print(f"{options.cards} cards:", end=" ", flush=True)
        times = scroll(browser, url, options.cards, options.frames)
        median, late, worst = np.percentile(times, [50, 95, 100])
        print(f"frame times: median {median:.1f} ms, 95 % {late:.1f} ms, longest {worst:.0f} ms")
        browser.close()
        if options.lighthouse:
            for title, score in lighthouse(options.lighthouse, chromium, url).items():
                print(f"Lighthouse, {title}: {score:.0f}")


if __name__ == "__main__":
    main()

"""What the page weighs, and how smoothly it scrolls: first load, frame times of 10,000 cards, Lighthouse.

    python benchmarks/page.py                              # with Chromium, by Playwright
    python benchmarks/page.py --lighthouse lighthouse      # the command of npm's lighthouse, where it is

The frame times are those of requestAnimationFrame while the page is scrolled by a screen's tenth a frame,
down through results, or through the timeline of as many files; without a graphics card Chromium paints by the
processor. Beside them stands what the page's main thread computes a frame, which neighbours change little.
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
from playwright.sync_api import Browser, Page, Route, sync_playwright

import sayso
from sayso.serve import create_app
from sayso.serve.server import listen

AT_ONCE = 500  # results that are loaded while nothing is measured
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
        start = int(asked.get("cursor", ["0"])[0])
        limit = AT_ONCE if start else int(asked["limit"][0])
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


def many_files(files: int) -> dict[str, Any]:
    """Return handlers that answer as a library of so many files would, a hundred a month."""

    def months(route: Route) -> None:
        counts = [min(100, files - at) for at in range(0, files, 100)]
        named = [{"month": f"{2026 - k // 12}-{12 - k % 12:02d}", "count": n} for k, n in enumerate(counts)]
        route.fulfill(json={**route.fetch().json(), "files": files, "months": named})

    def some(route: Route) -> None:
        asked = parse_qs(urlsplit(route.request.url).query)
        start, limit = int(asked.get("offset", ["0"])[0]), int(asked["limit"][0])
        first = route.request.url.replace(f"offset={start}", "offset=0")
        answer = route.fetch(url=first).json()
        known = answer["files"]
        numbers = range(start, min(files, start + limit))
        route.fulfill(
            json={**answer, "files": [{**known[k % len(known)], "title": f"file {k}"} for k in numbers]}
        )

    return {"**/api/timeline?*": months, "**/api/timeline": months, "**/api/timeline/files?*": some}


def scroll(page: Page, frames: int) -> str:
    """Scroll down from the top; return frame times, and what the main thread computed a frame, ms."""
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def computed_s() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(one["value"] for one in metrics if one["name"] == "TaskDuration")

    before = computed_s()
    times = np.array(page.evaluate(SCROLL, frames))
    median, late, worst = np.percentile(times, [50, 95, 100])
    busy_ms = 1000 * (computed_s() - before) / frames
    return f"{median:.1f} | {late:.1f} | {worst:.0f} | {busy_ms:.1f}"


def open_results(page: Page, url: str, cards: int) -> None:
    """Open a page of results, and load so many cards."""
    page.route("**/api/search?*", many_hits(cards))
    page.goto(f"{url}/?q=red")
    while page.locator("#results .card:not(.skeleton)").count() < cards:
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(20)


def open_timeline(page: Page, url: str, files: int) -> None:
    """Open the timeline of so many files."""
    for pattern, handler in many_files(files).items():
        page.route(pattern, handler)
    page.goto(f"{url}/?browse=newest")
    page.locator(".month img.shown").first.wait_for()


def frames_table(browser: Browser, url: str, cards: int, frames: int) -> None:
    """Print frame times of both pages at both widths."""
    print(f"\n| {cards} | frame times: median ms | 95 % | longest | main thread ms a frame |")
    print("| --- | --: | --: | --: | --: |")
    for what, open_page in (("results", open_results), ("timeline", open_timeline)):
        for width, height in ((1280, 800), (390, 844)):
            page = browser.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(600_000)
            open_page(page, url, cards)
            print(f"| {what}, {width} x {height} | {scroll(page, frames)} |", flush=True)
            page.close()


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
        frames_table(browser, url, options.cards, options.frames)
        browser.close()
        if options.lighthouse:
            for title, score in lighthouse(options.lighthouse, chromium, url).items():
                print(f"Lighthouse, {title}: {score:.0f}")


if __name__ == "__main__":
    main()

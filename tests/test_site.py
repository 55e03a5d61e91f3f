"""The site is built from the pages and the code, leads nowhere wrong, and asks no other host for anything."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

pytest.importorskip("mkdocs")
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=quiet, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_link_and_anchor_leads_somewhere(site):
    pages = {
        path: path.read_text(encoding="utf-8") for path in site.rglob("*.html") if path.name != "404.html"
    }
    assert len(pages) > 50
    checked = 0
    for path, text in pages.items():
        for link in re.findall(r'(?:href|src)="([^"]+)"', text):
            target, anchor = urldefrag(link)
            if re.match(r"[a-z]+:", target):
                continue
            other = (path.parent / unquote(target)).resolve() if target else path
            other = other / "index.html" if other.is_dir() else other
            assert other.exists(), (path.relative_to(site), link)
            if anchor and other in pages:
                assert f'id="{unquote(anchor)}"' in pages[other], (path.relative_to(site), link)
            checked += 1
    assert checked > 1000


def test_every_system_and_public_name_has_its_place(site):
    import sayso

    for path in (ROOT / "docs" / "systems").glob("*.md"):
        assert (site / "systems" / f"{path.stem}.html").exists()
    front = (site / "python" / "sayso.html").read_text(encoding="utf-8")
    for name in ("Index", "train", "load", "ask", "transcribe"):
        assert name in sayso.__all__
        assert f".{name}" in front
    for page in (site / "python").glob("*.html"):
        assert 'class="doc doc-object' in page.read_text(encoding="utf-8"), f"{page.name} describes nothing"
    systems = (site / "python" / "systems.html").read_text(encoding="utf-8")
    for path in (ROOT / "docs" / "systems").glob("*.md"):
        assert f'id="sayso.systems.{path.stem}.' in systems, path.stem


@pytest.mark.browser
def test_it_is_read_on_any_screen_without_another_host_and_is_searched(site):
    from playwright.sync_api import expect, sync_playwright

    handler = partial(SimpleHTTPRequestHandler, directory=str(site))
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Quiet", (handler.func,), {"log_message": lambda *_: None})
    )
    server.RequestHandlerClass = partial(server.RequestHandlerClass, directory=str(site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = f"http://127.0.0.1:{server.server_port}"
    troubles = []
    try:
        with sync_playwright() as driver:
            flags = ["--headless=new", "--no-sandbox", "--disable-gpu"]
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
            page = browser.new_page(viewport={"width": 390, "height": 844})
            page.on("request", lambda one: one.url.startswith((home, "data:")) or troubles.append(one.url))
            page.on("pageerror", lambda error: troubles.append(str(error)))
            for path in sorted(site.rglob("*.html")):
                page.goto(f"{home}/{path.relative_to(site)}")
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path.name
            page.set_viewport_size({"width": 1280, "height": 900})
            page.goto(f"{home}/index.html")
            field = page.get_by_role("textbox", name="Search")
            field.click()
            field.fill("negatives of the same video")
            expect(page.locator(".md-search-result__item").first).to_be_visible(timeout=30_000)
            browser.close()
    finally:
        server.shutdown()
        server.server_close()
    assert troubles == []

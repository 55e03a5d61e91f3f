"""The page's own files."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from sayso.export.pages import FILM, PLAYER, SHARED, STYLES, put_in

FILES = {
    entry.name: entry for folder in (files("sayso.serve") / "static", SHARED) for entry in folder.iterdir()
}
NAMES = sorted(FILES)
PAGE = put_in(FILES["index.html"].read_text())


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_sent_as_what_it_is(site, name):
    answer = site.client.get(f"/static/{name}")
    assert answer.status_code == 200
    assert answer.text == (PAGE if name == "index.html" else FILES[name].read_text())
    kind = {"css": "text/css", "html": "text/html", "js": "text/javascript", "svg": "image/svg+xml"}[
        name.rpartition(".")[2]
    ]
    assert answer.headers["content-type"].startswith(kind)
    again = site.client.get(f"/static/{name}", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        *("/static/nothing.js", "/static/", "/static/..%2f__init__.py", "/static/../app.py", "/favicon.ico"),
        *("/thumb/0%2F", "/thumb/0/", "/api/search/"),
    ],
)
def test_nothing_else_is_sent(site, path):
    answer = site.client.get(path)
    assert answer.status_code == 404
    assert answer.json().keys() == {"error"}


def test_the_page_asks_for_files_that_are_there():
    wanted = set(re.findall(r'"/static/([^"]+)"', PAGE)) | {*STYLES, *PLAYER}
    for name in NAMES:
        if name.endswith(".js"):
            wanted |= set(re.findall(r'from "\./([^"]+)"', FILES[name].read_text()))
    assert wanted | {"index.html", "icons.html", "stage.html"} == set(NAMES)


def test_scripts_touch_no_element_that_the_page_has_not():
    ids = set(re.findall(r'\bid="([^"]+)"', PAGE + FILM))
    for name in NAMES:
        text = FILES[name].read_text()
        assert set(re.findall(r'\$\("([^"]+)"\)', text)) <= ids, name
        assert set(re.findall(r'icon\("([^"]+)"\)', text)) <= {id_.removeprefix("i-") for id_ in ids}
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|https?://(?!www\.w3\.org)", text
        )


def test_no_file_of_the_page_is_long():
    for name in NAMES:
        assert FILES[name].read_text().count("\n") <= 300, name

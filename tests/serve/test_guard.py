"""Who gets in, and what every answer tells the browser."""

from __future__ import annotations

import http.client
import json
import re
from http.cookies import SimpleCookie

import httpx
import pytest

from sayso.core.errors import SaysoError
from sayso.serve import create_app
from sayso.serve.guard import HEADERS, MAX_BODY, cookie_name, host_name, too_large
from waiting import PATIENCE_S

TOKEN = "a-token_of.our~own1"


@pytest.fixture(scope="module")
def locked(library, serving):
    """The library behind a token."""
    with serving(*library, token=TOKEN) as site:
        yield site


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/static/main.js",
        "/api/index",
        "/api/search?q=red",
        "/api/search?q=",
        "/nothing",
        "/media/x",
        "/openapi.json",
    ],
)
def test_every_answer_carries_the_security_headers(site, path):
    answer = site.client.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_the_policy_lets_nothing_in_from_outside_and_nothing_inline():
    directives = dict(part.split(" ", 1) for part in HEADERS["content-security-policy"].split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
    assert directives["frame-ancestors"] == directives["base-uri"] == "'none'"
    assert not re.search(r"unsafe|http|\*", HEADERS["content-security-policy"])


def test_the_page_itself_holds_nothing_inline(site):
    page = site.client.get("/").text
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*src=)|javascript:", page)
    assert not re.search(r"(?:src|href)=\"(?!/static/|/[\"?]|#)", page), "only files of this server"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "localhost.evil"]
)
def test_another_name_is_refused(site, host):
    answer = site.client.get("/api/index", headers={"host": host})
    assert answer.status_code == 403
    assert "does not answer to the name" in answer.json()["error"]


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:1234", "127.0.0.1", "LOCALHOST:80", "[::1]:8000", "[::1]"]
)
def test_loopback_names_are_answered(site, host):
    assert site.client.get("/api/index", headers={"host": host}).status_code == 200


def test_with_a_token_any_name_is_answered(locked):
    headers = {"host": "my-laptop.lan:8000", "authorization": f"Bearer {TOKEN}"}
    assert locked.client.get("/api/index", headers=headers).status_code == 200


def test_host_name_leaves_addresses_whole():
    assert [host_name(host) for host in ("a.b:1", "a.b", "[::1]:1", "[::1]")] == [
        "a.b",
        "a.b",
        "[::1]",
        "[::1]",
    ]


def test_other_sites_may_link_here_and_do_nothing_else(site):
    def ask(mode: str) -> int:
        headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": mode}
        return site.client.get("/", headers=headers).status_code

    assert (ask("navigate"), ask("no-cors"), ask("cors")) == (200, 403, 403)
    assert (
        site.client.get("/", headers={"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}).status_code
        == 200
    )


LOCKED = ["/api/index", "/api/search?q=red", "/thumb/x", "/media/x", "/play/x", "/openapi.json", "/nothing"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": "Bearer " + TOKEN[:-1]},
        {"authorization": "Bearer"},
        {"cookie": f"{cookie_name(TOKEN)}=wrong"},
        {"cookie": f"other={TOKEN}"},
        {"cookie": ";;;=\x01"},
    ],
)
def test_without_the_token_nothing_is_told(locked, headers):
    for path in LOCKED:
        answer = locked.client.get(path, headers=headers)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json().keys() == {"error"}


def test_the_token_in_the_address_of_anything_but_the_page_is_not_taken(locked):
    assert locked.client.get("/api/index", params={"token": TOKEN}).status_code == 401


def test_a_bearer_token_opens_the_api(locked):
    headers = {"authorization": f"bearer {TOKEN}"}
    assert locked.client.get("/api/search", params={"q": "red"}, headers=headers).status_code == 200


def test_the_address_with_the_token_is_kept_in_a_cookie(locked):
    with httpx.Client(base_url=locked.url, trust_env=False) as browser:
        page = browser.get("/", params={"token": TOKEN, "q": "red"})
        assert page.status_code == 200
        assert 'id="results"' in page.text
        cookie = SimpleCookie(page.headers["set-cookie"])[cookie_name(TOKEN)]
        assert cookie.value == TOKEN
        assert cookie["httponly"] is True
        assert (cookie["samesite"], cookie["path"]) == ("Strict", "/")
        assert browser.get("/api/index").status_code == 200
        assert "set-cookie" not in browser.get("/").headers


def test_who_comes_to_the_page_without_the_token_is_told_how(locked):
    answer = locked.client.get("/", params={"q": '"><script>alert(1)</script>'})
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert "The token is missing or wrong" in answer.text
    assert "<script" not in answer.text
    assert locked.client.get("/static/style.css").status_code == 200, "the page that says so has its style"
    assert "set-cookie" not in locked.client.get("/", params={"token": "wrong"}).headers


def test_two_servers_of_one_host_use_two_cookies():
    assert cookie_name("one-token-1") != cookie_name("another-token")


@pytest.mark.parametrize(
    "token", ["", "short", "with space in it", "semi;colon;semi", "ünïcödé-token", 201 * "x"]
)
def test_a_token_that_fits_no_cookie_is_refused(library, token):
    with pytest.raises(SaysoError, match="a token is 8 to 200 letters"):
        create_app(library[0], token=token)


def test_a_large_body_is_refused_before_it_is_sent(site):
    connection = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=PATIENCE_S)
    connection.putrequest("POST", "/api/search/image")
    connection.putheader("content-length", str(MAX_BODY + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)) == (413, {"error": too_large()})
    connection.close()


def test_a_body_that_grows_without_saying_so_is_cut_off(site):
    def pieces():
        yield b'--x\r\ncontent-disposition: form-data; name="picture"; filename="x"\r\n\r\n'
        for _ in range(MAX_BODY // (1 << 20) + 3):
            yield bytes(1 << 20)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    try:
        answer = site.client.post("/api/search/image", headers=headers, content=pieces())
    except httpx.TransportError:
        return
    assert (answer.status_code, "larger than 20 MB" in answer.text) == (413, True)


@pytest.mark.parametrize("foreign", ["cross-site", "same-site"])
def test_other_sites_and_other_ports_reach_the_page_alone(site, foreign):
    link = {"sec-fetch-site": foreign, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert site.client.get("/", headers=link).status_code == 200
    for path in ("/api/index", "/api/search?q=red", f"/media/{site.id_of('sea.png')}", "/static/main.js"):
        assert site.client.get(path, headers=link).status_code == 403
    assert site.client.post("/", headers=link).status_code == 403

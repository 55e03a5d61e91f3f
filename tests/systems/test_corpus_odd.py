"""Odd addresses, numbers, names and answers: one listed failure each, never the end of a crawl."""

from __future__ import annotations

import json
import logging
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from sayso.core.errors import SaysoError
from sayso.systems.corpus import (
    CaptionPlan,
    CaptionTrack,
    CorpusOptions,
    FindRules,
    Found,
    HostLimits,
    Manners,
    Waiting,
    caption_videos,
    run_corpus,
)
from sayso.systems.corpus.catalogue import Catalogue
from sayso.systems.corpus.limits import LONGEST_ASKED_S, Stopped, retry_after_s
from sayso.systems.corpus.site_search import SiteSearch
from sayso.systems.corpus.video_site import OrdinarySite
from sayso.systems.corpus.web import GaveUp, GoneForGood, NotForPrograms, Web, WebAnswer, gate_of, web_address
from sayso.systems.corpus.youtube import YtDlp
from sayso.text.language.languages import same_language

QUICK = Manners(per_host=1e6, wait_s=0.001, attempts=1, timeout_s=120)
SPOKEN = "WEBVTT\n\n00:00.000 --> 00:02.000\n" + "word " * 120 + "\n"


class Site(BaseHTTPRequestHandler):
    """Answers each path with what ``heads`` says: a status and a head."""

    heads: dict
    asked: list

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        status, head, body = self.heads.get(self.path, (200, {}, b"text"))
        self.send_response(status)
        for name, value in head.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        pass


@contextmanager
def serving(heads=None):
    """Give the address of a site, and what it was asked for."""
    site = type("ThisSite", (Site,), {"heads": heads or {}, "asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), site) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.005,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", site.asked
        finally:
            server.shutdown()
            thread.join()


def web() -> Web:
    return Web(HostLimits(QUICK))


# --- addresses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("http://x/vidéo.mp4?q=ä b#part", "http://x/vid%C3%A9o.mp4?q=%C3%A4%20b"),
        (" https://a:b@X.example:81/a%20b ", "https://x.example:81/a%20b"),
        ("http://münchen.example/", "http://xn--mnchen-3ya.example/"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
    ],
)
def test_an_address_is_escaped_as_browsers_do(said, asked):
    assert web_address(said)[0] == asked


@pytest.mark.parametrize(
    "url",
    ["http://[bad/x", f"http://{'a' * 70}.example/x", "http://x:port/", "http://a..b/", "http://a b/", "é"],
)
def test_an_address_of_nothing_is_gone(url):
    for ask in (web().read, OrdinarySite(web()).offer):
        with pytest.raises(GoneForGood, match=r"^no address of the web$"):
            ask(url if ask.__name__ == "read" else Found("x", url))


def test_odd_paths_pages_and_redirects_are_asked_for_once():
    heads = {
        "/nowhere": (302, {}, b""),
        "/odd": (302, {"Location": "http://[odd/"}, b""),
        "/moved": (302, {"Location": "/vidéo".encode().decode("latin-1")}, b""),
        "/section": (200, {"Content-Type": "text/html"}, b"<![foo[ x ]]><video src=a.mp4>"),
        "/source": (200, {"Content-Type": "text/html"}, b"<video src='http://[x/a.mp4'>"),
    }
    with serving(heads) as (url, asked):
        assert web().read(f"{url}/a é").content == b"text"
        assert web().read(f"{url}/moved").content == b"text"
        assert asked == ["/a%20%C3%A9", "/moved", "/vid%C3%A9o"]
        for path in ("/nowhere", "/odd"):
            with pytest.raises(GoneForGood, match="a redirect to nowhere"):
                web().read(url + path)
        for path in ("/section", "/source"):
            with pytest.raises(GoneForGood, match="a page that cannot be read"):
                OrdinarySite(web()).offer(Found("x", url + path))
        assert len(asked) == 7


def test_one_odd_address_is_one_row_of_a_crawl(tmp_path):
    with serving({"/b.en.vtt": (200, {}, SPOKEN.encode())}) as (url, _):
        rows = [
            {"id": "a", "url": "https://[bad/x", "captions": "https://[bad/x.en.vtt"},
            {"id": "b", "url": f"{url}/ü.mp4", "captions": f"{url}/b.en.vtt", "title": "\ud800"},
            {"id": "\ud800c", "url": f"http://{'c' * 70}.example/page"},
        ]
        (tmp_path / "v.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        options = CorpusOptions(only="captions", manners=QUICK)
        funnel = run_corpus(None, tmp_path / "corpus", str(tmp_path / "v.jsonl"), options)
    assert (funnel.stages["captions"].done, funnel.clips) == (1, 1)
    assert funnel.stages["captions"].lost == {"gone": {"no address of the web": 1}}


# --- what a site says of programs and of waiting ----------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "unwanted"),
    [
        ("noindex, max-image-preview:large", True),
        ("max-snippet: 5, NOAI", True),
        ("unavailable_after: Wed, 25 Jun 2031 15:00:00 GMT, none", True),
        ("googlebot: nofollow, noindex", False),
        ("index, follow", False),
    ],
)
def test_what_programs_are_asked_to_leave_alone(said, unwanted):
    with serving({"/x": (200, {"X-Robots-Tag": said}, b"x")}) as (url, _):
        if unwanted:
            with pytest.raises(NotForPrograms):
                web().read(f"{url}/x")
        else:
            assert web().read(f"{url}/x").content == b"x"


def test_a_host_may_ask_for_thirty_days_at_most(tmp_path, caplog):
    now = 1_000_000_000.0
    for said in ("99999999999999", "9" * 400, "Wed, 21 Oct 2099 07:28:00"):
        assert retry_after_s(said, now) == LONGEST_ASKED_S
    assert Manners().backoff(10_000) == Manners().longest_s
    slept, clock = [], [now]

    def sleep(seconds):
        slept.append(seconds)
        clock[0] += seconds

    (tmp_path / "hosts.json").write_text('{"b": [1e300, 1], "c": [2e9, 3]}')
    limits = HostLimits(Manners(), tmp_path / "hosts.json", clock=lambda: clock[0], sleep=sleep)
    with caplog.at_level(logging.WARNING), limits.turn("a.example") as gate:
        limits.refused(gate, "9" * 400)
    assert "a.example wants to be left alone; asking it again at 2001-10-0" in caplog.text
    with limits.turn("a.example"), limits.turn("b"):
        assert max(slept) == 3600 and sum(slept) == pytest.approx(LONGEST_ASKED_S)


def test_a_date_without_a_zone_is_utc(monkeypatch):
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "JST-9")
        time.tzset()
        assert retry_after_s("Sun, 09 Sep 2001 01:47:10", 1_000_000_000.0) == 30
    time.tzset()


def test_waits_that_another_process_wrote_stay(tmp_path):
    record = tmp_path / "hosts.json"
    one, other = (HostLimits(Manners(), record, clock=lambda: 0.0, sleep=lambda _: None) for _ in range(2))
    for limits, host, wait in ((one, "a", "50"), (other, "b", "60"), (other, "a", "70")):
        with limits.turn(host) as gate:
            limits.refused(gate, wait)
    with one._gates["a"].lock:
        one.answered(one._gates["a"])
    assert json.loads(record.read_text()) == {"a": [70, 0], "b": [60, 1]}


def test_a_page_that_drips_is_given_up_and_stops_with_the_run(monkeypatch):
    clock = [0.0]
    limits = HostLimits(Manners(attempts=1), clock=lambda: clock[0], sleep=lambda _: None)

    def read1(_):
        clock[0] += 1
        return b"x"

    @contextmanager
    def answer(url):
        headers = SimpleNamespace(get=lambda *_: "", get_content_maintype=lambda: "text")
        yield SimpleNamespace(headers=headers, read1=read1), url

    dripping = Web(limits)
    monkeypatch.setattr(dripping, "_answer", answer)
    with pytest.raises(GaveUp, match="too slow"):
        dripping.read("http://x/")
    assert clock[0] <= 62
    limits.stop.set()
    with pytest.raises(Stopped):
        dripping.read("http://x/")
    assert clock[0] <= 63


def test_a_crawl_offline_rejects_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("SAYSO_OFFLINE", "1")
    tracks = (CaptionTrack("https://x.example/v.en.vtt", "en"),)
    video = Waiting(Found("v", "https://x.example/v.mp4", captions=tracks), {})
    with pytest.raises(SaysoError, match="SAYSO_OFFLINE"):
        list(caption_videos([video], CaptionPlan(folder=tmp_path)))


# --- YouTube ----------------------------------------------------------------------------------------------


def test_the_names_of_youtube_are_one_host_whose_turn_ends_as_a_file_comes(monkeypatch):
    names = ("www.youtube.com", "youtu.be", "m.youtube.com", "youtube.com")
    assert {gate_of(f"https://{name}/watch?v=a") for name in names} == {"www.youtube.com"}
    assert gate_of("https://x.example:81/") == "x.example:81"
    limits, free = HostLimits(QUICK), []

    class Program:
        def __init__(self, told) -> None:
            self.hooks = told["progress_hooks"]

        def __enter__(self):
            return self

        def __exit__(self, *_) -> None:
            pass

        def sanitize_info(self, info):
            return info

        def extract_info(self, what, download):
            lock = limits._gates["www.youtube.com"].lock
            free.append(lock.locked())
            for hook in self.hooks * 2 if download else ():
                hook({"status": "downloading"})
                free.append(lock.locked())
            return {"requested_downloads": [1]}

    fake = SimpleNamespace(YoutubeDL=Program, utils=SimpleNamespace(DownloadError=OSError))
    monkeypatch.setattr("sayso.systems.corpus.youtube.need", lambda *_: fake)
    YtDlp(Web(limits))._ask("x", "https://youtu.be/x", download=True)
    assert free == [True, False, False]
    assert not limits._gates["www.youtube.com"].lock.locked()


# --- numbers, titles, languages ---------------------------------------------------------------------------


def test_numbers_that_cannot_be_are_unknown(tmp_path):
    path = tmp_path / "v.jsonl"
    rows = [
        {"url": "http://x/1", "duration_s": float("nan"), "views": 5, "rank": 1e30, "task": "t"},
        {"url": "http://x/2", "duration_s": float("inf"), "views": 10**400, "title": "a\ud800"},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    one, two = (found for found, *_ in Catalogue(path).everything())
    assert (one.duration_s, one.views, two.duration_s, two.views, two.title) == (None, 5, None, None, "a?")
    results = [
        {"url": "/a", "views": float("inf"), "title": "\ud800"},
        {"url": "http://[x"},
        {"url": "/\udfff"},
    ]
    answer = WebAnswer("http://x/", json.dumps({"results": results}).encode(), 1)
    search = SiteSearch("http://x/{query}", SimpleNamespace(read=lambda _: answer))
    odd, bad, half = search.search("q", 9)
    assert (odd.url, odd.views, odd.title, bad.url, half.url) == (
        *("http://x/a", None, "?", "http://[x", "http://x/"),
    )
    answer = WebAnswer("http://x/", b"[" * 100_000, 1)
    with pytest.raises(GoneForGood, match="does not answer with results"):
        list(search.search("q", 9))


def test_languages_are_compared_in_one_way(tmp_path):
    for one, other in (("EN", "en-GB"), ("eng", "en"), ("pt-BR", "pt"), ("pt_BR", "pt-br"), ("xx-1", "XX")):
        assert same_language(one, other)
        assert FindRules(language=one).speaks(other)
    assert not same_language("en", "fr") and not same_language("yue", "zh")
    with serving({"/v.vtt": (200, {}, SPOKEN.encode())}) as (url, _):
        tracks = (CaptionTrack(f"{url}/no", "fr"), CaptionTrack(f"{url}/v.vtt", "eng"))
        video = Waiting(Found("v", f"{url}/v.mp4", captions=tracks), {})
        (row,) = caption_videos([video], CaptionPlan(folder=tmp_path, language="EN", manners=QUICK))
    assert (row.status, row.facts["words"]) == ("done", 120)

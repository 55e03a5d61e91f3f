"""Where videos come from and go to: catalogues, YouTube by yt-dlp, pages, object stores."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sayso.core.errors import SaysoError
from sayso.systems.corpus import (
    CaptionPlan,
    CaptionTrack,
    FetchPlan,
    FindRules,
    Found,
    HostLimits,
    Manners,
    Waiting,
    caption_videos,
    fetch_videos,
)
from sayso.systems.corpus.catalogue import Catalogue
from sayso.systems.corpus.source import safe_id, youtube_id
from sayso.systems.corpus.video_site import OrdinarySite, nearest_height, whole_video
from sayso.systems.corpus.web import Busy, GaveUp, GoneForGood, Trouble, Web, WebAnswer
from sayso.systems.corpus.youtube import YtDlp
from video_host import MIN_WORDS, make_videos, serving_videos

FAST = Manners(per_host=500, wait_s=0.001, attempts=2)
ROWS = [
    {"id": "a", "url": "http://x/a.mp4", "title": "Peeling garlic fast", "duration_s": 12.5, "views": 7},
    {"id": "b", "url": "http://x/b", "title": "Garlic: peel it", "languages": ["en", "fr"]},
    {"id": "c", "url": "http://x/c", "title": "Folding paper"},
    {"id": "", "url": "https://youtu.be/dQw4w9WgXcQ?t=1", "title": "x", "task": "Fold Paper", "rank": 2},
    {"id": "d/e", "url": "http://x/d", "title": "y", "task": "fold paper", "rank": 1},
    {"id": "f", "url": "", "title": "no address"},
]


def write_rows(path: Path) -> Path:
    names = list(dict.fromkeys(name for row in ROWS for name in row))
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS) + "{broken\n")
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([{name: row.get(name) for name in names} for row in ROWS]), path)
    else:
        cells = [";".join(_cell(row.get(name)) for name in names) for row in ROWS]
        path.write_text("\n".join([";".join(names), *cells]))
    return path


def _cell(value) -> str:
    return " ".join(value) if isinstance(value, list) else "" if value is None else str(value)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_catalogue_is_searched_and_listed(tmp_path, suffix, caplog):
    catalogue = Catalogue(write_rows(tmp_path / f"videos{suffix}"))
    assert {found.id for found in catalogue.search("how to peel garlic", 10)} == {"a", "b"}
    assert [found.id for found in catalogue.search("How to Fold Paper", 10)] == ["d%2Fe", "dQw4w9WgXcQ"]
    assert len(list(catalogue.search("peel garlic", 1))) == 1
    assert list(catalogue.search("how to ;drop 'table\"", 9)) == []
    (first, *_) = catalogue.search("peeling garlic fast", 1)
    assert first == Found("a", "http://x/a.mp4", "Peeling garlic fast", 12.5, 7)
    assert [(f.id, task) for f, task, _ in catalogue.everything()][2:4] == [
        ("c", ""),
        ("dQw4w9WgXcQ", "Fold Paper"),
    ]
    assert "left out" in caplog.text


def test_a_catalogue_names_captions_and_their_kind(tmp_path):
    path = tmp_path / "videos.jsonl"
    path.write_text(
        '{"url": "http://x/a.mp4", "captions": "http://x/a.en.vtt http://x/a.fr.auto.vtt"}\n'
        '{"url": "http://x/b.mp4",'
        ' "captions": [{"url": "http://x/b", "language": "en", "automatic": true}]}\n'
    )
    (first, second) = (found for found, _, _ in Catalogue(path).everything())
    assert first.captions == (
        CaptionTrack("http://x/a.en.vtt", "en"),
        CaptionTrack("http://x/a.fr.auto.vtt", "fr", automatic=True),
    )
    assert second.captions == (CaptionTrack("http://x/b", "en", automatic=True),)


@pytest.mark.parametrize("content", ["", "id,title\n1,x\n", "url\nx.mp4\n"])
def test_a_catalogue_without_addresses_is_one_sentence(tmp_path, content):
    (tmp_path / "v.csv").write_text(content)
    with pytest.raises(SaysoError, match=r"v.csv lists no video that has a url"):
        Catalogue(tmp_path / "v.csv")


def test_ids_are_names_of_files():
    assert safe_id("../x y", "") == "%2E.%2Fx%20y"
    assert safe_id("é" * 100, "") == safe_id("é" * 100, "") and len(safe_id("é" * 100, "")) == 32
    assert safe_id("", "http://x/1") != safe_id("", "http://x/2")
    for url in (
        "https://www.youtube.com/watch?v=abc&t=3",
        "https://youtu.be/abc",
        "https://m.youtube.com/shorts/abc",
    ):
        assert youtube_id(url) == "abc"
    assert youtube_id("https://notyoutube.com/watch?v=abc") == ""


def test_the_rules_and_what_is_unknown():
    rules = FindRules()
    judged = rules.judge(Found("a", "u", "", 2000, 100, ("en-GB",)))
    assert judged == ("done", "")
    assert rules.judge(Found("a", "u", "", 2000.5, 100, None)) == ("rejected", "duration")
    assert rules.judge(Found("a", "u", "", 0, 99, ("fr",))) == ("rejected", "views")
    assert rules.judge(Found("a", "u", "", None, 100, ("fr", "english"))) == ("rejected", "language")
    assert rules.judge(Found("a", "u")) == ("done", "unknown: views, duration, language")


def test_the_tallest_file_that_is_not_taller():
    files = [("a", 1080), ("b", 360), ("c", 240), ("d", 360)]
    assert [nearest_height(files, height) for height in (2000, 400, 360, 300, 100)] == [
        "a",
        "b",
        "b",
        "c",
        "c",
    ]


def test_half_a_video_is_no_video_though_it_opens(tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "whole.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(20):
            container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(stream.encode())
    whole_video(path)()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(Trouble, match="not all of a video"):
        whole_video(cut)()


def test_a_page_says_where_things_are(monkeypatch):
    page = (
        b'<track src="before.vtt"><VIDEO SRC="v.mp4"><source src="/low.mp4" label="240p">'
        b'<track src="t.vtt" srclang=en><track kind="chapters" src="no.vtt"></video><video src="ad.mp4">'
    )
    site = OrdinarySite(SimpleNamespace(read=lambda url: WebAnswer("http://h/p/x", page, 3)))
    offer = site.offer(Found("x", "http://h/p/x"))
    assert offer.files == (("http://h/p/v.mp4", 0), ("http://h/low.mp4", 240))
    assert (offer.tracks, offer.attempts) == ((CaptionTrack("http://h/p/t.vtt", "en"),), 3)
    assert site.offer(Found("x", "http://h/a.mp4?x=1")).files == (("http://h/a.mp4?x=1", 0),)
    site = OrdinarySite(SimpleNamespace(read=lambda url: WebAnswer(url, b"<p>", 1)))
    with pytest.raises(GoneForGood, match="no video"):
        site.offer(Found("x", "http://h/p/x"))


# --- yt-dlp -----------------------------------------------------------------------------------------------


class FakeDownloadError(Exception):
    def __init__(self, message: str, status: int | None = None, headers=None) -> None:
        super().__init__(message)
        cause = Exception()
        if status:
            cause.status, cause.response = status, SimpleNamespace(headers=headers or {})
        self.exc_info = (type(cause), cause, None)


class FakeYoutubeDL:
    """What is asked of yt-dlp; answers come from ``says``."""

    asked: ClassVar[list] = []
    says: ClassVar[dict] = {}

    def __init__(self, options) -> None:
        self.options = options

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def sanitize_info(self, info):
        return info

    def extract_info(self, what, download):
        self.asked.append((what, download, self.options))
        said = self.says[what]
        if isinstance(said, Exception):
            raise said
        return said


@pytest.fixture
def youtube(monkeypatch):
    fake = SimpleNamespace(YoutubeDL=FakeYoutubeDL, utils=SimpleNamespace(DownloadError=FakeDownloadError))
    monkeypatch.setattr("sayso.systems.corpus.youtube.need", lambda *_: fake)
    monkeypatch.setattr(FakeYoutubeDL, "asked", [])
    monkeypatch.setattr(FakeYoutubeDL, "says", {})
    clock = [1000.0]
    sleep = lambda seconds: clock.__setitem__(0, clock[0] + seconds)  # noqa: E731
    return YtDlp(Web(HostLimits(Manners(), clock=lambda: clock[0], sleep=sleep))), FakeYoutubeDL, clock


def test_youtube_is_searched_flat(youtube):
    site, fake, _ = youtube
    entries = [
        {
            "id": "one",
            "url": "https://www.youtube.com/watch?v=one",
            "title": "T",
            "duration": 61.0,
            "view_count": 9,
        },
        None,
        {"id": "live", "url": "u", "live_status": "is_live"},
        {"id": "two", "title": "U"},
    ]
    fake.says["ytsearch3:how to peel garlic"] = {"entries": entries}
    found = list(site.search("how to peel garlic", 3))
    assert found[0] == Found("one", "https://www.youtube.com/watch?v=one", "T", 61.0, 9, None)
    assert found[1].url == "https://www.youtube.com/watch?v=two"
    (_, download, options) = fake.asked[0]
    assert options["extract_flat"] is True and not download
    assert not {name for name in options if "cookie" in name}, "no cookie is ever read"


def test_uploaded_captions_and_original_automatic_ones_never_translations(youtube):
    site, fake, _ = youtube
    url = "https://www.youtube.com/watch?v=one"
    as_vtt = lambda where: [{"ext": "srv1", "url": "no"}, {"ext": "vtt", "url": where}]  # noqa: E731
    fake.says[url] = {
        "subtitles": {"en-GB": as_vtt("up"), "live_chat": as_vtt("chat")},
        "automatic_captions": {
            "en-orig": as_vtt("orig"),
            "en": as_vtt("same"),
            "fr": as_vtt("x?lang=en&tlang=fr"),
            "zz": [{"ext": "odd", "url": "no"}],
        },
    }
    assert site.offer(Found("one", url)).tracks == (
        CaptionTrack("up", "en-GB"),
        CaptionTrack("orig", "en", automatic=True),
    )


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (FakeDownloadError("ERROR: [youtube] abc: Private video. Sign in if"), GoneForGood, "Private video"),
        (FakeDownloadError("ERROR: [youtube] abc: Video unavailable"), GoneForGood, "Video unavailable"),
        (FakeDownloadError('ERROR: [youtube:search] query "p: q" page 1: No route'), GaveUp, "^No route$"),
        (FakeDownloadError("ERROR: x", 404), GoneForGood, "HTTP 404"),
        (FakeDownloadError("ERROR: x", 500), GaveUp, "HTTP 500"),
        (FakeDownloadError("ERROR: [youtube] abc: Sign in to confirm you're not a bot"), GaveUp, "sign-in"),
    ],
)
def test_what_youtube_refuses_has_a_reason_that_can_be_counted(youtube, error, kind, said):
    site, fake, _ = youtube
    fake.says["https://www.youtube.com/watch?v=abc"] = error
    with pytest.raises(kind, match=said) as caught:
        site.offer(Found("abc", "https://www.youtube.com/watch?v=abc"))
    assert "abc" not in str(caught.value)
    assert len(fake.asked) == (1 if kind is GoneForGood else 5)


def test_youtube_says_when_to_come_again(youtube):
    site, fake, clock = youtube
    fake.says["u"] = FakeDownloadError("ERROR: x", 429, {"Retry-After": "500"})
    with pytest.raises(Busy):
        site._ask("u", "https://www.youtube.com/watch?v=u")
    fake.says["u"] = {"id": "u"}
    before = clock[0]
    site._ask("u", "https://www.youtube.com/watch?v=u")
    assert clock[0] - before >= 500


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_videos(tmp_path_factory.mktemp("made"), ["Peel Garlic"], 3, ["", "503 twice", "page gone"])


@pytest.mark.slow
def test_yt_dlp_reads_a_page_of_an_ordinary_site(made, tmp_path):
    """The real program and its generic extractor."""
    pytest.importorskip("yt_dlp")
    with serving_videos(made) as host:
        site = YtDlp(Web(HostLimits(FAST)))
        found = Found("x", f"{host.url}/watch/vid-0000")
        offer = site.offer(found)
        assert [(track.language, track.automatic) for track in offer.tracks] == [("en-GB", False)]
        assert b"WEBVTT" in site.captions(offer.tracks[0])[0]
        path = tmp_path / ".x.part"
        site.save(found, list(offer.files), path, 360)
        assert path.read_bytes() == made[0].file
        with pytest.raises(GoneForGood, match="HTTP 404"):
            site.offer(Found("y", f"{host.url}/watch/vid-0002"))


# --- places -----------------------------------------------------------------------------------------------


def test_the_work_on_some_videos_can_be_sent_elsewhere(made, tmp_path):
    """Plans and videos pickle; each row comes back, whoever records it."""
    with serving_videos(made) as host:
        videos = [Waiting(Found(v.id, f"{host.url}/watch/{v.id}"), {}) for v in made]
        plan = CaptionPlan(folder=tmp_path, min_words=MIN_WORDS, manners=FAST)
        work, some, how = pickle.loads(pickle.dumps((caption_videos, videos, plan)))
        rows = {row.key: row for row in work(some, how)}
        assert [rows[v.id].status for v in made] == ["done", "done", "gone"]
        here = [Waiting(one.video, dict(rows[one.video.id].facts)) for one in videos[:2]]
        fetch = FetchPlan(to=str(tmp_path), manners=Manners(per_host=500, wait_s=0.001))
        work, some, how = pickle.loads(pickle.dumps((fetch_videos, here, fetch)))
        assert {row.key: (row.status, row.attempts) for row in work(some, how)} == {
            made[0].id: ("done", 1),
            made[1].id: ("done", 3),
        }
        assert {path.read_bytes() for path in tmp_path.rglob("*.mp4")} == {video.file for video in made[:2]}
        asked = len(host.log)
        again = {row.key: (row.status, row.attempts) for row in fetch_videos(here, fetch)}
        assert again == {made[0].id: ("done", 0), made[1].id: ("done", 0)} and len(host.log) == asked
        assert [dict(row.facts) for row in caption_videos(videos[:1], plan)] == [dict(here[0].facts)]
        assert [path for path, _ in host.log[asked:]] == [f"/watch/{made[0].id}"], "its captions are there"


@pytest.mark.slow
def test_videos_go_to_an_object_store_whole(made, monkeypatch):
    boto3 = pytest.importorskip("boto3")
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address, port = server.get_host_and_port()
    endpoint = f"http://{address}:{port}"
    for name, value in {
        "AWS_ENDPOINT": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    store = boto3.client("s3", endpoint_url=endpoint)
    store.create_bucket(Bucket="films")
    try:
        with serving_videos(made) as host:
            media = {"media": [[f"{host.url}/v/{made[0].id}.mp4", 240]]}
            videos = [Waiting(Found(made[0].id, f"{host.url}/watch/x"), media)]
            plan = FetchPlan(to="s3://films/corpus", manners=FAST)
            (row,) = fetch_videos(videos, plan)
            (again,) = fetch_videos(videos, plan)
            assert (row.status, row.attempts, again.attempts, again.facts) == ("done", 1, 0, row.facts)
            assert len(host.log) == 1, "what is there is not asked for again"
            with pytest.raises(SaysoError, match="s3://nowhere/x cannot be used"):
                list(fetch_videos(videos, FetchPlan(to="s3://nowhere/x", manners=FAST)))
        key = row.facts["at"].removeprefix("s3://films/")
        assert store.get_object(Bucket="films", Key=key)["Body"].read() == made[0].file
    finally:
        server.stop()

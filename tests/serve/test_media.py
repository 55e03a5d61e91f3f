"""Thumbnails, files and streams over HTTP."""

from __future__ import annotations

import io
import os
import shutil
import socket
import time
from pathlib import Path

import av
import httpx
import numpy as np
import pytest
from PIL import Image

import toy
from sayso import Index
from waiting import wait_for


@pytest.fixture
def talk(site):
    """The address of a file, and its bytes."""
    return f"/media/{site.id_of('talk.mp4')}", (site.folder / "talk.mp4").read_bytes()


def test_a_thumbnail_is_a_jpeg_of_the_clip(site):
    hit = site.index.search("blue", filter="kind = 'video'", text_weight=0)[0]
    answer = site.client.get("/" + hit.thumb)
    assert answer.content == site.index.thumbnail(hit.id)
    assert answer.headers["content-type"] == "image/jpeg"
    assert "immutable" in answer.headers["cache-control"]
    r, g, b = Image.open(io.BytesIO(answer.content)).convert("RGB").resize((1, 1)).getpixel((0, 0))
    assert b > 180 > r + g
    head = site.client.head("/" + hit.thumb)
    assert (head.status_code, head.content) == (200, b"")


def test_the_whole_file(site, talk):
    path, data = talk
    answer = site.client.get(path)
    assert (answer.status_code, answer.content) == (200, data)
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-type"] == "video/mp4"
    assert int(answer.headers["content-length"]) == len(data)


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("0-0", 0, 1),
        ("0-", 0, None),
        ("10-99", 10, 100),
        ("-7", -7, None),
        ("5-99999999", 5, None),
        ("1000-1999", 1000, 2000),
    ],
)
def test_a_part_of_it(site, talk, header, start, end):
    path, data = talk
    answer = site.client.get(path, headers={"range": f"bytes={header}"})
    expected = data[start:end]
    assert (answer.status_code, answer.content) == (206, expected)
    first = len(data) + start if start < 0 else start
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(expected) - 1}/{len(data)}"
    head = site.client.head(path, headers={"range": f"bytes={header}"})
    assert (head.status_code, head.content) == (206, b"")
    assert head.headers["content-length"] == str(len(expected))


def test_a_part_beyond_the_end(site, talk):
    path, data = talk
    answer = site.client.get(path, headers={"range": f"bytes={len(data)}-"})
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["content-range"] == f"bytes */{len(data)}"


@pytest.mark.parametrize("header", ["bytes=0-1,5-6", "bytes=x", "chapters=1-2"])
def test_other_ranges_get_the_whole_file(site, talk, header):
    answer = site.client.get(talk[0], headers={"range": header})
    assert (answer.status_code, answer.content) == (200, talk[1])


def test_if_range_and_if_none_match(site, talk):
    path, data = talk
    whole = site.client.get(path)
    tag, date = whole.headers["etag"], whole.headers["last-modified"]

    def ask(**headers: str) -> tuple[int, bytes]:
        answer = site.client.get(
            path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        return answer.status_code, answer.content

    assert ask(range="bytes=0-3", if_range=tag) == (206, data[:4])
    assert ask(range="bytes=0-3", if_range=date) == (206, data[:4])
    assert ask(range="bytes=0-3", if_range='"other"') == (200, data)
    assert ask(range="bytes=0-3", if_range="W/" + tag) == (200, data), "a weak tag never vouches for bytes"
    assert ask(if_none_match=tag) == (304, b"")
    assert ask(if_none_match=f'"other", W/{tag}') == (304, b"")
    assert ask(if_none_match='"other"') == (200, data)


def test_head_tells_the_size_and_sends_nothing(site, talk):
    head = site.client.head(talk[0])
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(talk[1])))


def test_what_browsers_do_not_show_is_an_attachment(site):
    scan = site.client.get(f"/media/{site.id_of('scan.tiff')}")
    assert scan.headers["content-type"] == "application/octet-stream"
    assert scan.headers["content-disposition"] == "attachment; filename*=UTF-8''scan.tiff"
    assert "content-disposition" not in site.client.get(f"/media/{site.id_of('sea.png')}").headers


def test_a_name_never_breaks_out_of_a_header(tmp_path, serving):
    (tmp_path / "media").mkdir()
    Image.new("RGB", (9, 9), toy.COLOURS["red"]).save(tmp_path / "media" / 'a"; x="é\n.tiff')
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(tmp_path / "media")
    with serving(index, tmp_path) as site:
        answer = site.client.get(f"/media/{site.index.search('red')[0].media_id}")
        assert (
            answer.headers["content-disposition"]
            == "attachment; filename*=UTF-8''a%22%3B%20x%3D%22%C3%A9%0A.tiff"
        )


def test_a_path_of_the_client_is_never_opened(site):
    secret = site.folder / "sea.png"
    for path in (
        f"/media/{secret}",
        "/media/../../etc/passwd",
        "/media/..%2f..%2fetc%2fpasswd",
        f"/media/{str(secret)[1:]}",
    ):
        answer = site.client.get(path)
        assert answer.status_code == 404, path
        assert b"PNG" not in answer.content


def test_files_that_vanished_are_told_and_folders_are_no_files(tmp_path, serving):
    folder = tmp_path / "media"
    folder.mkdir()
    toy.make_video(folder / "a.mp4", ["red"])
    Image.new("RGB", (9, 9), toy.COLOURS["blue"]).save(folder / "b.tiff")
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(folder)
    with serving(index, folder) as site:
        video, picture = site.id_of("a.mp4"), site.id_of("b.tiff")
        shutil.rmtree(folder)
        for path in (f"/media/{video}", f"/play/{video}", f"/media/{picture}", f"/play/{picture}"):
            answer = site.client.get(path)
            assert answer.status_code == 404
            assert "there is nothing at this path" in answer.json()["error"]
        about = site.client.get(f"/api/media/{video}").json()
        assert (about["exists"], about["fps"]) == (False, None)
        (folder / "a.mp4").mkdir(parents=True)
        assert site.client.get(f"/media/{video}").status_code == 404
        (folder / "a.mp4").rmdir()
        os.mkfifo(folder / "a.mp4")  # nobody writes into it: who opened it would wait for ever
        for path in (f"/media/{video}", f"/play/{video}"):
            assert site.client.get(path).status_code == 404


def test_a_stream_names_its_start_and_its_codecs(site):
    answer = site.client.get(f"/play/{site.id_of('old.avi')}", params={"t": 2.5})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith('video/mp4; codecs="avc1.')
    assert answer.headers["sayso-start"] == "2.500000"
    assert "content-length" not in answer.headers
    with av.open(io.BytesIO(answer.content)) as stream:
        times = [frame.time for frame in stream.decode(video=0)]
    assert times[0] == 0
    assert times[-1] == pytest.approx(8 - 2.5 - 0.1, abs=0.11)


@pytest.mark.parametrize("t", ["-1", "nan", "inf", "x"])
def test_a_second_that_makes_no_sense(site, t):
    assert site.client.get(f"/play/{site.id_of('old.avi')}", params={"t": t}).status_code == 400


def test_a_second_after_the_end(site):
    answer = site.client.get(f"/play/{site.id_of('old.avi')}", params={"t": 500})
    assert answer.status_code == 400
    assert "holds no picture at second 500.0" in answer.json()["error"]


def test_a_picture_that_browsers_do_not_show_is_made_a_jpeg(site):
    answer = site.client.get(f"/play/{site.id_of('scan.tiff')}")
    assert answer.headers["content-type"] == "image/jpeg"
    image = Image.open(io.BytesIO(answer.content))
    assert image.size == (90, 60)
    assert all(abs(a - b) < 12 for a, b in zip(image.getpixel((9, 9)), toy.COLOURS["yellow"], strict=True))


def write_noise(path: Path, seconds: int = 25) -> None:
    """Write a video that stays large, whatever encodes it."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10, options={"q": "2"})
        stream.width, stream.height, stream.pix_fmt = 480, 360, "yuv420p"
        for _ in range(10 * seconds):
            noise = rng.integers(0, 256, (360, 480, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, "rgb24")))
        container.mux(stream.encode())


def held_open(path: Path) -> bool:
    """Whether this process, in which the server runs, has the file open."""
    descriptors = Path("/proc/self/fd").iterdir()
    return str(path) in {os.path.realpath(descriptor) for descriptor in descriptors}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="asks Linux which files are open")
def test_a_player_that_pauses_or_goes_away_stops_the_work(tmp_path, serving):
    path = tmp_path / "noise.avi"
    write_noise(path)
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(path)
    with serving(index, tmp_path) as site:
        with socket.socket() as player:
            player.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
            player.connect(("127.0.0.1", httpx.URL(site.url).port))
            player.sendall(
                f"GET /play/{site.id_of('noise.avi')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
            )
            assert player.recv(1000).startswith(b"HTTP/1.1 200")
            time.sleep(1)
            assert held_open(path), "the rest is made when it is asked for"
        wait_for(lambda: not held_open(path), lambda: "nobody watches, and it is still made")
        assert site.client.get("/api/index").status_code == 200

"""A small index of plain colours."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

import toy
from sayso import Index
from sayso.engine.ray_extract import Done
from sayso.index import cluster


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """A folder: a video that is red, then blue, then green, one that is yellow, and two pictures."""
    folder = tmp_path / "media"
    (folder / "sub").mkdir(parents=True)
    toy.make_video(folder / "rbg.mp4", ["red", "blue", "green"])
    toy.make_video(folder / "sub" / "yellow.mp4", ["yellow"], seconds_each=6)
    toy.make_picture(folder / "white.png", "white")
    toy.make_picture(folder / "sub" / "it's magenta.jpg", "magenta")
    return folder


@pytest.fixture
def index(tmp_path: Path, media: Path) -> Index:
    """That folder, indexed."""
    index = Index.open(tmp_path / "toy.index", toy.ColourEncoder())
    report = index.add(media)
    assert not report.failures
    return index


@pytest.fixture(scope="module")
def object_store():
    boto3 = pytest.importorskip("boto3")
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT", endpoint)
        patch.setenv("AWS_ALLOW_HTTP", "true")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="films")
        yield "s3://films"
    server.stop()


@pytest.fixture
def bucket(object_store) -> str:
    """A place of the test's own in an object store."""
    return f"{object_store}/{uuid.uuid4().hex}"


@pytest.fixture
def ray_here(monkeypatch):
    """Stand in for Ray: pieces are done in this process, and are listed."""
    done = []

    def run(pieces, begin, **_):
        work = begin()
        for piece in pieces:
            done.append(piece)
            yield Done(piece, work(piece))

    monkeypatch.setattr(cluster, "run_on_ray", run)
    return done

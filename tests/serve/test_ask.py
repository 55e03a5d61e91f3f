"""Asking over HTTP: by the index's own names, word by word, one model, a short queue."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PIL import Image

import toy
from generators.bright import Bright
from sayso import Index
from sayso.core.errors import Unavailable
from sayso.serve.answering import WAITING
from waiting import PATIENCE_S


class Talker(Bright):
    """Says what it is told to, a word at a time; each word waits for ``go`` where it is held."""

    def __init__(self) -> None:
        super().__init__()
        self.words = ["It", "is", "<b>red</b>"]
        self.go = threading.Event()
        self.go.set()
        self.stopped = threading.Event()

    def stream(self, prompt, decoding=None) -> Iterator[str]:
        self.prompts.append(prompt)
        try:
            for k, word in enumerate(self.words):
                if k:
                    self.go.wait(PATIENCE_S)
                yield word + " "
        finally:
            self.stopped.set()


@pytest.fixture(scope="module")
def asked_site(tmp_path_factory, movie, serving):
    """A site with a model that answers, as ``site.model``."""
    folder = tmp_path_factory.mktemp("asked")
    Image.new("RGB", (90, 60), toy.COLOURS["red"]).save(folder / "rose.png")
    movie(folder / "talk.mp4", ["red", "green", "blue"])
    index = Index.open(tmp_path_factory.mktemp("index") / "x.index", toy.ColourEncoder())
    assert not index.add(folder).failures
    model = Talker()
    with serving(index, folder, answers=model) as site:
        site.model = model
        yield site


@pytest.fixture
def model(asked_site) -> Talker:
    asked_site.model.prompts.clear()
    asked_site.model.go.set()
    asked_site.model.stopped.clear()
    return asked_site.model


def ask(site, name, question="What is it?", **more):
    return site.client.post("/api/ask", json={"media_id": site.id_of(name), "question": question, **more})


def test_a_picture_is_asked_about(asked_site, model):
    answer = ask(asked_site, "rose.png")
    assert (answer.status_code, answer.text) == (200, "It is <b>red</b> ")
    assert answer.headers["content-type"].startswith("text/plain")
    assert (answer.headers["sayso-model"], answer.headers["sayso-made-by"]) == ("bright", "a test")
    (shown,) = model.prompts[0].pictures
    assert shown.shape == (60, 90, 3) and shown[0, 0].tolist() == list(toy.COLOURS["red"])


def test_a_stretch_of_a_video_is_shown_by_some_of_its_frames(asked_site, model):
    ask(asked_site, "talk.mp4", start_s=4.0, end_s=8.0)
    (shown,) = model.prompts[0].pictures
    assert len(shown) == 4 and all(
        abs(frame[:, :, 1].mean() - toy.COLOURS["green"][1]) < 12 for frame in shown
    )


def test_what_was_said_before_is_remembered(asked_site, model):
    ask(asked_site, "rose.png", "And why?", before=[{"question": "What?", "answer": "A rose."}])
    assert [(one.text, one.answer) for one in model.prompts[0].exchanges] == [
        ("What?", "A rose."),
        ("And why?", None),
    ]


@pytest.mark.parametrize(
    ("wanted", "status", "why"),
    [
        ({"media_id": "no", "question": "x"}, 404, "no"),
        ({"media_id": "../../etc/passwd", "question": "x"}, 404, "no"),
        ({"media_id": "no"}, 400, "question"),
        ({"media_id": "no", "question": "x" * 2001}, 400, "question"),
        ({"media_id": "no", "question": "x", "start_s": -1}, 400, "start_s"),
        ({"media_id": "no", "question": "x", "path": "/etc/passwd"}, 404, "no"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(asked_site, wanted, status, why):
    answer = asked_site.client.post("/api/ask", json=wanted)
    assert answer.status_code == status and why in answer.json()["error"]


def test_questions_need_a_post(asked_site):
    assert asked_site.client.get("/api/ask").status_code == 405


def test_who_goes_away_stops_the_model_and_the_next_one_is_answered(asked_site, model):
    model.go.clear()
    body = {"media_id": asked_site.id_of("rose.png"), "question": "x"}
    with asked_site.client.stream("POST", "/api/ask", json=body) as answer:
        assert next(answer.iter_text()) == "It "
    model.go.set()
    assert model.stopped.wait(PATIENCE_S)
    assert ask(asked_site, "rose.png").status_code == 200


def test_more_questions_than_may_wait_are_refused(asked_site, model):
    model.go.clear()
    body = {"media_id": asked_site.id_of("rose.png"), "question": "x"}
    answers: list[int] = []

    def one() -> None:
        answers.append(asked_site.client.post("/api/ask", json=body).status_code)

    with asked_site.client.stream("POST", "/api/ask", json=body) as first:
        assert next(first.iter_text()) == "It "
        others = [threading.Thread(target=one) for _ in range(WAITING + 2)]
        for thread in others:
            thread.start()
        while answers.count(503) < 2:
            assert threading.Event().wait(0.01) is False
        assert answers == [503, 503]
    model.go.set()
    for thread in others:
        thread.join()
    assert sorted(answers) == [200] * WAITING + [503] * 2


def test_without_a_model_it_is_said_how_to_get_one(library, serving, monkeypatch):
    def missing(name, device):
        raise Unavailable("no model that answers questions is on this machine; fetch one")

    monkeypatch.setattr("sayso.generators.load_generator", missing)
    index, folder = library
    with serving(index, folder) as site:
        answer = ask(site, "rose.jpg")
        assert (answer.status_code, answer.json()["error"]) == (503, missing.__code__.co_consts[1])

"""``sayso name`` from a film, a transcript and subtitles to files, corrections and a search for a person."""

from __future__ import annotations

import json

import av
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import toy
from command import sayso
from sayso.cli.main import app
from sayso.core.types import Box, Span
from sayso.data.manifest import read_manifest
from sayso.people import Track, write_tracks
from sayso.systems.name_actors.by_hand import parse_hand_names
from sayso.text import read_subtitles

WORDS = (
    *("the garden is closed until morning", "nobody told me about any garden at all"),
    *("then ask the gardener yourself please", "he went away three weeks before christmas"),
    *("you might have written him some letter", "letters never arrive inside this valley"),
    *("what about the telephone beside our kitchen", "somebody cut that wire last tuesday night"),
    *("so we wait here like frightened chickens", "chickens would have left an hour ago"),
)
PEOPLE = ("ANN", "BOB")
COLOURS = ("red", "blue")


def clock(seconds):
    return f"00:00:{int(seconds):02d},{round(seconds % 1 * 1000):03d}"


def lips(draws):
    """Return how lips move in a shot, whose line is said from second 1 to 3."""
    at = 0.2 + (np.arange(45) + 0.5) * 0.08
    return draws.standard_normal(45) * np.where((at > 1) & (at < 3), 0.02, 0.001)


@pytest.fixture
def film(tmp_path):
    """Ten shots of four seconds, in which Ann (red) and Bob (blue) are seen to speak in turns."""
    draws = np.random.default_rng(0)
    toy.make_video(tmp_path / "film.mp4", [COLOURS[k % 2] for k in range(10)])
    (tmp_path / "film.txt").write_text("\n".join(f"{PEOPLE[k % 2]}: {w}." for k, w in enumerate(WORDS)))
    cues = [f"{k + 1}\n{clock(4 * k + 1)} --> {clock(4 * k + 3)}\n{w}.\n" for k, w in enumerate(WORDS)]
    (tmp_path / "film.srt").write_text("\n".join(cues))
    tracks = [
        Track(
            Span(4.0 * k + 0.2, 4.0 * k + 3.8),
            Box(10 + k, 10, 30 + k, 30),
            lips(draws) if k < 6 else np.full(45, np.nan),
            np.eye(4)[k % 2] + 0.05 * draws.standard_normal(4),
        )
        for k in range(10)
    ]
    write_tracks(tmp_path / "tracks.json", tracks)
    return tmp_path


def words(film, *more, given=True):
    tracks = ["--tracks", film / "tracks.json"] if given else []
    named = [film / "film.mp4", "--script", film / "film.txt", "--subtitles", film / "film.srt"]
    return list(map(str, [*named, "--out", film / "film.names", *tracks, *more]))


def run(film, *more, **options):
    return CliRunner().invoke(app, ["name", *words(film, *more, **options)])


def test_every_face_gets_its_name_in_every_form(film):
    done = run(film, "--json", "--progress", "off", "--overlay", film / "film.names.mp4")
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["name"] for row in rows] == ["Ann", "Bob"] * 5
    assert [row["seen_speaking"] for row in rows[:2]] == [True, True]
    assert "10 face tracks" in done.stderr and "film.names.html" in done.stderr
    out = film / "film.names"
    kept = (film / "film.names.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in kept] == rows
    cues = read_subtitles(out.with_name("film.names.vtt"))
    assert [cue.text for cue in cues] == ["Ann", "Bob"] * 5 and cues[0].span == Span(0.2, 3.8)
    picture = np.asarray(Image.open(film / "film.names.png").convert("RGB")).astype(int)
    red = (abs(picture - toy.COLOURS["red"]) < 30).all(2)
    blue = (abs(picture - toy.COLOURS["blue"]) < 30).all(2)
    assert red.sum() > 5 * 90 * 90 < blue.sum()  # the faces were cut out of the film
    with av.open(str(film / "film.names.mp4")) as drawn:
        shown = [frame.to_ndarray(format="rgb24").astype(int) for frame in drawn.decode(video=0)]
    assert len(shown) == 200 and abs(shown[10] - toy.COLOURS["red"]).max() > 60  # a box, a name
    assert abs(shown[0] - toy.COLOURS["red"]).max() < 30  # the face is not there yet
    page = (film / "film.names.html").read_text()
    assert page.count("data:image/jpeg") == 10 and page.count("<select") == 10


def test_a_person_is_found_by_name_in_the_index(film, monkeypatch):
    monkeypatch.setattr("sayso.encoders.load_encoder", lambda name="auto", **options: toy.ColourEncoder())
    run(film)
    (source,) = read_manifest(film / "film.names.moments.jsonl")
    assert source.rows[-1].span.end == pytest.approx(40, abs=0.3)
    made = CliRunner().invoke(app, ["index", str(film / "x.index"), str(film / "film.names.moments.jsonl")])
    assert made.exit_code == 0, made.output
    for person, colour in (("ann", "red"), ("bob", "blue")):
        found = CliRunner().invoke(
            app, ["search", str(film / "x.index"), f"who:{person} {colour}", "--json", "--no-merge"]
        )
        hits = [json.loads(line) for line in found.stdout.splitlines()]
        assert len(hits) == 5 and {hit["meta"]["who"] for hit in hits} == {person.title()}
        assert all(int(hit["start_s"] // 4) % 2 == COLOURS.index(colour) for hit in hits)
        assert all("garden" in hit["text"] for hit in hits if hit["start_s"] < 4)


def test_corrections_are_kept_and_stay_on_the_page(film):
    (film / "fixed.json").write_text('{"9": "ann", "8": null}')
    done = run(film, "--json", "--corrections", film / "fixed.json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert (rows[9]["name"], rows[9]["score"], rows[8]["name"]) == ("Ann", 1.0, None)
    assert [row["name"] for row in rows[:3]] == ["Ann", "Bob", "Ann"]
    page = (film / "film.names.html").read_text()
    text = page.split('aria-label="Corrections">')[1].split("</textarea>")[0].replace("&quot;", '"')
    assert parse_hand_names(text) == {9: "ann", 8: None}


def test_only_the_asked_people_are_told_apart(film):
    done = run(film, "--json", "--cast", "bob, Eve")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["name"] for row in rows] == [None, "Bob"] * 5
    assert run(film, "--cast", " , ").exit_code != 0


def test_tracks_without_their_film_are_named_without_pictures(film):
    (film / "film.mp4").unlink()
    assert run(film).exit_code == 0
    assert "data:image" not in (film / "film.names.html").read_text()


def test_damaged_subtitles_are_told_and_the_rest_is_done(film):
    text = (film / "film.srt").read_text()
    (film / "film.srt").write_text(text + "\n11\n00:00:39,000 --> soon\nWhat?\n")
    done = run(film)
    assert done.exit_code == 3 and "film.srt" in done.stderr and (film / "film.names.vtt").exists()


def test_an_interrupt_ends_with_130(film, monkeypatch):
    def interrupt(*given, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("sayso.systems.name_actors.pipeline.name_actors", interrupt)
    assert run(film).exit_code == 130


class Reader(toy.ColourEncoder):
    """Tells colours apart, and texts by the first letters of their words."""

    def encode_text(self, texts):
        beginnings = ("wash", "car", "burn", "lette")
        counts = [[sum(w.startswith(b) for w in text.lower().split()) for b in beginnings] for text in texts]
        return np.asarray(counts, dtype=np.float32)


def test_actions_are_given_to_the_people_who_do_them(film, monkeypatch):
    """Ann washes the car in two green shots, Bob burns letters in two yellow ones; both are on screen."""
    monkeypatch.setattr("sayso.encoders.load_encoder", lambda name="auto", **options: Reader())
    told = {
        0: "Ann washes the car.",
        3: "Bob burns the letter.",
        4: "Ann washes a car.",
        7: "Bob burns a letter.",
    }
    shots = {0: "green", 3: "yellow", 4: "green", 7: "yellow"}
    toy.make_video(film / "film.mp4", [shots.get(k, COLOURS[k % 2]) for k in range(10)])
    speeches = [f"{PEOPLE[k % 2]}\n{w}.\n\n{told.get(k, 'A pause.')}" for k, w in enumerate(WORDS)]
    (film / "film.txt").write_text("INT. HOUSE - DAY\n\n" + "\n\n".join(speeches) + "\n")
    done = run(film, "--json", "--actions", "wash car, burn letter")
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["name"] for row in rows] == ["Ann", "Bob"] * 5
    wanted = {0: "wash car", 4: "wash car", 3: "burn letter", 7: "burn letter"}
    assert all(row["action"] is None or row["action"]["score"] > 0.5 for row in rows)
    assert {row["track"]: row["action"] and row["action"]["name"] for row in rows} == {
        k: wanted.get(k) for k in range(10)
    }
    moments = (film / "film.names.moments.jsonl").read_text()
    assert "[Ann: wash car]" in moments and "[Bob: burn letter]" in moments
    assert run(film, "--actions", "fly").exit_code == 0  # nobody is told to do it: said, and no error
    (film / "film.mp4").unlink()
    assert "needs the film" in str(run(film, "--actions", "wash car").exception)


@pytest.mark.parametrize(
    ("change", "more", "sentence"),
    [
        (lambda f: (f / "film.mp4").unlink(), {"given": False}, "film.mp4"),
        (lambda f: (f / "film.mp4").write_bytes(b"no film"), {"given": False}, "film.mp4"),
        (lambda f: (f / "tracks.json").write_text('[{"start_s": 1}]'), {}, "entry 0 is no track"),
        (lambda f: (f / "tracks.json").write_text("[]"), {}, "not one face track"),
        (lambda f: (f / "film.srt").write_text("WEBVTT\n"), {}, "no captions in the file"),
        (lambda f: (f / "film.txt").write_text("EVE: Entirely other words."), {}, "same film"),
    ],
)
def test_what_is_wrong_is_one_sentence(film, change, more, sentence):
    change(film)
    done = sayso("name", *words(film, **more))
    assert done.returncode == 1, done.stderr
    assert sentence in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(film.glob("film.names*"))


@pytest.mark.parametrize(
    ("corrections", "sentence"),
    [
        ("nonsense", "holds no corrections"),
        ('{"one": "Ann"}', "holds no corrections"),
        ('{"1": "Annn"}', "names 'Annn'; is it 'Ann'?"),
        ('{"stranger 9": "Eve"}', "a name is given to stranger 9; no face is a stranger's"),
        ("track,name\n1,Ann\n", "columns who and name"),
        ('{"99": "Ann"}', "the tracks are 0 to 9"),
    ],
)
def test_wrong_corrections_are_one_sentence(film, corrections, sentence):
    (film / "fixed.json").write_text(corrections)
    done = run(film, "--corrections", film / "fixed.json")
    assert done.exit_code != 0 and sentence in str(done.exception)


def test_the_real_command_prints_a_table_of_people(film):
    done = sayso("name", *words(film))
    assert done.returncode == 0 and "10 face tracks" in done.stderr
    assert [line.split()[:3] for line in done.stdout.splitlines()] == [
        ["Ann", "5", "tracks"],
        ["Bob", "5", "tracks"],
    ]
    done = sayso("name", film / "film.mp4")
    assert done.returncode == 2 and "--script" in done.stderr and done.stdout == ""


@pytest.mark.slow
def test_faces_of_a_real_film_are_found_once_and_named(shared_data, tmp_path):
    pytest.importorskip("dlib")
    real = next((shared_data / "videos").glob("RATRACE*"))
    (tmp_path / "film.txt").write_text("ANN: Somebody says something here.\nBOB: And is answered at once.\n")
    cues = [("00:00:00,100", "00:00:01,000", "Somebody says something here.")]
    cues += [("00:00:01,200", "00:00:02,200", "And is answered at once.")]
    text = "\n\n".join(f"{k + 1}\n{start} --> {end}\n{t}" for k, (start, end, t) in enumerate(cues))
    (tmp_path / "film.srt").write_text(text + "\n")
    given = ["--script", tmp_path / "film.txt", "--subtitles", tmp_path / "film.srt", "--json"]
    command = ["name", real, *given, "--cast", "Ann, Bob", "--out", tmp_path / "n"]
    first = sayso(*command)
    rows = [json.loads(line) for line in first.stdout.splitlines()]
    assert first.returncode == 0 and len(rows) >= 3 and {row["name"] for row in rows} <= {"Ann", "Bob", None}
    assert (tmp_path / "n.html").read_text().count("data:image/jpeg") == len(rows)
    kept = (tmp_path / "n.faces.jsonl").read_bytes()
    assert sayso(*command).stdout == first.stdout and (tmp_path / "n.faces.jsonl").read_bytes() == kept


def test_a_face_that_a_hand_made_a_stranger_gets_a_name_by_the_number_that_was_shown(film):
    from sayso.systems.name_actors import NameOptions
    from sayso.systems.name_actors import run as named

    def rows(**by_hand):
        given = {int(who) if who.isdigit() else who: name for who, name in by_hand.items()}
        options = NameOptions(tracks=film / "tracks.json", corrections=given)
        return named(film / "film.mp4", film / "film.txt", film / "film.srt", options).rows

    (stranger,) = [row for row in rows(**{"8": None}) if "stranger" in row]
    assert (stranger["track"], stranger["name"]) == (8, None)
    found = rows(**{"8": None, f"stranger {stranger['stranger']}": "Louis"})
    assert [row["name"] for row in found] == ["Ann", "Bob"] * 4 + ["Louis", "Bob"]

"""From a script, subtitles and face tracks to a result in one call; the film itself need not be there."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.core.types import Caption, Span
from sayso.people import Track, write_tracks
from sayso.systems import name_actors
from sayso.text import write_srt

WORDS = (
    *("the garden is closed until morning", "nobody told me about any garden at all"),
    *("then ask the gardener yourself please", "he went away three weeks before christmas"),
    *("you might have written him some letter", "letters never arrive inside this valley"),
)
PEOPLE = ("Ann", "Bob")


@pytest.fixture
def film(tmp_path):
    """Six shots, each of whoever speaks; only descriptors and times are known."""
    script = "\n".join(f"{PEOPLE[k % 2].upper()}: {words}." for k, words in enumerate(WORDS))
    (tmp_path / "film.txt").write_text(script)
    captions = [Caption(Span(4 * k + 1, 4 * k + 3), words) for k, words in enumerate(WORDS)]
    (tmp_path / "film.srt").write_text(write_srt(captions))
    rng = np.random.default_rng(0)
    tracks = [
        Track(Span(4 * k + 0.2, 4 * k + 3.8), descriptor=np.eye(4)[k % 2] + 0.05 * rng.standard_normal(4))
        for k in range(len(WORDS))
    ]
    write_tracks(tmp_path / "tracks.json", tracks)
    return tmp_path


def run(film, **options):
    how = name_actors.NameOptions(tracks=film / "tracks.json", **options)
    return name_actors.run(film / "film.mp4", film / "film.txt", film / "film.srt", how)


def test_every_track_gets_a_name_and_a_score(film):
    result = run(film)
    assert [row["name"] for row in result.rows] == list(PEOPLE) * 3
    assert all(0.5 < row["score"] <= 1 for row in result.rows)
    plain = json.loads(json.dumps(result.to_dict()))
    assert plain["tracks"] == list(result.rows) and plain["failures"] == []
    assert [line.split()[:3] for line in result.table()] == [["Ann", "3", "tracks"], ["Bob", "3", "tracks"]]


def test_corrections_and_a_cast_are_given_as_data(film):
    result = run(film, corrections={0: "bob", 1: None}, cast=["Bob"])
    assert [row["name"] for row in result.rows[:2]] == ["Bob", None]
    assert {row["name"] for row in result.rows} == {"Bob", None}
    assert '"1": null' in result.write(film / "names")[3].read_text().replace("&quot;", '"')


def test_in_a_short_clip_everybody_who_speaks_is_of_the_cast(film, caplog):
    captions = [Caption(Span(4 * k + 1, 4 * k + 3), words) for k, words in enumerate(WORDS[:2])]
    (film / "film.srt").write_text(write_srt(captions))  # a line each
    assert {row["name"] for row in run(film).rows} == set(PEOPLE)
    assert {row["name"] for row in run(film, cast=["bob", "Ann"]).rows} == set(PEOPLE)
    assert not caplog.messages
    run(film, cast=["Bob", "Cid"])
    assert caplog.messages == ["no line has the speaker Cid; the script's are Ann, Bob"]


def test_a_result_writes_its_files_without_the_film(film):
    written = run(film).write(film / "out" / "names")
    ends = ("jsonl", "vtt", "png", "html", "moments.jsonl")
    assert [path.name for path in written] == [f"names.{end}" for end in ends]
    assert "data:image" not in written[3].read_text()


def test_what_is_missing_is_one_sentence(film):
    with pytest.raises(SaysoError, match="it needs the film"):
        run(film, actions="sit down")
    with pytest.raises(SaysoError, match="--cast names nobody"):
        run(film, cast=[])
    with pytest.raises(SaysoError, match=r"film\.mp4"):  # its faces are to be found
        name_actors.run(film / "film.mp4", film / "film.txt", film / "film.srt")

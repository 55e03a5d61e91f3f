"""Faces of a film get names from its script and subtitles; then one correction by hand.

    python examples/name_actors.py FOLDER

The film is drawn: twelve shots, in each of which Ann (red) or Bob (blue) is on screen. Its face tracks are
drawn too, so that the example needs no face detector; without ``tracks`` the faces are found in the film.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sayso import Box, Caption, Span
from sayso.people import Track, write_tracks
from sayso.systems import name_actors
from sayso.text import write_srt
from sayso.toyworld.write import write_video

SHOT_S, FPS = 4.0, 5
LINES = (
    *("the garden is closed until morning", "nobody told me about any garden at all"),
    *("then ask the gardener yourself please", "he went away three weeks before christmas"),
    *("you might have written him some letter", "letters never arrive inside this valley"),
    *("what about the telephone beside our kitchen", "somebody cut that wire last tuesday night"),
    *("so we wait here like frightened chickens", "chickens would have left an hour ago"),
    *("listen there is someone at our door", "open it slowly and stay behind me"),
)


def main() -> None:
    """Run the example in a folder."""
    if len(sys.argv) != 2:
        sys.exit("name a folder: python examples/name_actors.py FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    draw_film(folder)
    film, script, subtitles = (folder / f"film.{ending}" for ending in ("mp4", "txt", "srt"))

    options = name_actors.NameOptions(tracks=folder / "tracks.json")
    result = name_actors.run(film, script, subtitles, options)
    result.write(folder / "film.names")

    for row in result.rows:
        print(f"{row['start_s']:5} s  {row['name']}  {row['score']:.2f}  speaks: {row['seen_speaking']}")
    corrected = name_actors.NameOptions(tracks=folder / "tracks.json", corrections={11: None})
    print("by hand:", name_actors.run(film, script, subtitles, corrected).rows[11]["name"])


def draw_film(folder: Path) -> None:
    """Write a film, its script, its subtitles and its face tracks.

    Who listens is on screen in every third shot; the lips are seen in the first six.
    """
    rng = np.random.default_rng(0)
    shown = [k % 2 if k % 3 != 2 else 1 - k % 2 for k in range(len(LINES))]
    write_video(folder / "film.mp4", shots(shown), FPS)
    (folder / "film.txt").write_text("\n".join(f"{('ANN', 'BOB')[k % 2]}: {x}." for k, x in enumerate(LINES)))
    spans = [Span(SHOT_S * k + 1, SHOT_S * k + 3) for k in range(len(LINES))]
    captions = [Caption(span, text) for span, text in zip(spans, LINES, strict=True)]
    (folder / "film.srt").write_text(write_srt(captions))
    faces = rng.standard_normal((2, 16))
    tracks = []
    for k, who in enumerate(shown):
        second = (np.arange(45) + 0.5) * 0.08
        motion = np.where((second > 0.8) & (second < 2.8) & (who == k % 2), 0.02, 0.001)
        lips = rng.standard_normal(45) * motion if k < 6 else np.full(45, np.nan)
        descriptor = faces[who] + 0.3 * rng.standard_normal(16)
        span = Span(SHOT_S * k + 0.2, SHOT_S * k + 3.8)
        tracks.append(Track(span, Box(20, 10, 44, 34), lips, descriptor))
    write_tracks(folder / "tracks.json", tracks)


def shots(shown: list[int]) -> Iterator[np.ndarray]:
    """Yield the frames of each shot, (T, H, W, 3) uint8: red for Ann, blue for Bob."""
    for who in shown:
        colour = np.array([(220, 30, 30), (30, 40, 220)][who], np.uint8)
        yield np.broadcast_to(colour, (round(SHOT_S * FPS), 48, 64, 3)).copy()


if __name__ == "__main__":
    main()

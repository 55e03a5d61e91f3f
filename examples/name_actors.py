"""Faces of a film get names from subtitles with speakers, then one correction by hand.

python examples/name_actors.py

The film is drawn: twelve shots, in each of which Ann or Bob is on screen, and the lips of a few are seen.
"""

from __future__ import annotations

import numpy as np

from sayso.core.types import Caption, Span
from sayso.people import Track
from sayso.systems.align_script import align_script
from sayso.systems.name_actors import name_actors
from sayso.text import parse_screenplay

WORDS = (
    *("the garden is closed until morning", "nobody told me about any garden at all"),
    *("then ask the gardener yourself please", "he went away three weeks before christmas"),
    *("you might have written him some letter", "letters never arrive inside this valley"),
    *("what about the telephone beside our kitchen", "somebody cut that wire last tuesday night"),
    *("so we wait here like frightened chickens", "chickens would have left an hour ago"),
    *("listen there is someone at our door", "open it slowly and stay behind me"),
)
SCRIPT = "\n".join(f"{('ANN', 'BOB')[k % 2]}: {words}." for k, words in enumerate(WORDS))
SUBTITLES = [Caption(Span(4.0 * k + 1, 4.0 * k + 3), words) for k, words in enumerate(WORDS)]


def drawn_tracks() -> list[Track]:
    """Return a track a shot: who listens is on screen in every third, lips are seen in the first six."""
    draws = np.random.default_rng(0)
    looks = draws.standard_normal((2, 16))
    tracks = []
    for k in range(len(WORDS)):
        speaks = k % 3 != 2
        who = k % 2 if speaks else 1 - k % 2
        second = (np.arange(45) + 0.5) * 0.08
        moving = np.where((second > 0.8) & (second < 2.8) & speaks, 0.02, 0.001)
        lips = draws.standard_normal(45) * moving if k < 6 else np.full(45, np.nan)
        looked = looks[who] + 0.3 * draws.standard_normal(16)
        tracks.append(Track(Span(4.0 * k + 0.2, 4.0 * k + 3.8), lips=lips, descriptor=looked))
    return tracks


if __name__ == "__main__":
    lines = align_script(parse_screenplay(SCRIPT), SUBTITLES).lines
    tracks = drawn_tracks()
    for row in name_actors(tracks, lines).rows(tracks):
        print(f"{row['start_s']:5} s  {row['name']}  {row['names']}  seen speaking: {row['seen_speaking']}")
    corrected = name_actors(tracks, lines, corrections={11: None})
    print("by hand:", corrected.name(11), corrected.confidence(11))

"""A mixed collection to search: captioned pictures, videos half of which are spoken over, and what to ask it.

The pictures have no captions in the index; theirs are the queries. Every other video gets a caption file of
lines that people said in TV episodes, one a second and a half; queries of a few words of a row are drawn from
them. What is absent is asked for too: letters in no language, and things that neither shows.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from sayso.core.errors import SaysoError
from sayso.core.io import write_atomic
from sayso.core.types import Span
from sayso.data.datasets.coco_captions import read_captioned
from sayso.media.kinds import kind_of

LINE_S = 1.5
SPOKEN, NONSENSE = 200, 100
WORDS_ASKED = (3, 6)


@dataclass(frozen=True, slots=True)
class AskedFor:
    """A query and its answer.

    Args:
        text: the query.
        kind: ``visual``, ``spoken``, ``nonsense`` or ``absent``.
        file: name of the file that is meant; empty if nothing is.
        span: where in it, if not everywhere.
    """

    text: str
    kind: str
    file: str = ""
    span: Span | None = None

    @property
    def present(self) -> bool:
        """Whether the collection has it."""
        return bool(self.file)


def build_collection(data: Path, folder: Path, *, captions: bool) -> list[AskedFor]:
    """Link the files into a folder, write the caption files, and return the queries.

    Args:
        data: ``coco/captions.json`` with ``coco/images/``, ``videos/`` and ``tvperson/*.subtitles.json``.
        folder: where the collection goes; it is empty.
        captions: whether every other video has its caption file.

    Raises:
        SaysoError: if one of them is missing.
    """
    pictures = read_captioned(data / "coco" / "captions.json")
    for path in pictures.pictures:
        (folder / path.name).symlink_to(path.resolve())
    asked = [
        AskedFor(text, "visual", pictures.pictures[owner].name)
        for text, owner in zip(pictures.texts, pictures.owners, strict=True)
    ]
    lines = _lines_said(data / "tvperson")
    rng = random.Random(0)  # noqa: S311  no secret
    spoken: list[AskedFor] = []
    for k, (path, length) in enumerate(_videos(data / "videos")):
        (folder / path.name).symlink_to(path.resolve())
        if k % 2 == 0:
            cues = [(Span(t * LINE_S, (t + 1) * LINE_S), lines.pop(0)) for t in range(int(length / LINE_S))]
            if captions:
                _write_cues(folder / f"{path.stem}.vtt", cues)
            spoken += [_some_words(line, span, path.name, rng) for span, line in cues for _ in range(20)]
    spoken = list({one.text: one for one in spoken}.values())
    rng.shuffle(spoken)
    return [*asked, *spoken[:SPOKEN], *absent_queries()]


def absent_queries() -> list[AskedFor]:
    """Return queries that nothing answers: letters in no language, and things that are hardly anywhere."""
    rng = random.Random(1)  # noqa: S311  no secret
    letters = "bcdfghjklmnpqrstvwxz" + 2 * "aeiouy"
    words = [["".join(rng.choices(letters, k=rng.randint(4, 8))) for _ in range(4)] for _ in range(NONSENSE)]
    nonsense = [AskedFor(" ".join(row[: 1 + k % 4]), "nonsense") for k, row in enumerate(words)]
    text = resources.files("sayso.evaluation").joinpath("search_absent.txt").read_text(encoding="utf-8")
    return [*nonsense, *(AskedFor(line, "absent") for line in text.splitlines())]


def _some_words(line: str, span: Span, name: str, rng: random.Random) -> AskedFor:
    words = line.split()
    count = min(len(words), rng.randint(*WORDS_ASKED))
    start = rng.randint(0, len(words) - count)
    return AskedFor(" ".join(words[start : start + count]), "spoken", name, span)


def _lines_said(folder: Path) -> list[str]:
    """Return lines of at least six words, each once."""
    found: dict[str, None] = {}
    for path in sorted(folder.glob("*.subtitles.json")):
        for row in json.loads(path.read_text(encoding="utf-8")):
            line = " ".join(row["text"].split())
            if len(line.split()) >= max(WORDS_ASKED):
                found[line] = None
    if not found:
        raise SaysoError(f"{folder} holds no lines that people said (*.subtitles.json)")
    return list(found)


def _videos(folder: Path) -> list[tuple[Path, float]]:
    """Return the videos of a folder that can be read, with their lengths in seconds."""
    from sayso.media import probe

    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if kind_of(str(path)) != "video":
            continue
        try:
            found.append((path, probe(str(path)).duration or 0.0))
        except SaysoError:
            continue
    if not found:
        raise SaysoError(f"{folder} holds no video that can be read")
    return found


def _write_cues(path: Path, cues: list[tuple[Span, str]]) -> None:
    blocks = [f"{_clock(span.start)} --> {_clock(span.end)}\n{line}\n" for span, line in cues]
    write_atomic(path, "\n".join(["WEBVTT\n", *blocks]))


def _clock(seconds: float) -> str:
    minutes, second = divmod(seconds, 60)
    return f"{int(minutes):02d}:{second:06.3f}"

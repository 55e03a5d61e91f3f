"""From a film with its script and subtitles to named faces, and the files that other programs read."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sayso.alignment import AlignedScript, action_matcher, align_files
from sayso.core.errors import SaysoError, UsageError, nothing_at
from sayso.core.io import prefixed, write_atomic
from sayso.core.ownership import refuse_foreign
from sayso.core.progress import Progress
from sayso.core.types import Caption
from sayso.data.manifest import Failure
from sayso.people.tracks import FilmTracks, Track, read_tracks
from sayso.systems.name_actors.action_inputs import action_bags, motion_features
from sayso.systems.name_actors.actions import name_actions
from sayso.systems.name_actors.by_hand import HandNames, absent, hand_names, named_tracks, new_people
from sayso.systems.name_actors.constraints import Description, cast_of, named_in
from sayso.systems.name_actors.name import Naming, name_actors

log = logging.getLogger(__name__)
FilePath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NameOptions:
    """What can be chosen when the people of a film are named.

    Args:
        tracks: a JSON file of face tracks; None: faces are found in the film.
        store: the file that keeps found tracks shot by shot, so that an interrupted run goes on from it.
        corrections: names by hand: track, or "stranger 1" -> name, or None for nobody of the names; or a
            JSON or CSV file of these.
        cast: give only these names.
        actions: action classes to recognise, as ``AlignOptions.actions``.
        model: the encoder that describes motion, for ``actions``.
        device: where the encoder runs.
    """

    tracks: FilePath | None = None
    store: FilePath | None = None
    corrections: HandNames | FilePath | None = None
    cast: Sequence[str] | None = None
    actions: str | None = None
    model: str = "auto"
    device: str = "auto"


@dataclass(frozen=True, eq=False)
class NamingResult:
    """The faces of a film with their names.

    Attributes:
        film: the video.
        naming: probabilities of the names for each track.
        tracks: N face tracks.
        rows: one for each track, ready for JSON: ``track``, ``start_s``, ``end_s``, ``box``, ``name``,
            ``score``, ``candidates``, ``seen_speaking``; ``stranger``, a number, of those without a name; and
            ``action`` where actions were asked for.
        captions: of the film, with speakers.
        corrections: names by hand that were given.
        failures: what could not be read.
    """

    film: Path
    naming: Naming
    tracks: tuple[Track, ...]
    rows: tuple[dict[str, Any], ...]
    captions: tuple[Caption, ...]
    corrections: HandNames
    failures: tuple[Failure, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return everything but the pictures, ready for JSON."""
        return {
            "path": str(self.film),
            "tracks": list(self.rows),
            "failures": [failure.to_dict() for failure in self.failures],
        }

    @staticmethod
    def output_paths(out: FilePath) -> list[Path]:
        """Return what ``write`` writes, in its order."""
        return [prefixed(out, ending) for ending in ("jsonl", "vtt", "png", "html", "moments.jsonl")]

    def write(self, out: FilePath) -> list[Path]:
        """Write OUT.jsonl, .vtt, .png, .html and .moments.jsonl, and return their paths.

        Without the film the contact sheets have no pictures.

        Raises:
            SaysoError: if one cannot be written.
        """
        from sayso.export import names_vtt, people_manifest, sheet_page, sheet_png
        from sayso.export.naming_sheet import sheet_rows
        from sayso.export.pages import path_from
        from sayso.media import probe
        from sayso.people.crops import face_pictures

        prefix, there = Path(out), self.film.is_file()
        wanted = {int(row["track"]): self.tracks[int(row["track"])] for row in sheet_rows(self.rows)}
        pictures = face_pictures(self.film, wanted) if there else {}
        duration = probe(self.film).duration if there else None
        film = path_from(prefix.parent, self.film) if there else None
        files: dict[str, str | bytes] = {
            "jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows),
            "vtt": names_vtt(self.rows),
            "png": sheet_png(self.rows, pictures),
            "html": sheet_page(prefix.name, self.rows, pictures, self.corrections, film=film),
            "moments.jsonl": people_manifest(
                str(self.film.absolute()), self.rows, self.captions, duration=duration
            ),
        }
        paths = dict(zip(self.output_paths(out), files.values(), strict=True))
        refuse_foreign(*paths)
        for path, content in paths.items():
            write_atomic(path, content)
        return list(paths)

    def draw(self, target: FilePath, *, progress: Progress | None = None) -> Path:
        """Write the film anew with boxes, names and actions drawn on it, and return its path.

        Args:
            target: the file; .mp4 or .mkv.
            progress: reports seconds.

        Raises:
            MediaError: if the film cannot be read.
            SaysoError: if no track says where its face is, or the file cannot be written.
        """
        from sayso.export import draw_names

        if not self.film.is_file():
            raise SaysoError(nothing_at(self.film, "names are drawn on the film, so it is needed"))
        draw_names(self.film, self.tracks, self.rows, target, progress=progress)
        return Path(target)

    def table(self) -> list[str]:
        """Return one line a person: the name, the number of tracks, the seconds on screen."""
        from sayso.export.naming_sheet import who_of

        tracks = Counter(who_of(row) for row in self.rows)
        seconds: Counter[str | None] = Counter()
        for row in self.rows:
            seconds[who_of(row)] += row["end_s"] - row["start_s"]
        lines = []
        for name, count in tracks.most_common():
            shown = f"{count:5} {'track' if count == 1 else 'tracks':6}"
            lines.append(f"{name or 'nobody of these':24}  {shown}  {seconds[name]:8.1f} s")
        return lines


def run(
    film: FilePath,
    script: FilePath,
    subtitles: FilePath,
    options: NameOptions | None = None,
    *,
    progress: Progress | None = None,
) -> NamingResult:
    """Name the faces of a film.

    Args:
        film: the video.
        script: screenplay or transcript: text, Fountain, HTML, PDF.
        subtitles: with the film's times.
        options: what can be chosen.
        progress: reports shots, faces and rounds.

    Raises:
        SaysoError: if a file cannot be read, nobody speaks, or there is no face track.
        MissingExtra: if faces are to be found and the extra ``faces`` is not installed.
    """
    how, film = options or NameOptions(), Path(film)
    aligned, unread = align_files(script, subtitles)
    corrections = hand_names(how.corrections)
    tracks, failures = _tracks(film, how, progress)
    names, wanted = _cast(how.cast, aligned)
    descriptions = [
        Description(item.span, item.element.text, item.confidence)
        for item in aligned.elements
        if item.element.kind == "description" and item.span is not None
    ]
    naming, rows = _name(tracks, aligned, names, wanted, descriptions, corrections, progress)
    if how.actions is not None:
        failures += _add_actions(rows, film, tracks, naming, descriptions, how, progress)
    failures = [*unread, *failures]
    captions = tuple(aligned.captions())
    return NamingResult(film, naming, tuple(tracks), tuple(rows), captions, corrections, tuple(failures))


def _name(
    tracks: Sequence[Track],
    aligned: AlignedScript,
    names: Sequence[str],
    wanted: Sequence[str],
    descriptions: Sequence[Description],
    by_hand: HandNames,
    progress: Progress | None,
) -> tuple[Naming, list[dict[str, Any]]]:
    """Return the names, and a row of each track; strangers keep the numbers that they have without hands."""

    def name(people: Sequence[str], corrections: Mapping[int, str | None]) -> Naming:
        mentions = named_in(descriptions, people)
        return name_actors(
            tracks, aligned.lines, names=people, mentions=mentions, corrections=corrections, progress=progress
        )

    naming = name(names, {})
    strangers = naming.only(wanted).strangers()
    if by_hand:
        more, first = new_people(by_hand, names), strangers
        if absent(by_hand, first):  # corrections of tracks made them, and showed their numbers
            early = {who: one for who, one in by_hand.items() if isinstance(who, int)}
            said = {(one or "").casefold() for one in early.values()}
            some = [one for one in more if one.casefold() in said]
            shown = name([*names, *some], early).only([*wanted, *some]).strangers(first)
            strangers = np.where(first > 0, first, shown)
        naming = name([*names, *more], named_tracks(by_hand, strangers, first == 0))
        wanted = [*wanted, *more]
        strangers = naming.only(wanted).strangers(strangers)
    return naming, list(naming.only(wanted).rows(tracks, strangers))


def _tracks(film: Path, how: NameOptions, progress: Progress | None) -> tuple[list[Track], list[Failure]]:
    """Return the tracks of a file, or those found in the film, and where the film is damaged."""
    from sayso.people.track_store import film_tracks

    if how.tracks is not None:
        found = FilmTracks(tuple(read_tracks(Path(how.tracks))))
    else:
        found = film_tracks(film, how.store, progress=progress)
    if not found.tracks:
        raise SaysoError(f"{how.tracks or film}: there is not one face track, so there is nobody to name")
    return list(found.tracks), [Failure(str(film), "decode", str(problem)) for problem in found.problems]


def _cast(asked: Sequence[str] | None, aligned: AlignedScript) -> tuple[list[str], list[str]]:
    """Return the names to tell apart, and those of them to give."""
    heard = cast_of(aligned.lines, 1)
    people = cast_of(aligned.lines) or heard  # in a short clip nobody may have three lines
    if asked is None:
        if not people:
            raise SaysoError(
                "no line of the subtitles got a speaker; are script and subtitles of the same film?"
            )
        return people, people
    spelling = {name.casefold(): name for name in heard}
    wanted = list(dict.fromkeys(spelling.get(name.casefold(), name) for name in asked))
    if not wanted:
        raise UsageError("--cast names nobody; write it like: --cast 'Rick, Ilsa, Sam'")
    if silent := [name for name in wanted if name not in heard]:
        log.warning(
            "no line has the speaker %s; the script's are %s", ", ".join(silent), ", ".join(heard) or "none"
        )
    return list(dict.fromkeys([*people, *wanted])), wanted


def _add_actions(
    rows: Sequence[dict[str, Any]],
    film: Path,
    tracks: Sequence[Track],
    naming: Naming,
    descriptions: Sequence[Description],
    how: NameOptions,
    progress: Progress | None,
) -> list[Failure]:
    """Give each row ``action``: the likeliest, with its score; None where none is likelier."""
    from sayso.encoders import load_encoder

    if not film.is_file():
        raise SaysoError(nothing_at(film, "--actions looks at what people do, so it needs the film"))
    classes = action_matcher(how.actions or "")
    matches = classes.match([one.text for one in descriptions])
    mentioned = [
        Description(one.span, one.text, one.confidence, tuple(classes.names.index(name) for name in found))
        for one, found in zip(descriptions, matches, strict=True)
    ]
    bags = action_bags(tracks, mentioned, naming.names)
    if not bags:
        log.warning("no description mentions these actions while a face is on screen; nobody does them")
        return []
    X, failures = motion_features(film, tracks, load_encoder(how.model, device=how.device), progress=progress)
    persons = naming.probabilities[:, : len(naming.names)]
    scores = name_actions(X, bags, len(classes.names), persons, progress=progress)
    for row, score in zip(rows, scores, strict=True):
        best = int(score.argmax())
        known = best < len(classes.names)
        found = {"name": classes.names[best], "score": round(float(score[best]), 3)} if known else None
        row["action"] = found
    return failures

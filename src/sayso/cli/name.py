"""``sayso name``: tell whose faces a film shows, from its script and subtitles."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sayso.cli.options import Json, Model, ProgressMode
from sayso.core.errors import SaysoError

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.core.types import Span
    from sayso.people.tracks import Track
    from sayso.systems.align_script import AlignedScript
    from sayso.systems.name_actors import Naming

SOME_FAILED = 3
INTERRUPTED = 130


def name(
    film: Annotated[Path, typer.Argument(metavar="FILM", help="The video.")],
    script: Annotated[
        Path, typer.Option("--script", help="Screenplay or transcript: text, Fountain, HTML, PDF.")
    ],
    subtitles: Annotated[
        Path, typer.Option("--subtitles", help="Subtitles with the film's times: SRT, WebVTT, ...")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="NAMES", help="Write NAMES.jsonl, .vtt, .png, .html and .moments.jsonl."
        ),
    ],
    tracks: Annotated[
        Path | None,
        typer.Option(
            "--tracks", help="Face tracks that are there already (JSON); default: find them in the film."
        ),
    ] = None,
    corrections: Annotated[
        Path | None,
        typer.Option("--corrections", help='Names by hand, JSON: {"12": "Ilsa", "40": null}; they are kept.'),
    ] = None,
    cast: Annotated[
        str | None,
        typer.Option("--cast", metavar="NAMES", help='Tell apart only these people: "Rick, Ilsa, Sam".'),
    ] = None,
    actions: Annotated[
        str | None,
        typer.Option(
            "--actions", metavar="NAMES", help='Say who does which of these: "play piano, sit down".'
        ),
    ] = None,
    model: Model = None,
    progress: ProgressMode = "auto",
    as_json: Json = False,
) -> None:
    """Give each face of a film its name, and, if asked, what it does.

    What was found is kept: after an interruption, or with corrections, the same command goes on from there.

    Examples:

      sayso name film.mp4 --script film.txt --subtitles film.srt --out film.names

      sayso name film.mp4 --script film.txt --subtitles film.srt --out film.names --corrections fixed.json

      sayso index film.names.moments.jsonl && sayso search sayso.index "who:ilsa playing piano"
    """
    from sayso.core.progress import reporter
    from sayso.systems.name_actors import mentions, name_actors

    problems: list[Any] = []
    aligned = _aligned(script, subtitles, problems)
    fixed = _corrections(corrections)
    try:
        with reporter("name", "shots", progress) as watch:
            faces = _tracks(film, tracks, out, watch, problems)
            (people, wanted), told = _cast(cast, aligned), _told(aligned)
            named = mentions(told, people)
            naming = name_actors(
                faces, aligned.lines, names=people, described=named, corrections=fixed, progress=watch
            )
            rows = list(naming.only(wanted).rows(faces))
            if does := _listed(actions):
                _with_actions(rows, film, faces, naming, told, does, model, watch, problems)
            _write(film, out, rows, faces, aligned, fixed, tracks is None)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
    for problem in problems:
        print(problem, file=sys.stderr)
    _summarise(rows, out)
    if problems:
        raise typer.Exit(SOME_FAILED)


def _aligned(script: Path, subtitles: Path, problems: list[Any]) -> AlignedScript:
    from sayso.systems.align_script import align_script
    from sayso.text import read_screenplay, read_subtitles

    captions = read_subtitles(subtitles, problems=problems)
    if not captions:
        raise SaysoError(f"{subtitles}: there are no captions in the file; give the subtitles of the film")
    aligned: AlignedScript = align_script(read_screenplay(script), captions)
    return aligned


def _told(aligned: AlignedScript) -> list[tuple[Span, str, float]]:
    """Return the descriptions that have a time: when, what, and how sure."""
    return [
        (item.span, item.element.text, item.confidence)
        for item in aligned.elements
        if item.element.kind == "description" and item.span is not None
    ]


def _tracks(film: Path, given: Path | None, out: Path, watch: Progress, problems: list[Any]) -> list[Track]:
    """Return the tracks of a file, or those found in the film."""
    from sayso.people.track_store import film_tracks
    from sayso.people.tracks import read_tracks

    if given is not None:
        faces = read_tracks(given)
    else:
        faces = film_tracks(film, _beside(out, "faces.jsonl"), progress=watch, problems=problems)
    if not faces:
        raise SaysoError(f"{given or film}: there is not one face track, so there is nobody to name")
    return faces


def _cast(asked: str | None, aligned: AlignedScript) -> tuple[list[str], list[str]]:
    """Return the names to tell apart, and those of them to give."""
    from sayso.systems.name_actors import cast_of

    people: list[str] = cast_of(aligned.lines)
    if asked is None:
        if not people:
            raise SaysoError(
                "no line of the subtitles got a speaker; are script and subtitles of the same film?"
            )
        return people, people
    known = {person.casefold(): person for person in people}
    wanted = list(dict.fromkeys(known.get(name.casefold(), name) for name in _listed(asked)))
    if not wanted:
        raise SaysoError("--cast names nobody; write it like: --cast 'Rick, Ilsa, Sam'")
    return list(dict.fromkeys([*people, *wanted])), wanted


def _listed(asked: str | None) -> list[str]:
    return [name.strip() for name in (asked or "").split(",") if name.strip()]


def _with_actions(
    rows: list[dict[str, Any]],
    film: Path,
    faces: list[Track],
    naming: Naming,
    told: list[tuple[Span, str, float]],
    actions: list[str],
    model: str | None,
    watch: Progress,
    problems: list[Any],
) -> None:
    """Give each row ``does``: the action that is likelier than none, with its score."""
    from sayso.encoders import load_encoder
    from sayso.systems.align_script import actions_by_meaning
    from sayso.systems.name_actors import Described, motion_features, name_actions, told_of

    if not film.is_file():
        raise SaysoError(f"{film} is not there; --actions looks at what people do, so it needs the film")
    found = actions_by_meaning([text for _, text, _ in told], actions, load_encoder("offline").encode_text)
    described = [
        Described(span, text, sure, tuple(actions.index(name) for name in near))
        for (span, text, sure), near in zip(told, found, strict=True)
    ]
    bags = told_of(faces, described, naming.names)
    if not bags:
        watch.message("no description tells of these actions while a face is on screen; nobody does them")
        return
    X = motion_features(film, faces, load_encoder(model or "auto"), progress=watch, problems=problems)
    scores = name_actions(X, bags, len(actions), naming.probabilities[:, : len(naming.names)], progress=watch)
    for row, score in zip(rows, scores, strict=True):
        best = int(score.argmax())
        row["does"] = actions[best] if best < len(actions) else None
        row["does_score"] = round(float(score[best]), 3)


def _corrections(path: Path | None) -> dict[int, str | None]:
    from sayso.export.naming_sheet import read_corrections

    if path is None:
        return {}
    try:
        return read_corrections(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SaysoError(f'{path} holds no corrections like {{"12": "Ilsa", "40": null}}: {error}') from error


def _write(
    film: Path,
    out: Path,
    rows: list[dict[str, Any]],
    faces: list[Track],
    aligned: AlignedScript,
    fixed: dict[int, str | None],
    pictures_matter: bool,
) -> None:
    """Write every form of the result beside each other."""
    from sayso.export.naming_sheet import sheet_page, sheet_png, shown
    from sayso.export.naming_vtt import names_vtt, people_manifest
    from sayso.media import probe
    from sayso.people.crops import face_pictures

    seen = film.is_file() or pictures_matter
    pictures = (
        face_pictures(film, {int(r["track"]): faces[int(r["track"])] for r in shown(rows)}) if seen else {}
    )
    files: dict[str, str | bytes] = {
        "jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),
        "vtt": names_vtt(rows),
        "png": sheet_png(rows, pictures),
        "html": sheet_page(out.name, rows, pictures, fixed),
        "moments.jsonl": people_manifest(
            str(film.absolute()), rows, aligned.captions(), duration=probe(film).duration if seen else None
        ),
    }
    for ending, content in files.items():
        path = _beside(out, ending)
        try:
            path.write_bytes(content.encode("utf-8", "replace") if isinstance(content, str) else content)
        except OSError as error:
            raise SaysoError(f"{path} cannot be written: {error.strerror}; give another --out") from error


def _beside(out: Path, ending: str) -> Path:
    return out.with_name(f"{out.name}.{ending}")


def _summarise(rows: list[dict[str, Any]], out: Path) -> None:
    counts = Counter(row["name"] or "nobody of these" for row in rows)
    sure = sum(row["confidence"] >= 0.9 for row in rows)
    told = ", ".join(f"{person} {count}" for person, count in counts.most_common())
    print(f"{len(rows)} face tracks, {sure} of them surely named: {told}", file=sys.stderr)
    print(f"least sure faces to check: {_beside(out, 'html')}", file=sys.stderr)

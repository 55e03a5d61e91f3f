"""``sayso align``: give a script its times and subtitles their speakers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.options import Json
from sayso.core.errors import SaysoError

if TYPE_CHECKING:
    from sayso.core.errors import SubtitleError
    from sayso.core.types import Caption
    from sayso.systems.align_script import AlignedScript

SOME_FAILED = 3
LATE_S = 2.0
LITTLE = 0.1  # of the speeches placed, and the two are hardly of one film


def align(
    script: Annotated[
        Path, typer.Argument(metavar="SCRIPT", help="Screenplay or transcript: text, Fountain, HTML, PDF.")
    ],
    subtitles: Annotated[Path, typer.Argument(metavar="SUBTITLES", help="Subtitles: SRT, WebVTT, ASS, ...")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write FILM.srt, .vtt, .csv, .jsonl and .html.", metavar="FILM"),
    ] = None,
    video: Annotated[
        Path | None,
        typer.Option(
            "--video", help="With --out: also write FILM.moments.jsonl, which 'sayso index' makes searchable."
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference",
            help="Captions with the film's own times; corrects the subtitles' frame rate and offset.",
        ),
    ] = None,
    actions: Annotated[
        str | None,
        typer.Option(
            "--actions",
            metavar="NAMES",
            help='Say which of these actions a description tells of: "open door, sit down".',
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell who says what when, and what happens when, from a script and subtitles.

    Examples:

      sayso align film.txt film.srt

      sayso align film.fountain film.srt --out film --video film.mp4 && sayso index film.moments.jsonl

      sayso align film.txt film.srt --json --actions "answer phone, sit down"
    """
    from sayso.systems.align_script import align_script
    from sayso.text import read_screenplay

    if video is not None and out is None:
        raise typer.BadParameter("--video needs --out FILM, to know where to write FILM.moments.jsonl")
    problems: list[SubtitleError] = []
    screenplay = read_screenplay(script)
    captions = _captions(subtitles, reference, problems)
    if video is not None:
        _compare_length(captions, video)
    aligned = align_script(screenplay, captions)
    for doubt in screenplay.doubts:
        print(f"{script}, line {doubt.line}: {doubt.message}", file=sys.stderr)
    for problem in problems:
        print(problem, file=sys.stderr)
    rows = _with_actions(list(aligned.rows()), actions)
    if out is not None:
        _write(aligned, rows, out, video)
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
    elif out is None:
        _print_table(aligned)
    _summarise(aligned)
    if problems:
        raise typer.Exit(SOME_FAILED)


def _captions(subtitles: Path, reference: Path | None, problems: list[SubtitleError]) -> list[Caption]:
    """Read the subtitles, at the film's own times if a reference has those."""
    from sayso.systems.align_script import fit_clock
    from sayso.text import read_subtitles

    captions: list[Caption] = read_subtitles(subtitles, problems=problems)
    if not captions:
        raise SaysoError(f"{subtitles}: there are no captions in the file; give the subtitles of the film")
    if reference is None:
        return captions
    clock = fit_clock(captions, read_subtitles(reference, problems=problems))
    print(
        f"subtitle times: x {clock.rate:.5f} {clock.offset_s:+.2f} s, median error {clock.error_s:.2f} s",
        file=sys.stderr,
    )
    at_film_time: list[Caption] = clock.apply(captions)
    return at_film_time


def _compare_length(captions: list[Caption], video: Path) -> None:
    """Say so if the subtitles are longer than the video: they were timed to another copy."""
    from sayso.media import probe

    length = probe(video).duration
    last = max(caption.span.end for caption in captions)
    if length is not None and last > length + LATE_S:
        print(
            f"the subtitles go on {last - length:.0f} s after the end of {video}: they were timed to another "
            "frame rate or cut; give --reference captions with the film's own times",
            file=sys.stderr,
        )


def _with_actions(rows: list[dict[str, object]], names: str | None) -> list[dict[str, object]]:
    """Give each description ``actions``: the named actions that it tells of, with the similarity."""
    if names is None:
        return rows
    from sayso.encoders import load_encoder
    from sayso.systems.align_script import actions_by_meaning

    told = [row for row in rows if row["kind"] == "description"]
    classes = [name.strip() for name in names.split(",") if name.strip()]
    embed = load_encoder("offline").encode_text
    found = actions_by_meaning([str(row["text"]) for row in told], classes, embed)
    for row, near in zip(told, found, strict=True):
        row["actions"] = {name: round(similarity, 3) for name, similarity in near.items()}
    return rows


def _write(aligned: AlignedScript, rows: list[dict[str, object]], out: Path, video: Path | None) -> None:
    """Write every form of the result beside each other: FILM.srt, FILM.vtt and so on."""
    from sayso.export import descriptions_csv, moments_manifest, script_page, speaker_srt
    from sayso.text import write_vtt

    captions = aligned.captions()
    shown = [item.to_dict() if item.element.kind != "transition" else None for item in aligned.elements]
    files = {
        "srt": speaker_srt(captions),
        "vtt": write_vtt(captions),
        "csv": descriptions_csv(rows),
        "jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),
        "html": script_page(out.name, shown, [line.to_dict() for line in aligned.lines if line.text]),
    }
    if video is not None:
        files["moments.jsonl"] = moments_manifest(str(video.absolute()), rows)
    for ending, text in files.items():
        path = out.with_name(f"{out.name}.{ending}")
        try:
            path.write_text(text, encoding="utf-8", errors="replace")
        except OSError as error:
            raise SaysoError(f"{path} cannot be written: {error.strerror}; give another --out") from error


def _print_table(aligned: AlignedScript) -> None:
    """Print one element a line: time, confidence, who, what."""
    from sayso.cli.search import clock

    for item in aligned.elements:
        if item.element.kind == "transition":
            continue
        time = f"{clock(item.span.start)}-{clock(item.span.end)}" if item.span else "?"
        who = f"{item.element.speaker}: " if item.element.speaker else ""
        mark = {"heading": "# ", "dialogue": ""}.get(item.element.kind, "  ")
        print(f"{time:>19}  {item.confidence:4.2f}  {mark}{who}{item.element.text}")


def _summarise(aligned: AlignedScript) -> None:
    speech = sum(1 for item in aligned.elements if item.element.kind == "dialogue")
    print(
        f"{speech - len(aligned.unplaced)} of {speech} speeches placed, "
        f"{len(aligned.moved)} of them in another order; "
        f"{len(aligned.improvised)} of {len(aligned.lines)} subtitle lines are not in the script",
        file=sys.stderr,
    )
    if aligned.matched < LITTLE:
        print("the script and the subtitles share few words; are they of the same film?", file=sys.stderr)

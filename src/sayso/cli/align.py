"""``sayso align``: give a script its times and subtitles their speakers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.exit_codes import SOME_FAILED
from sayso.cli.options import Json, Overwrite, out_option


def align(
    script: Annotated[
        Path, typer.Argument(metavar="SCRIPT", help="Screenplay or transcript: text, Fountain, HTML, PDF.")
    ],
    subtitles: Annotated[Path, typer.Argument(metavar="SUBTITLES", help="Subtitles: SRT, WebVTT, ASS, ...")],
    out: Annotated[
        Path | None, out_option("PREFIX", "Write PREFIX.srt, .vtt, .csv, .jsonl and .html.")
    ] = None,
    video: Annotated[
        Path | None,
        typer.Option(
            "--video",
            help="With --out: also write PREFIX.moments.jsonl, which 'sayso index' makes searchable.",
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
            metavar="CLASSES",
            help='Mark the descriptions that mention these actions: "open door, sit down", a JSON file of '
            "regular expressions by name, or a CSV (text, actions) to learn a classifier from.",
        ),
    ] = None,
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Tell who says what when, and what happens when, from a script and subtitles.

    Examples:

      sayso align film.txt film.srt

      sayso align film.txt film.srt --out film.timed --video film.mp4

      sayso index my.index film.timed.moments.jsonl

      sayso align film.txt film.srt --json --actions "answer phone, sit down"
    """
    from sayso.core.ownership import refuse_foreign
    from sayso.systems import align_script

    if video is not None and out is None:
        raise typer.BadParameter("--video needs --out PREFIX, to know where to write PREFIX.moments.jsonl")
    options = align_script.AlignOptions(reference=reference, actions=actions, video=video)
    if out is not None:
        refuse_foreign(*align_script.output_paths(out, video=video is not None))
    result = align_script.run(script, subtitles, options)
    if out is not None:
        result.write(out)
    if as_json:
        for row in result.rows:
            print(json.dumps(row, ensure_ascii=False))
    elif out is None:
        print("\n".join(result.table()))
    for failure in result.failures:
        print(failure.error, file=sys.stderr)
    print(result.summary(), file=sys.stderr)
    if result.failures:
        raise typer.Exit(SOME_FAILED)

"""``sayso name``: name the faces of a film, from its script and subtitles."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.exit_codes import SOME_FAILED
from sayso.cli.options import Device, Json, Model, Overwrite, ProgressMode, out_option


def name(
    film: Annotated[Path, typer.Argument(metavar="FILM", help="The video.")],
    script: Annotated[
        Path, typer.Option("--script", help="Screenplay or transcript: text, Fountain, HTML, PDF.")
    ],
    subtitles: Annotated[
        Path, typer.Option("--subtitles", help="Subtitles with the film's times: SRT, WebVTT, ...")
    ],
    out: Annotated[Path, out_option("PREFIX", "Write PREFIX.jsonl, .vtt, .png, .html and .moments.jsonl.")],
    tracks: Annotated[
        Path | None,
        typer.Option("--tracks", help="JSON file of face tracks; default: find them in the film."),
    ] = None,
    corrections: Annotated[
        Path | None,
        typer.Option("--corrections", help='Names by hand, JSON: {"12": "Ilsa", "40": null}; they are kept.'),
    ] = None,
    cast: Annotated[
        str | None,
        typer.Option("--cast", metavar="NAMES", help='Give only these names: "Rick, Ilsa, Sam".'),
    ] = None,
    actions: Annotated[
        str | None,
        typer.Option(
            "--actions",
            metavar="CLASSES",
            help='Say who does which of these: "play piano, sit down"; or a file, as of sayso align.',
        ),
    ] = None,
    model: Model = None,
    device: Device = "auto",
    progress: ProgressMode = "auto",
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Give each face of a film its name, and, if asked, what it does.

    Face tracks are kept: after an interruption, or with corrections, the same command goes on from there.

    Examples:

      sayso name film.mp4 --script film.txt --subtitles film.srt --out film.names

      sayso name film.mp4 --script film.txt --subtitles film.srt --out film.names --corrections fixed.json

      sayso index film.index film.names.moments.jsonl && sayso search film.index "who:ilsa playing piano"
    """
    from sayso.core.io import prefixed
    from sayso.core.ownership import refuse_foreign
    from sayso.core.progress import reporter
    from sayso.systems import name_actors

    options = name_actors.NameOptions(
        tracks=tracks,
        store=prefixed(out, "faces.jsonl"),
        corrections=corrections,
        cast=None if cast is None else [person.strip() for person in cast.split(",") if person.strip()],
        actions=actions,
        model=model or "auto",
        device=device,
    )
    refuse_foreign(*name_actors.output_paths(out))
    with reporter("name", "shots", progress) as bar:
        result = name_actors.run(film, script, subtitles, options, progress=bar)
        result.write(out)
    for line in [json.dumps(row, ensure_ascii=False) for row in result.rows] if as_json else result.table():
        print(line)
    for failure in result.failures:
        print(failure.error, file=sys.stderr)
    print(f"{len(result.rows)} face tracks; check the least certain: {out.name}.html", file=sys.stderr)
    if result.failures:
        raise typer.Exit(SOME_FAILED)

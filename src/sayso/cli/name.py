"""``sayso name``: name the faces of a film, from its script and subtitles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from sayso.cli.options import Device, Json, Model, Overwrite, ProgressMode, out_option
from sayso.cli.output import end_with, print_json, print_lines, print_notes
from sayso.core.counted import counted
from sayso.core.ownership import refuse_foreign
from sayso.core.progress import reporter

SCRIPT = "Screenplay or transcript: text, Fountain, HTML, PDF."
SUBTITLES = "Subtitles with the film's times: SRT, WebVTT, ..."
OUT = "Write PREFIX.jsonl, .vtt, .png, .html and .moments.jsonl."
TRACKS = "JSON list of face tracks, each with start_s and end_s at least; default: find them in the film."
FIXED = 'Names by hand, JSON {"12": "Ilsa", "40": null, "stranger 1": "Louis"} or CSV (who,name); they win.'
OVERLAY = "Draw boxes, names and actions on the film, as this file, .mp4 or .mkv; sound is kept."
CAST = 'Give only these names: "Rick, Ilsa, Sam".'
ACTIONS = 'Say who does which of these: "play piano, sit down"; or a file, as of sayso align.'


def name(
    film: Annotated[Path, Argument(metavar="FILM", help="The video.")],
    script: Annotated[Path, Option("--script", help=SCRIPT)],
    subtitles: Annotated[Path, Option("--subtitles", help=SUBTITLES)],
    out: Annotated[Path, out_option("PREFIX", OUT)],
    tracks: Annotated[Path | None, Option("--tracks", help=TRACKS)] = None,
    corrections: Annotated[Path | None, Option("--corrections", "--names", help=FIXED)] = None,
    cast: Annotated[str | None, Option("--cast", metavar="NAMES", help=CAST)] = None,
    actions: Annotated[str | None, Option("--actions", metavar="CLASSES", help=ACTIONS)] = None,
    overlay: Annotated[Path | None, Option("--overlay", metavar="FILE", help=OVERLAY)] = None,
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

      sayso name film.mp4 --script film.txt --subtitles film.srt --out film.names --overlay film.names.mp4

      sayso index film.index film.names.moments.jsonl && sayso search film.index "who:ilsa playing piano"
    """
    from sayso.core.io import prefixed
    from sayso.export import check_overlay
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
    refuse_foreign(*name_actors.NamingResult.output_paths(out))
    if overlay is not None:
        check_overlay(overlay)
    with reporter("name", "shots", progress) as bar:
        result = name_actors.run(film, script, subtitles, options, progress=bar)
        result.write(out)
        if overlay is not None:
            result.draw(overlay, progress=bar)
    print_json(*result.rows) if as_json else print_lines(result.table())
    print_notes(f"{counted(len(result.rows), 'face track')}; check the least certain: {out.name}.html")
    end_with(failure.error for failure in result.failures)

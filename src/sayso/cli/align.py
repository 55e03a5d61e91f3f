"""``sayso align``: give a script its times and subtitles their speakers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, BadParameter, Option

from sayso.cli.options import Json, Overwrite, out_option
from sayso.cli.output import end_with, print_json, print_lines, print_notes
from sayso.core.ownership import refuse_foreign

SCRIPT = "Screenplay or transcript: text, Fountain, HTML, PDF."
SUBTITLES = "Subtitles: SRT, WebVTT, ASS, ..."
OUT = "Write PREFIX.srt, .vtt, .csv, .jsonl and .html."
VIDEO = "With --out: also write PREFIX.moments.jsonl, which 'sayso index' makes searchable."
REFERENCE = "Captions with the film's own times; corrects the subtitles' frame rate and offset."
ACTIONS = (
    'Mark the descriptions that mention these actions: "open door, sit down", a JSON file of '
    "regular expressions by name, or a CSV (text, actions) to learn a classifier from."
)


def align(
    script: Annotated[Path, Argument(metavar="SCRIPT", help=SCRIPT)],
    subtitles: Annotated[Path, Argument(metavar="SUBTITLES", help=SUBTITLES)],
    out: Annotated[Path | None, out_option("PREFIX", OUT)] = None,
    video: Annotated[Path | None, Option("--video", help=VIDEO)] = None,
    reference: Annotated[Path | None, Option("--reference", help=REFERENCE)] = None,
    actions: Annotated[str | None, Option("--actions", metavar="CLASSES", help=ACTIONS)] = None,
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Tell who says what when, and what happens when, from a script and subtitles.

    Examples:

      sayso align film.txt film.srt

      sayso align film.txt film.srt --out film.timed --video film.mp4

      sayso align film.txt film.srt --json --actions "answer phone, sit down"
    """
    from sayso.systems import align_script

    if video is not None and out is None:
        raise BadParameter("--video needs --out PREFIX, to know where to write PREFIX.moments.jsonl")
    options = align_script.AlignOptions(reference=reference, actions=actions, video=video)
    if out is not None:
        refuse_foreign(*align_script.AlignResult.output_paths(out, video=video is not None))
    result = align_script.run(script, subtitles, options)
    written = [] if out is None else result.write(out)
    lines = result.table() if out is None else ()
    print_json(*result.rows) if as_json else print_lines(lines)
    print_notes(result.summary(), *(f"wrote {path}" for path in written))
    end_with(failure.error for failure in result.failures)

"""``sayso clip``: cut what was found out of its file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from sayso.cli.options import Json, Overwrite, ProgressMode, out_option
from sayso.cli.output import end_with, print_json, print_lines, print_notes
from sayso.core.counted import counted
from sayso.core.errors import SaysoError
from sayso.core.progress import reporter
from sayso.media.cut_forms import Form

WHAT = (
    "An index or several, then hits: ID@START-END, with id and seconds as search --json prints them (an ID "
    "alone is one clip, shorter than a moment of several), or - for what search --json "
    "prints, or what a page saved as JSON, on stdin. Or, without an index, FILE@START-END, in seconds."
)
OUT = "A file (.mp4, .mkv, .gif, .webp); of several hits the folder for one file each."
COPY = "Copy from the key frame before instead of encoding anew: quick, without loss, begins earlier."
FORM = "What is written into a folder."
GUESSES = "Of what search --json prints cut guesses too, which score below 0.5."


def clip(
    what: Annotated[list[str], Argument(metavar="[INDEX...] HIT...", help=WHAT, show_default=False)],
    out: Annotated[Path, out_option("FILE", OUT)],
    copy: Annotated[bool, Option("--copy", help=COPY)] = False,
    form: Annotated[Form, Option("--format", help=FORM)] = "mp4",
    guesses: Annotated[bool, Option("--guesses", help=GUESSES)] = False,
    progress: ProgressMode = "auto",
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Cut moments out of their videos, to the frame, with their sound.

    A GIF or WebP has 10 frames a second, no sound, and is at most a minute long. Of the hits on stdin,
    guesses of a search, pictures and files of sound are left out, which is said on stderr. With several hits,
    what cannot be cut is listed, and the exit code is then 3.

    Examples:

      sayso clip talk.mp4@12.5-20 --out answer.mp4

      sayso search my.index "hold a wine glass" --json -n 5 | sayso clip my.index - --out clips

      sayso search my.index "hold a wine glass" --json | sayso clip - --out clips

      sayso clip my.index 3f2a9c-4 --out glass.gif

      sayso clip photos.index films.index - --out clips < sayso-results.json
    """
    from sayso.index.stretches import find_stretches, leave_out, name_cuts, save_stretch

    stretches, left_out = leave_out(find_stretches(what, sys.stdin), guesses=guesses)
    rows, failures = list[dict[str, Any]](), list[str]()
    print_notes(*left_out)
    if not stretches:
        print_notes("nothing is cut" + ("" if left_out else ": no hit came on stdin"))
        return
    one = len(stretches) == 1 and not out.is_dir() and "-" not in what
    targets = [out] if one else name_cuts(stretches, out, form)
    with reporter("cutting", unit="clips", mode=progress) as bar:
        for number, (stretch, target) in enumerate(zip(stretches, targets, strict=True)):
            bar.update(number, len(stretches), stretch.path)
            try:
                rows.append(save_stretch(stretch, target, copy=copy))
            except SaysoError as error:
                if one:
                    raise
                failures.append(str(error))
    print_json(*rows) if as_json else print_lines(map(_line, rows))
    end_with(failures, done=bool(rows))


def _line(row: dict[str, Any]) -> str:
    span = f"{row['start_s']:.2f}-{row['end_s']:.2f} s of {row['path']}"
    return f"{row['out']}  {span}, {counted(row['frames'], 'frame')}"

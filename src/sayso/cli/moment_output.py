"""How ``sayso search`` hands moments to other programs: formats on stdout, a contact sheet as a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

from typer import Option

from sayso.cli.output import hit_lines, print_json
from sayso.core.errors import UsageError

if TYPE_CHECKING:
    from sayso.export.moment_files import MomentFormat
    from sayso.index import Hit
    from sayso.serve.local.client import WarmIndex

Csv = Annotated[bool, Option("--csv", help="Print a table: where, all scores, what is said and seen.")]
Srt = Annotated[bool, Option("--srt", help="Print the moments as subtitles.")]
Edl = Annotated[bool, Option("--edl", help="Print a CMX 3600 edit list of the moments, one after another.")]
Fcpxml = Annotated[bool, Option("--fcpxml", help="Print the same for Final Cut Pro and DaVinci Resolve.")]
Otio = Annotated[bool, Option("--otio", help="Print the same as OpenTimelineIO.")]
SHEET = "Write a contact sheet of the moments to this PNG too."
Sheet = Annotated[Path | None, Option("--sheet", metavar="FILE", help=SHEET)]

THUMBS = "Show a picture above each moment (kitty, iTerm2, sixel, else blocks)."
Thumbs = Annotated[bool, Option("--thumbs", help=THUMBS)]


def chosen_format(
    given: Mapping[str, bool], sheet: Path | None, words: Sequence[str] = (), *, many: bool
) -> MomentFormat | None:
    """Return the format that was asked for, if any.

    Args:
        given: whether each format was.
        sheet: where a contact sheet goes, if anywhere.
        words: of the query.
        many: whether there are several queries.

    Raises:
        UsageError: if two were, or what is one file for several queries; if a file was named to print to.
    """
    asked = [form for form, wanted in given.items() if wanted]
    if len(asked) > 1:
        raise UsageError(f"--{asked[0]} and --{asked[1]} both want stdout; give one of them")
    ends = f".{asked[0]}" if asked else ""
    if asked and (file := next((word for word in words[1:] if word.lower().endswith(ends)), None)):
        raise UsageError(f"--{asked[0]} prints, and would search for {file}; to write that file: > {file}")
    single = ["sheet"] if sheet is not None else [form for form in asked if form != "json"]
    if single and many:
        raise UsageError(f"--{single[0]} is one file, and stdin holds several queries; search for one")
    return cast("MomentFormat", asked[0]) if asked else None


def print_moments(hits: Sequence[Hit], form: MomentFormat, name: str, *, many: bool) -> None:
    """Print moments in a format: JSON a line each, others as one file.

    Args:
        hits: the moments.
        form: the format.
        name: of the whole: what was looked for.
        many: whether each line of JSON says what was looked for.
    """
    if form == "json":
        print_json(*({"query": name, **hit.to_dict()} if many else hit.to_dict() for hit in hits))
    elif not hits and form != "csv":
        print("nothing found", file=sys.stderr)
    else:
        from sayso.export.moment_files import moments_as

        sys.stdout.write(moments_as(form, [hit.to_dict() for hit in hits], name))


def write_sheet(index: WarmIndex, hits: Sequence[Hit], path: Path) -> None:
    """Write a contact sheet of moments.

    Args:
        index: has the thumbnails.
        hits: the moments.
        path: of the PNG.

    Raises:
        UsageError: if it is not to be a PNG.
    """
    from sayso.core.io import write_atomic
    from sayso.export.contact_sheet import contact_sheet

    if path.suffix.lower() != ".png":
        raise UsageError(f"{path} is a contact sheet, which is a PNG; let it end in .png")
    thumbs = [index.thumbnail(hit.id) for hit in hits]
    write_atomic(path, contact_sheet([hit.to_dict() for hit in hits], thumbs))


def picture_lines(index: WarmIndex, hits: Sequence[Hit]) -> list[str]:
    """Return the lines of moments, each below its picture as the terminal shows it.

    Args:
        index: has the thumbnails.
        hits: the moments.
    """
    from sayso.cli.terminal_pictures import terminal_picture, terminal_protocol

    protocol = terminal_protocol(os.environ)
    lines = zip(hits, hit_lines(hits), strict=True)
    return [f"{terminal_picture(index.thumbnail(hit.id), protocol)}{line}" for hit, line in lines]

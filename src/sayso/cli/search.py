"""``sayso search``: find moments by typing."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

from typer import Argument, Option

from sayso.cli.moment_output import (
    Csv,
    Edl,
    Fcpxml,
    Otio,
    Sheet,
    Srt,
    Thumbs,
    chosen_format,
    picture_lines,
    print_moments,
    write_sheet,
)
from sayso.cli.options import Device, IndexAddress, Json, Paths0
from sayso.cli.output import dated_lines, hit_lines, print_found, print_paths
from sayso.index.sql import FILTERED

QUERY = (
    "What to look for, or - for one query a line on stdin. Sums work too: '2:dog + ./pool.jpg - night'; "
    "'near:48.8577,2.295,5km' says where."
)
LIKE = "A picture or clip to look for: x.jpg, talk.mp4@12.5."
FILTER = f"Conditions over {FILTERED}: = < > and or not in like contains between, is null."
AFTER = "Taken from the beginning of this year, month, day or time on: 2019, 2019-06-30, 2019-06-30T14:05."
Sorted = Annotated[
    Literal["score", "time"],
    Option("--sort", help="Best first, or the newest first of the 1,000 best; without a query always these."),
]
TextWeight = Annotated[
    float | None,
    Option(
        "--text-weight",
        min=0.0,
        max=1.0,
        help="Weight of words: 0 ranks by the pictures alone, 1 by the words alone.",
        show_default="0.5: both count in full",
    ),
]

NO_DAEMON = "Search in this process, and leave none behind that makes the next search fast."
NoDaemon = Annotated[bool, Option("--no-daemon", help=NO_DAEMON)]

MinScore = Annotated[
    float | None, Option("--min-score", min=0.0, max=1.0, help="Leave out what scores lower, from 0 to 1.")
]


def search(
    address: IndexAddress,
    query: Annotated[list[str] | None, Argument(help=QUERY)] = None,
    like: Annotated[str | None, Option("--like", help=LIKE)] = None,
    limit: Annotated[int, Option("--limit", "-n", min=1, help="How many moments.")] = 20,
    min_score: MinScore = None,
    filter_: Annotated[str | None, Option("--filter", "-f", help=FILTER)] = None,
    after: Annotated[str | None, Option("--after", metavar="TIME", help=AFTER)] = None,
    before: Annotated[
        str | None, Option("--before", metavar="TIME", help="Taken before the beginning of it.")
    ] = None,
    sort: Sorted = "score",
    text_weight: TextWeight = None,
    merge: Annotated[bool, Option(help="Merge the clips of a shot into one moment, fold copies.")] = True,
    by_file: Annotated[bool, Option("--by-file", help="Only the best moment of each file.")] = False,
    device: Device = "auto",
    paths: Annotated[bool, Option("--paths", help="Print only the files, for pipes.")] = False,
    paths0: Paths0 = False,
    as_json: Json = False,
    as_csv: Csv = False,
    as_srt: Srt = False,
    as_edl: Edl = False,
    as_fcpxml: Fcpxml = False,
    as_otio: Otio = False,
    sheet: Sheet = None,
    thumbs: Thumbs = False,
    no_daemon: NoDaemon = False,
) -> None:
    """Find the moments that fit, best first; without a query, list those that pass the filter.

    Edit lists are exact to the frame, at the rate of most of the videos; pictures are left out of them.
    Subtitles have the times of the video, or, if the moments are of several, those of the edit list.

    Scores are relevances from 0 to 1; below 0.5 stand guesses, after a line on stderr; --json says of each
    hit whether it is likely.

    Examples:

      sayso search my.index "hold a wine glass"

      sayso search my.index "2:dog + beach - night" --filter "kind = 'video' AND duration_s > 60"

      sayso search my.index --like talk.mp4@12.5 --json

      sayso search my.index 'who:ilsa playing piano'

      sayso search my.index "a boat near:48.8577,2.295,5km" --after 2019 --before 2020-06

      sayso search my.index "hold a wine glass" --edl --sheet glass.png > glass.edl
    """
    from sayso.serve.local.client import WarmIndex

    pictures = thumbs or sheet is not None
    collection = WarmIndex(address, device=device, daemon=not no_daemon, pictures=pictures)
    many = query == ["-"]
    given = {
        "json": as_json,
        "csv": as_csv,
        "srt": as_srt,
        "edl": as_edl,
        "fcpxml": as_fcpxml,
        "otio": as_otio,
    }
    printed = chosen_format(given, sheet, query or (), many=many)
    for text in filter(None, map(str.strip, sys.stdin)) if many else [" ".join(query or [])]:
        options: dict[str, Any] = {
            "like": like,
            "limit": limit,
            "min_score": min_score,
            "filter": filter_,
            "merge": merge,
            "by_file": by_file,
            "after": after,
            "before": before,
            "sort": sort,
        }
        hits = collection.search(text, text_weight=text_weight, **options)
        if sheet is not None:
            write_sheet(collection, hits, sheet)
        if printed is not None:
            print_moments(hits, printed, text, many=many)
        elif paths or paths0:
            print_paths(dict.fromkeys(hit.path for hit in hits), exact=paths0)
        else:
            in_time = sort == "time" or not (text.strip() or like)
            plain = dated_lines if in_time else hit_lines
            lines = (lambda some: picture_lines(collection, some)) if thumbs else plain
            print_found(hits, text if many else None, lines=lines)
        sys.stdout.flush()
    collection.leave_daemon()

"""``sayso search``: find moments by typing."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Argument, Option

from sayso.cli.options import Device, IndexAddress, Json
from sayso.cli.output import print_found, print_json

QUERY = "What to look for, or - for one query a line on stdin. Sums work too: '2:dog + ./pool.jpg - night'."
LIKE = "A picture or clip to look for: x.jpg, talk.mp4@12.5."
FILTER = "SQL over path, title, kind, duration_s, start_s, end_s, text, seen."
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
    text_weight: TextWeight = None,
    merge: Annotated[bool, Option(help="Merge the clips of a shot into one moment, fold copies.")] = True,
    by_file: Annotated[bool, Option("--by-file", help="Only the best moment of each file.")] = False,
    device: Device = "auto",
    paths: Annotated[bool, Option("--paths", help="Print only the files, for pipes.")] = False,
    as_json: Json = False,
) -> None:
    """Find the moments that fit, best first.

    Scores are relevances from 0 to 1; below 0.5 stand guesses, after a line on stderr.

    Examples:

      sayso search my.index "hold a wine glass"

      sayso search my.index "2:dog + beach - night" --filter "kind = 'video' AND duration_s > 60"

      sayso search my.index --like talk.mp4@12.5 --json

      sayso search my.index 'who:ilsa playing piano'
    """
    from sayso.index import Index

    collection = Index.open(address, create=False, device=device)
    many = query == ["-"]
    for text in filter(None, map(str.strip, sys.stdin)) if many else [" ".join(query or [])]:
        hits = collection.search(
            text,
            like=like,
            limit=limit,
            min_score=min_score,
            filter=filter_,
            text_weight=text_weight,
            merge=merge,
            by_file=by_file,
        )
        if as_json:
            print_json(*({"query": text, **hit.to_dict()} if many else hit.to_dict() for hit in hits))
        elif paths:
            print("\n".join(dict.fromkeys(hit.path for hit in hits)))
        else:
            print_found(hits, text if many else None)
        sys.stdout.flush()

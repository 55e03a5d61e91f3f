"""``sayso search``: find moments by typing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.options import Device, IndexAddress, Json

if TYPE_CHECKING:
    from sayso.index import Hit


def search(
    address: IndexAddress,
    query: Annotated[
        list[str] | None,
        typer.Argument(
            help="What to look for, or - for one query a line on stdin. "
            "Sums work too: '2:dog + ./pool.jpg - night'."
        ),
    ] = None,
    like: Annotated[
        str | None, typer.Option("--like", help="A picture or clip to look for: x.jpg, talk.mp4@12.5.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many moments.")] = 20,
    min_score: Annotated[
        float | None, typer.Option("--min-score", help="Leave out what scores lower.")
    ] = None,
    filter_: Annotated[
        str | None,
        typer.Option("--filter", "-f", help="SQL over path, title, kind, duration_s, start_s, end_s, text."),
    ] = None,
    text_weight: Annotated[
        float | None,
        typer.Option(
            "--text-weight",
            min=0.0,
            max=1.0,
            help="Weight of what is said: 0 ranks by the pictures alone, 1 by the text alone.",
            show_default="0.5 if the index holds text",
        ),
    ] = None,
    merge: Annotated[bool, typer.Option(help="Merge neighbouring clips of a video into one moment.")] = True,
    device: Device = "auto",
    paths: Annotated[bool, typer.Option("--paths", help="Print only the files, for pipes.")] = False,
    as_json: Json = False,
) -> None:
    """Find the moments that fit, best first.

    Examples:

      sayso search my.index "hold a wine glass"

      sayso search my.index "2:dog + beach - night" --filter "kind = 'video' AND duration_s > 60"

      sayso search my.index --like talk.mp4@12.5 --json

      sayso search my.index 'who:ilsa playing piano'
    """
    from sayso.index import Index

    collection = Index.open(address, create=False, device=device)
    many = query == ["-"]
    for text in _queries(query or []):
        hits = collection.search(
            text,
            like=like,
            limit=limit,
            min_score=min_score,
            filter=filter_,
            text_weight=text_weight,
            merge=merge,
        )
        if as_json:
            for hit in hits:
                print(
                    json.dumps(
                        {"query": text, **hit.to_dict()} if many else hit.to_dict(), ensure_ascii=False
                    )
                )
        elif paths:
            print("\n".join(dict.fromkeys(hit.path for hit in hits)))
        else:
            _print_table(hits, text if many else None)
        sys.stdout.flush()


def _queries(words: list[str]) -> Iterable[str]:
    if words == ["-"]:
        return (line.strip() for line in sys.stdin if line.strip())
    return [" ".join(words)]


def _print_table(hits: list[Hit], heading: str | None) -> None:
    """Print one moment a line: score, time, file, and what is said."""
    if heading is not None:
        print(f"# {heading}")
    for hit in hits:
        text = f"  “{hit.text[:60]}”" if hit.text else ""
        print(f"{hit.score:6.3f}  {time_of(hit):>13}  {hit.path}{text}")
    if not hits:
        print("nothing found", file=sys.stderr)


def time_of(hit: Hit) -> str:
    """Return where a hit lies in its file, for people."""
    if hit.kind == "picture":
        return "picture"
    return f"{clock_time(hit.start_s)}-{clock_time(hit.end_s)}"


def clock_time(seconds: float) -> str:
    """Return a time as people write it: 1:02:03, 2:03, 0:03.5."""
    whole, tenth = divmod(round(seconds * 10), 10)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
    return f"{text}.{tenth}" if tenth else text

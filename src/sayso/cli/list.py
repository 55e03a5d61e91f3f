"""``sayso list``: the files of an index."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from sayso.cli.options import IndexAddress, Json, Paths0

if TYPE_CHECKING:
    from sayso.index.inventory import Held

Below = Annotated[
    list[str] | None,
    Argument(metavar="PATH...", help="Only these files, or those in these folders.", show_default=False),
]
MISSING = "Only files that are not there now: gone, or on a drive that is not mounted."
FAILED = "Only files that could be read only in part."


def list_(
    address: IndexAddress,
    below: Below = None,
    missing: Annotated[bool, Option("--missing", help=MISSING)] = False,
    failed: Annotated[bool, Option("--failed", help=FAILED)] = False,
    paths: Annotated[bool, Option("--paths", help="Print only the files, for pipes.")] = False,
    paths0: Paths0 = False,
    as_json: Json = False,
) -> None:
    """List the files that an index holds: kind, length, moments and path.

    Examples:

      sayso list my.index ~/Videos/2019

      sayso list my.index --missing --paths
    """
    from sayso.cli.output import print_json, print_lines, print_paths
    from sayso.index import Index
    from sayso.index.inventory import list_held

    store = Index.open(address, create=False).store
    held = [
        one
        for one in list_held(store, below or ())
        if not (missing and one.exists) and not (failed and one.error is None)
    ]
    if as_json:
        print_json(*map(asdict, held))
    elif paths or paths0:
        print_paths((one.path for one in held), exact=paths0)
    else:
        print_lines(map(_line, held))


def _line(held: Held) -> str:
    from sayso.cli.output import clock_time

    length = "" if held.duration_s is None else clock_time(held.duration_s)
    error = f"  ({held.error.removeprefix(f'{held.path}: ')})" if held.error else ""
    gone = "" if held.exists else "  (not there now)"
    return f"{held.kind:7}  {length:>10}  {held.clips:>6,}  {held.path}{gone}{error}"

"""``sayso roots``: what an index is kept up to date with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sayso.cli.options import IndexAddress, Json

if TYPE_CHECKING:
    from sayso.index.inventory import HeldRoot


def roots(address: IndexAddress, as_json: Json = False) -> None:
    """List the folders, lists and files that an index was made of, and how their videos are cut.

    These are what sayso index brings up to date when no PATH is given, and what sayso watch
    watches. sayso index adds to them, sayso remove takes from them.

    Examples:

      sayso roots my.index

      sayso roots my.index --json
    """
    from sayso.cli.output import print_json, print_lines
    from sayso.index import Index
    from sayso.index.inventory import list_held_roots

    held = list_held_roots(Index.open(address, create=False).store)
    print_json(*(one.to_dict() for one in held)) if as_json else print_lines(map(_line, held))


def _line(held: HeldRoot) -> str:
    from sayso.core.counted import counted

    root = held.root
    cut = "one clip a caption" if root.by_caption else f"windows of {root.window_s:g} s"
    cut += ", key frames" if root.keys_only else ""
    facts = ("", "") if root.kind == "left out" else (counted(held.files, "file"), cut)
    gone = "" if held.exists or root.kind == "left out" else "  (not there now)"
    return f"{root.kind:8}  {facts[0]:>13}  {facts[1]:24}  {root.path}{gone}"

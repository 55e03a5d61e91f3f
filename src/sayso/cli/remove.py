"""``sayso remove``: take files out of an index."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from sayso.cli.options import IndexAddress, Json

Paths = Annotated[
    list[str],
    Argument(metavar="PATH...", help="Files, folders, or lists that were named.", show_default=False),
]


def remove(address: IndexAddress, paths: Paths, as_json: Json = False) -> None:
    r"""Take files out of an index; the files themselves stay where they are.

    What is taken out stays out when the folders around it are brought up to date, until
    sayso index names it again. A folder that was named is not looked at any more.

    Examples:

      sayso remove my.index ~/Videos/private

      sayso list my.index --missing --paths | xargs -d '\n' sayso remove my.index
    """
    from sayso.cli.output import end_with, print_json, print_lines
    from sayso.core.counted import counted
    from sayso.index import Index
    from sayso.index.inventory import remove_paths

    index = Index.open(address, create=False)
    counts = remove_paths(index.store, paths, lambda: index.encoder)
    if as_json:
        print_json(*({"path": path, "removed": count} for path, count in counts.items()))
    else:
        for path, count in counts.items():
            if count is not None:
                print_lines([f"{path}: {counted(count, 'file')} removed from {address}"])
    unknown = [f"{address} holds nothing of {path}" for path, count in counts.items() if count is None]
    end_with(unknown, done=len(unknown) < len(counts))

"""``sayso models``: what can be loaded, from where, how large, under which licence, and what is here."""

from __future__ import annotations

from sayso.cli.options import Json
from sayso.cli.output import print_json


def models(as_json: Json = False) -> None:
    """List the models: known by name, registered by packages, found in the hub's cache. Opens no connection.

    Any other hub id, and any folder that holds such a model, can be given as --model too.

    Examples:

      sayso models

      sayso models --json
    """
    from sayso.hub import list_models

    rows = list_models()
    if as_json:
        for row in rows:
            print_json(row.to_dict())
        return
    width = max(len(row.name) for row in rows)
    print(f"{'name':{width}}  {'size':>9}  {'dim':>4}  {'licence':18}  {'here':4}  what")
    for row in rows:
        here = "yes" if row.cached else "no"
        size = _megabytes(row.size_bytes)
        dim, licence = row.dim or ("?" if row.task == "embed" else "-"), row.licence or "?"
        print(f"{row.name:{width}}  {size:>9}  {dim:>4}  {licence:18}  {here:4}  {row.what}")


def _megabytes(size_bytes: int | None) -> str:
    return "?" if size_bytes is None else f"{size_bytes / 10**6:,.0f} MB"

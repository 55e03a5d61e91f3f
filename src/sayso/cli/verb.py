"""What every verb does around its work: it writes under its name, and its inputs are safe from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from typer.core import TyperCommand

from sayso.core.ownership import writing

OUTPUTS = frozenset({"out", "failures"})


class Verb(TyperCommand):
    """A verb of the command."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb; meanwhile files are written as its own."""
        given = (value for name, value in ctx.params.items() if name not in OUTPUTS)
        hint = "give another --out" if "out" in ctx.params else "give another file"
        hint += ", or add --overwrite" if "overwrite" in ctx.params else ""
        overwrite = bool(ctx.params.get("overwrite"))
        with writing(str(self.name), _files(given), overwrite=overwrite, hint=hint):
            return super().invoke(ctx)


def _files(values: Iterable[object]) -> Iterator[Path]:
    """Give the files among the values of arguments and options."""
    for value in values:
        if isinstance(value, list | tuple):
            yield from _files(value)
        elif isinstance(value, str | Path):
            with suppress(OSError, ValueError):  # a sentence may be too long for a name
                if (path := Path(value).expanduser()).is_file():
                    yield path

"""``sayso daemon``: what keeps models loaded so that searches answer at once."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from sayso.cli.options import Json
from sayso.cli.output import listener_line, print_json, print_lines

Stop = Annotated[bool, Option("--stop", help="End the daemons; sayso serve goes on.")]


def daemon(stop: Stop = False, as_json: Json = False) -> None:
    """List what keeps models loaded so that searches answer at once, or end it.

    A search leaves a daemon behind that answers the next ones and ends by itself after 5 minutes
    without one (SAYSO_DAEMON_MINUTES). 'sayso search --no-daemon' or SAYSO_NO_DAEMON=1 leaves none.
    'sayso serve' answers searches of its index too.

    Examples:

      sayso daemon

      sayso daemon --stop
    """
    from sayso.serve.local.start import listeners, stop_daemons

    found = stop_daemons() if stop else listeners()
    if as_json:
        print_json(*found)
    elif not found:
        print("no daemon is running")
    else:
        print_lines(listener_line(one) + ("; ended" if stop else "") for one in found)

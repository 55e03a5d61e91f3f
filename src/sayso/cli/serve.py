"""``sayso serve``: the web page."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

from typer import Argument, Option

from sayso.cli.options import Device, Model
from sayso.core.lazy import need

SERVED = "The indexes, searched together or one by one: folders, or s3://bucket/name."
Addresses = Annotated[list[str], Argument(metavar="INDEX...", help=SERVED, show_default=False)]
log = logging.getLogger(__name__)
HOST = "Address to listen on; 0.0.0.0 for other machines, with a token."
FREE = "8000, or the next free one"
Port = Annotated[int | None, Option("--port", "-p", min=1, max=65535, help="Port.", show_default=FREE)]
MADE_UP = "made up where others can reach the page"
TOKEN = Option("--token", help="What visitors must know.", show_default=MADE_UP)
OPEN = "Open the page in the browser (from a terminal)."
RUN = "A run of sayso train localize, which then answers the page's Where? for its classes."
ANSWERS = "The visual language model that answers the page's questions."
WHERE = Option("--where", metavar="RUN", help=RUN, show_default="the model of the index")


def serve(
    addresses: Addresses,
    host: Annotated[str, Option("--host", help=HOST)] = "127.0.0.1",
    port: Port = None,
    token: Annotated[str | None, TOKEN] = None,
    open_browser: Annotated[bool, Option("--open/--no-open", help=OPEN)] = True,
    where: Annotated[str | None, WHERE] = None,
    answers: Annotated[str, Option("--answers", metavar="MODEL", help=ANSWERS)] = "auto",
    model: Model = None,
    device: Device = "auto",
) -> None:
    """Search indexes in a web page; Ctrl-C ends it.

    The page is for this machine alone, unless --host says otherwise: then its address
    holds a token, and who does not know it sees nothing. Of several indexes, those that
    cannot be opened are named, and the others are served.

    Examples:

      sayso serve my.index

      sayso serve films.index photos.index s3://bucket/old.index

      sayso serve my.index --host 0.0.0.0 --port 9000

      sayso serve my.index --where runs/where
    """
    need("fastapi", "serve")
    from sayso.serve import serve as run
    from sayso.serve.collections import open_collections
    from sayso.serve.heat_map import load_localizer

    def ready(url: str) -> None:
        print(url, flush=True)
        if open_browser and sys.stdout.isatty():
            import webbrowser

            webbrowser.open(url)

    indexes, unopened = open_collections(addresses, model, device=device)
    for name, sentence in unopened.items():
        log.warning("%s is not served: %s", name, sentence)
    localizer = load_localizer(where, device) if where else None
    run(indexes, host, port, token, unopened=unopened, localizer=localizer, answers=answers, ready=ready)

"""``sayso serve``: the web page."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Option

from sayso.cli.options import Device, IndexAddress, Model

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
    address: IndexAddress,
    host: Annotated[str, Option("--host", help=HOST)] = "127.0.0.1",
    port: Port = None,
    token: Annotated[str | None, TOKEN] = None,
    open_browser: Annotated[bool, Option("--open/--no-open", help=OPEN)] = True,
    where: Annotated[str | None, WHERE] = None,
    answers: Annotated[str, Option("--answers", metavar="MODEL", help=ANSWERS)] = "auto",
    model: Model = None,
    device: Device = "auto",
) -> None:
    """Search an index in a web page; Ctrl-C ends it.

    The page is for this machine alone, unless --host says otherwise: then its address
    holds a token, and who does not know it sees nothing.

    Examples:

      sayso serve my.index

      sayso serve my.index --host 0.0.0.0 --port 9000

      sayso serve my.index --where runs/where
    """
    from sayso.index import Index
    from sayso.serve import serve as run
    from sayso.serve.heat_map import load_localizer

    def ready(url: str) -> None:
        print(url, flush=True)
        if open_browser and sys.stdout.isatty():
            import webbrowser

            webbrowser.open(url)

    index = Index.open(address, model, create=False, device=device)
    index.info()  # raises if it is not readable
    localizer = load_localizer(where, device) if where else None
    run(index, host, port, token, localizer=localizer, answers=answers, ready=ready)

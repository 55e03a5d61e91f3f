"""The command ``sayso`` and what all its verbs share: how errors end it.

Exit codes: 0 all done; 1 an error, in one sentence; 2 wrong usage; 3 done,
but some items failed (they are listed); 4 a package or a model is not at hand;
130 interrupted (what was done is kept; the same command goes on).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated, Any

import typer

from sayso.cli.boundary import INTERRUPT, end_of
from sayso.cli.exit_codes import INTERRUPTED, USAGE
from sayso.cli.verb import Verb, Verbs
from sayso.core.panic import is_panic
from sayso.core.progress import show_log
from sayso.core.user_config import has_user_config
from sayso.version import __version__

VERBS = (
    *("index", "search", "info", "list", "remove", "roots", "watch", "clip", "serve", "ask", "caption"),
    *("transcribe", "classify", "align", "name", "steps", "localize", "demo", "corpus", "curate", "train"),
    *("evaluate", "models", "pull", "convert", "toyworld", "sample", "lecture", "config", "doctor", "daemon"),
)


def command(verbs: Iterable[str] = VERBS) -> typer.Typer:
    """Return the command with some of its verbs, each in a file of its name: a function, or stages.

    Args:
        verbs: by name; all are needed where a person's own defaults are read, which may be of any.
    """
    made = typer.Typer(
        name="sayso",
        cls=Verbs,
        help="Find the moment in your own videos and pictures by typing, "
        "and learn to see from what people say.",
        epilog="Exit codes: 0 done, 1 error, 2 usage, 3 done but some items failed, "
        "4 a package or model is missing, 130 interrupted.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(options)
    for verb in verbs:
        module = import_module(f"sayso.cli.{verb}")
        run = getattr(module, verb, None) or getattr(module, f"{verb}_")
        if isinstance(run, typer.Typer):
            made.add_typer(run, name=verb)
        else:
            made.command(verb, cls=Verb)(run)
    return made


Verbs.whole = staticmethod(lambda: typer.main.get_command(command()))


def __getattr__(name: str) -> Any:
    """Give ``app``, the command with all verbs, which a run for one of them does not make."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()["app"] = command()
    return globals()["app"]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sayso {__version__}")
        raise typer.Exit


def options(
    version: Annotated[  # noqa: ARG001  handled by its callback
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Open no connection; the same as SAYSO_OFFLINE=1.")
    ] = False,
    no_verify: Annotated[
        bool,
        typer.Option(
            "--no-verify", help="Load models without checking their reference outputs; as SAYSO_NO_VERIFY=1."
        ),
    ] = False,
) -> None:
    """Take the options that stand before a verb."""
    show_log()
    if offline:
        os.environ["SAYSO_OFFLINE"] = "1"
    if no_verify:
        os.environ["SAYSO_NO_VERIFY"] = "1"


def main() -> None:
    """Run the command; errors a person can cause become one sentence and an exit code."""
    _refuse_a_shell(sys.argv[1:])
    wanted = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    try:
        command([wanted] if wanted in VERBS and not has_user_config() else VERBS)()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            print(f"sayso: {INTERRUPT}", file=sys.stderr)
        raise
    except BaseException as error:
        if not isinstance(error, Exception | KeyboardInterrupt) and not is_panic(error):
            raise
        sys.exit(end_of(error))


def _refuse_a_shell(arguments: list[str]) -> None:
    """End where completion is asked for a named shell: it would touch the files of the one that runs."""
    asked = [one for one in arguments if one in ("--install-completion", "--show-completion")]
    if asked and len(arguments) > 1:
        other = next((one for one in arguments if one not in asked), asked[-1])
        print(f"sayso: {asked[0]} is for the shell that runs it, and takes no {other!r}", file=sys.stderr)
        sys.exit(USAGE)

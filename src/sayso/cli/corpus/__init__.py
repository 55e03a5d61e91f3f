"""``sayso corpus``: from a list of task titles to a corpus of narrated videos; one file a stage."""

from __future__ import annotations

import typer

from sayso.cli.corpus.tasks import tasks
from sayso.cli.verb import Stages, Verb

corpus = typer.Typer(
    cls=Stages,
    help="Make a corpus of narrated videos from a list of task titles, or from any list of videos.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for stage in (tasks,):
    corpus.command(cls=Verb)(stage)

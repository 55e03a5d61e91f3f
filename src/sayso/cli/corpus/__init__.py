"""``sayso corpus``: from a list of task titles to a corpus of narrated videos; one file a stage."""

from __future__ import annotations

import typer

from sayso.cli.corpus.build import build
from sayso.cli.corpus.captions import captions
from sayso.cli.corpus.estimate import estimate
from sayso.cli.corpus.fetch import fetch_
from sayso.cli.corpus.find import find
from sayso.cli.corpus.run import run
from sayso.cli.corpus.status import status
from sayso.cli.corpus.tasks import tasks_
from sayso.cli.verb import Stages, Verb

corpus = typer.Typer(
    cls=Stages,
    help="Make a corpus of narrated videos from a list of task titles, or from any list of videos.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for stage in (run, tasks_, find, captions, fetch_, build, status, estimate):
    corpus.command(stage.__name__.rstrip("_"), cls=Verb)(stage)

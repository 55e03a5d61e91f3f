"""``sayso corpus find``: search for videos of each task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument

from sayso.cli.corpus.stage_options import (
    AtOnce,
    Language,
    MaxSeconds,
    MinViews,
    PerHost,
    Retry,
    SourceNames,
    Top,
    Wait,
    manners,
    one_source,
    run_stage,
)
from sayso.cli.options import Json, Overwrite, ProgressMode, out_option

TASKS = "What 'sayso corpus tasks' wrote; without it, all videos that --source lists are taken."


def find(
    tasks: Annotated[Path | None, Argument(metavar="[TASKS]", help=TASKS, show_default=False)] = None,
    *,
    out: Annotated[Path, out_option("FOLDER", "The corpus.")],
    source: SourceNames = None,
    top: Top = 200,
    min_views: MinViews = 100,
    max_s: MaxSeconds = 2000,
    language: Language = "en",
    retry: Retry = None,
    per_host: PerHost = "1/s",
    at_once: AtOnce = 4,
    wait: Wait = 1.0,
    progress: ProgressMode = "auto",
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Search for videos of the tasks that can be seen, and say which of them count.

    A video that several tasks find is kept once. What a site does not say is no reason to reject it.

    Examples:

      sayso corpus find tasks.csv --out CORPUS --source youtube

      sayso corpus find tasks.csv --out CORPUS --source "https://videos.example/search?q={query}"
    """
    from sayso.systems.corpus import (
        CorpusOptions,
        FindRules,
        open_source,
        take_tasks,
    )

    options = CorpusOptions(
        rules=FindRules(top=top, min_views=min_views, max_s=max_s, language=language),
        retry=retry,
        manners=manners(per_host, at_once, wait),
    )
    named = one_source(source)
    if tasks is not None:
        take_tasks(tasks, out)
    run_stage(
        out,
        options,
        lambda corpus: corpus.find(open_source(named, corpus.limits, listed=not corpus.has_tasks), named),
        named=("searching", "tasks"),
        progress=progress,
        as_json=as_json,
        create=True,
    )

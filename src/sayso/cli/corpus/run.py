"""``sayso corpus run``: all stages, one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument

from sayso.cli.corpus.stage_options import (
    AtOnce,
    Corrections,
    Form,
    Height,
    Language,
    MaxSeconds,
    MinViews,
    MinWords,
    Only,
    PerHost,
    Retry,
    SourceNames,
    Threshold,
    To,
    Top,
    Wait,
    manners,
    one_source,
    print_funnel,
)
from sayso.cli.options import (
    ClusterAddress,
    EngineName,
    Json,
    Overwrite,
    ProgressMode,
    check_cluster,
    out_option,
)
from sayso.core.progress import reporter

TITLES = "Titles of tasks, one a line, or a CSV; without them, all videos that --source lists are taken."


def run(
    titles: Annotated[Path | None, Argument(metavar="[TITLES]", help=TITLES, show_default=False)] = None,
    *,
    out: Annotated[Path, out_option("FOLDER", "The corpus.")],
    source: SourceNames = None,
    threshold: Threshold = 0.5,
    corrections: Corrections = None,
    top: Top = 200,
    min_views: MinViews = 100,
    max_s: MaxSeconds = 2000,
    language: Language = "en",
    min_words: MinWords = 100,
    height: Height = 360,
    to: To = None,
    only: Only = None,
    form: Form = "release",
    retry: Retry = None,
    per_host: PerHost = "1/s",
    at_once: AtOnce = 4,
    wait: Wait = 1.0,
    engine: EngineName = "here",
    cluster: ClusterAddress = None,
    progress: ProgressMode = "auto",
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Make a corpus of narrated videos, and say what is left after each stage; run it again to go on.

    Titles of tasks that can be seen are searched for; of what is found, captions come before videos, and what
    has words enough is fetched once and written as 'sayso train' reads it. You are responsible for the terms
    of the sites: no limit is evaded, no cookie is read. With --engine ray the videos are fetched on a
    cluster, whose workers together keep to the same limits; the rest, which is small, is done here.

    Examples:

      sayso corpus run titles.txt --out CORPUS

      sayso corpus run --source videos.csv --out CORPUS --only captions

      sayso corpus run titles.txt --out CORPUS --retry failed

      sayso corpus run titles.txt --out CORPUS --engine ray --address auto
    """
    from sayso.systems.corpus import CorpusOptions, FindRules, read_corrections, read_titles, run_corpus

    check_cluster(engine, cluster)
    options = CorpusOptions(
        rules=FindRules(top=top, min_views=min_views, max_s=max_s, language=language),
        min_words=min_words,
        height=height,
        to=to,
        only=only,
        form=form,
        retry=retry,
        manners=manners(per_host, at_once, wait),
        engine=engine,
        cluster=cluster,
    )
    listed = read_titles(titles) if titles else None
    said = read_corrections(corrections) if corrections else {}
    with reporter("corpus", unit="done", mode=progress) as bar:
        funnel = run_corpus(
            listed, out, one_source(source), options, threshold=threshold, corrections=said, progress=bar
        )
    print_funnel(funnel, as_json=as_json)

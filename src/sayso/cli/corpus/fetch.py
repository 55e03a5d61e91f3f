"""``sayso corpus fetch``: the videos, each once."""

from __future__ import annotations

from sayso.cli.corpus.stage_options import (
    AtOnce,
    CorpusFolder,
    Height,
    PerHost,
    Retry,
    To,
    Wait,
    manners,
    run_stage,
)
from sayso.cli.options import Json, ProgressMode


def fetch_(
    folder: CorpusFolder,
    height: Height = 360,
    to: To = None,
    retry: Retry = None,
    per_host: PerHost = "1/s",
    at_once: AtOnce = 4,
    wait: Wait = 1.0,
    progress: ProgressMode = "auto",
    as_json: Json = False,
) -> None:
    """Fetch the videos that have captions or are silent; what is there already is not asked for again.

    What is not there or private is given up at once, the rest after 5 attempts. Where a host asks to wait, it
    is waited for, in the next run too.

    Examples:

      sayso corpus fetch CORPUS --per-host 30/min

      sayso corpus fetch CORPUS --to s3://bucket/videos
    """
    from sayso.systems.corpus import CorpusOptions, OpenCorpus

    options = CorpusOptions(height=height, to=to, retry=retry, manners=manners(per_host, at_once, wait))
    run_stage(
        folder, options, OpenCorpus.fetch, named=("fetching", "videos"), progress=progress, as_json=as_json
    )

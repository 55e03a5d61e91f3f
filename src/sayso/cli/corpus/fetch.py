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
from sayso.cli.options import ClusterAddress, EngineName, Json, ProgressMode, check_cluster


def fetch_(
    folder: CorpusFolder,
    height: Height = 360,
    to: To = None,
    retry: Retry = None,
    per_host: PerHost = "1/s",
    at_once: AtOnce = 4,
    wait: Wait = 1.0,
    engine: EngineName = "here",
    cluster: ClusterAddress = None,
    progress: ProgressMode = "auto",
    as_json: Json = False,
) -> None:
    """Fetch the videos that have captions or are silent; what is there already is not asked for again.

    What is not there or private is given up at once, the rest after 5 attempts. Where a host asks to wait, it
    is waited for, in the next run too. On a cluster all workers together keep to the same limits.

    Examples:

      sayso corpus fetch CORPUS --per-host 30/min

      sayso corpus fetch CORPUS --to s3://bucket/videos

      sayso corpus fetch CORPUS --engine ray --address auto
    """
    from sayso.systems.corpus import CorpusOptions, OpenCorpus

    check_cluster(engine, cluster)
    asked = manners(per_host, at_once, wait)
    options = CorpusOptions(height=height, to=to, retry=retry, manners=asked, engine=engine, cluster=cluster)
    run_stage(
        folder, options, OpenCorpus.fetch, named=("fetching", "videos"), progress=progress, as_json=as_json
    )

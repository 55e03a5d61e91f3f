"""``sayso corpus captions``: the captions of what was found, before any video is fetched."""

from __future__ import annotations

from sayso.cli.corpus.stage_options import (
    AtOnce,
    CorpusFolder,
    Language,
    MinWords,
    PerHost,
    Retry,
    To,
    Wait,
    manners,
    run_stage,
)
from sayso.cli.options import Json, ProgressMode


def captions(
    folder: CorpusFolder,
    language: Language = "en",
    min_words: MinWords = 100,
    to: To = None,
    retry: Retry = None,
    per_host: PerHost = "1/s",
    at_once: AtOnce = 4,
    wait: Wait = 1.0,
    progress: ProgressMode = "auto",
    as_json: Json = False,
) -> None:
    """Get the captions of the videos that were found: those of people before automatic ones.

    A video without any captions is silent: it is fetched, and 'sayso transcribe' writes its captions.

    Example:

      sayso corpus captions CORPUS
    """
    from sayso.systems.corpus import CorpusOptions, FindRules, OpenCorpus

    options = CorpusOptions(
        rules=FindRules(language=language),
        min_words=min_words,
        to=to,
        retry=retry,
        manners=manners(per_host, at_once, wait),
    )
    run_stage(
        folder,
        options,
        OpenCorpus.read_captions,
        named=("captions", "videos"),
        progress=progress,
        as_json=as_json,
    )

"""A corpus of narrated videos from a list of task titles, stage by stage.

Titles -> tasks that can be seen -> videos -> captions -> files -> pairs of clips and captions:

    tasks.py       which titles are about something that can be seen
    find.py        videos of each task, from a source: catalogue.py, site_search.py, youtube.py
    captions.py    before any video is fetched; what has none is silent
    fetch.py       each video once, within the limits of its host (limits.py, web.py)
    build.py       what training reads
    pipeline.py    all of them, from what they begin with (inputs.py), in a folder whose ledger (ledger.py,
                   state.py) outlives kills

Source
    Miech et al., ICCV 2019, section 3: 120,000 titles of WikiHow, 23,611 tasks that can be seen, 1.22 M
    videos, 136 M clips. https://arxiv.org/abs/1906.03327
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.systems.corpus.build import BuildPlan, build_corpus
    from sayso.systems.corpus.captions import CaptionPlan, caption_videos
    from sayso.systems.corpus.fetch import FetchPlan, fetch_videos
    from sayso.systems.corpus.find import FindRules, find_videos
    from sayso.systems.corpus.funnel import Funnel, read_funnel
    from sayso.systems.corpus.inputs import open_source, take_tasks
    from sayso.systems.corpus.ledger import Ledger, LedgerRow
    from sayso.systems.corpus.limits import HostLimits, Manners
    from sayso.systems.corpus.pipeline import (
        CorpusOptions,
        OpenCorpus,
        corpus_status,
        open_corpus,
        run_corpus,
    )
    from sayso.systems.corpus.source import CaptionTrack, Found, SearchSource
    from sayso.systems.corpus.state import CorpusState, Waiting
    from sayso.systems.corpus.tasks import Task, read_corrections, read_titles, score_tasks, write_tasks
else:
    __getattr__ = exports(
        __name__,
        {
            "BuildPlan": "sayso.systems.corpus.build",
            "CaptionPlan": "sayso.systems.corpus.captions",
            "CaptionTrack": "sayso.systems.corpus.source",
            "CorpusOptions": "sayso.systems.corpus.pipeline",
            "CorpusState": "sayso.systems.corpus.state",
            "FetchPlan": "sayso.systems.corpus.fetch",
            "FindRules": "sayso.systems.corpus.find",
            "Found": "sayso.systems.corpus.source",
            "Funnel": "sayso.systems.corpus.funnel",
            "HostLimits": "sayso.systems.corpus.limits",
            "Ledger": "sayso.systems.corpus.ledger",
            "LedgerRow": "sayso.systems.corpus.ledger",
            "Manners": "sayso.systems.corpus.limits",
            "OpenCorpus": "sayso.systems.corpus.pipeline",
            "SearchSource": "sayso.systems.corpus.source",
            "Task": "sayso.systems.corpus.tasks",
            "Waiting": "sayso.systems.corpus.state",
            "build_corpus": "sayso.systems.corpus.build",
            "caption_videos": "sayso.systems.corpus.captions",
            "corpus_status": "sayso.systems.corpus.pipeline",
            "fetch_videos": "sayso.systems.corpus.fetch",
            "find_videos": "sayso.systems.corpus.find",
            "open_corpus": "sayso.systems.corpus.pipeline",
            "open_source": "sayso.systems.corpus.inputs",
            "read_corrections": "sayso.systems.corpus.tasks",
            "read_funnel": "sayso.systems.corpus.funnel",
            "read_titles": "sayso.systems.corpus.tasks",
            "run_corpus": "sayso.systems.corpus.pipeline",
            "score_tasks": "sayso.systems.corpus.tasks",
            "take_tasks": "sayso.systems.corpus.inputs",
            "write_tasks": "sayso.systems.corpus.tasks",
        },
    )

__all__ = [
    "BuildPlan",
    "CaptionPlan",
    "CaptionTrack",
    "CorpusOptions",
    "CorpusState",
    "FetchPlan",
    "FindRules",
    "Found",
    "Funnel",
    "HostLimits",
    "Ledger",
    "LedgerRow",
    "Manners",
    "OpenCorpus",
    "SearchSource",
    "Task",
    "Waiting",
    "build_corpus",
    "caption_videos",
    "corpus_status",
    "fetch_videos",
    "find_videos",
    "open_corpus",
    "open_source",
    "read_corrections",
    "read_funnel",
    "read_titles",
    "run_corpus",
    "score_tasks",
    "take_tasks",
    "write_tasks",
]

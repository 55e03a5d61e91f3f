"""``sayso corpus status``: the funnel of a corpus."""

from __future__ import annotations

from sayso.cli.corpus.stage_options import CorpusFolder, print_funnel
from sayso.cli.options import Json


def status(folder: CorpusFolder, as_json: Json = False) -> None:
    """Say how many titles, videos and clips are left after each stage, and why not more.

    Example:

      sayso corpus status CORPUS --json
    """
    from sayso.systems.corpus import corpus_status

    print_funnel(corpus_status(folder), as_json=as_json, ends=False)

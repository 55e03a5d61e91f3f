"""``sayso corpus build``: pairs of clips and captions, as training reads them."""

from __future__ import annotations

from sayso.cli.corpus.stage_options import CorpusFolder, Form, MinWords, Only, To, run_stage
from sayso.cli.options import Json, Overwrite, ProgressMode


def build(
    folder: CorpusFolder,
    form: Form = "release",
    only: Only = None,
    min_words: MinWords = 100,
    to: To = None,
    progress: ProgressMode = "auto",
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Write the corpus as training reads it, or as ids alone, which may be published.

    Silent videos count as soon as 'sayso transcribe CORPUS/videos' has written their captions.

    Examples:

      sayso corpus build CORPUS && sayso train howto100m CORPUS --out RUN

      sayso corpus build CORPUS --form ids
    """
    from sayso.systems.corpus import CorpusOptions, OpenCorpus

    options = CorpusOptions(form=form, only=only, min_words=min_words, to=to)
    run_stage(
        folder,
        options,
        OpenCorpus.build,
        named=("building", "videos"),
        progress=progress,
        as_json=as_json,
        ends=False,
    )

"""Options that several stages of ``sayso corpus`` take, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Argument, BadParameter, Option

from sayso.cli.options import ProgressMode
from sayso.cli.output import end_with, print_json, print_lines
from sayso.core.progress import reporter

if TYPE_CHECKING:
    from sayso.systems.corpus import CorpusOptions, OpenCorpus
    from sayso.systems.corpus.funnel import Funnel
    from sayso.systems.corpus.limits import Manners

CorpusFolder = Annotated[Path, Argument(metavar="CORPUS", help="The corpus's folder.", show_default=False)]
SOURCE = "Where to search: youtube; a CSV, JSONL or Parquet file of videos; a site's address with {query}."
SourceNames = Annotated[list[str] | None, Option("--source", help=SOURCE, show_default="youtube")]
Threshold = Annotated[float, Option("--threshold", min=0, max=1, help="Keep tasks from this score.")]
CORRECTIONS = "A CSV with the columns title and visual (1 or 0), such as an edited OUT: what it says wins."
Corrections = Annotated[Path | None, Option("--corrections", help=CORRECTIONS, show_default=False)]
Top = Annotated[int, Option("--top", min=1, help="Results of a search that are looked at.")]
MinViews = Annotated[int, Option("--min-views", min=0, help="Views that a video has at least.")]
MaxSeconds = Annotated[float, Option("--max-s", min=0, help="Seconds that a video lasts at most.")]
Language = Annotated[str, Option("--language", help="What is spoken, as en or pt.")]
MinWords = Annotated[int, Option("--min-words", min=0, help="Words that captions have at least.")]
Height = Annotated[int, Option("--height", min=1, help="Pixels of the videos, at most.")]
TO = "Where videos go: a folder, or s3://bucket/name."
To = Annotated[str | None, Option("--to", help=TO, show_default="CORPUS/videos")]
ONLY = "captions: no video is fetched, and those with captions count."
Only = Annotated[Literal["captions"] | None, Option("--only", help=ONLY, show_default=False)]
FORM = "release: HowTo100M's files; shards: WebDataset; ids: what may be published."
Form = Annotated[Literal["release", "shards", "ids"], Option("--form", help=FORM)]
RETRY = "Try again what failed, or what was gone."
Retry = Annotated[Literal["failed", "gone"] | None, Option("--retry", help=RETRY, show_default=False)]
PER_HOST = "Requests to one host, as 1/s, 30/min or 1000/h."
PerHost = Annotated[str, Option("--per-host", metavar="N/s", help=PER_HOST)]
AtOnce = Annotated[int, Option("--at-once", min=1, help="Requests at the same time, at most.")]
WAIT = "First wait after 429, 503 or a failure, seconds; doubled each time."
Wait = Annotated[float, Option("--wait", min=0, help=WAIT)]
_SECONDS = {"s": 1, "min": 60, "h": 3600}


def one_source(named: list[str] | None) -> str:
    """Return the source that was named, ``youtube`` if none was.

    Raises:
        BadParameter: if there are several.
    """
    if named and len(named) > 1:
        raise BadParameter(
            f"one at a time; run it again with --source {named[1]}: it adds to the corpus",
            param_hint="--source",
        )
    return named[0] if named else "youtube"


def manners(per_host: str, at_once: int, wait: float) -> Manners:
    """Return how a site is asked.

    Args:
        per_host: such as ``1/s``.
        at_once: requests at the same time.
        wait: seconds, the first after a failure.
    """
    from sayso.systems.corpus.limits import Manners

    return Manners(per_host=requests_a_second(per_host), at_once=at_once, wait_s=wait)


def requests_a_second(said: str) -> float:
    """Return a rate such as ``30/min`` a second.

    Raises:
        BadParameter: if it is none.
    """
    number, _, unit = said.replace(" ", "").partition("/")
    try:
        rate = float(number) / _SECONDS[unit or "s"]
    except (ValueError, KeyError):
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise BadParameter(f"{said!r} is no rate; write requests a time, such as 1/s or 30/min")
    return rate


def run_stage(
    folder: Path,
    options: CorpusOptions,
    stage: Callable[[OpenCorpus], None],
    *,
    named: tuple[str, str],
    progress: ProgressMode,
    as_json: bool,
    create: bool = False,
    ends: bool = True,
) -> None:
    """Run one stage of a corpus with its progress, and print the funnel.

    Args:
        folder: of the corpus.
        options: of all stages.
        stage: which.
        named: what the progress is called, and what it counts.
        progress: its form.
        as_json: whether the funnel is printed so.
        create: whether the corpus may be new.
        ends: see ``print_funnel``.
    """
    from sayso.systems.corpus import open_corpus, read_funnel

    name, unit = named
    with (
        reporter(name, unit=unit, mode=progress) as bar,
        open_corpus(folder, options, create=create, progress=bar) as corpus,
    ):
        stage(corpus)
        funnel = read_funnel(corpus.state)
    print_funnel(funnel, as_json=as_json, ends=ends)


def print_funnel(funnel: Funnel, *, as_json: bool, ends: bool = True) -> None:
    """Print the funnel; where videos failed, and that ends the command, exit with 3."""
    print_json(funnel.to_dict()) if as_json else print_lines(funnel.lines())
    if ends:
        end_with(funnel.failure_lines())

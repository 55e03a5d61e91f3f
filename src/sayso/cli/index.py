"""``sayso index``: make a collection searchable, or bring it up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Argument, BadParameter, Option

from sayso.cli.index_health import end_with_health
from sayso.cli.options import (
    ClusterAddress,
    Device,
    EngineName,
    IndexAddress,
    Json,
    Model,
    Overwrite,
    ProgressMode,
    check_cluster,
)
from sayso.cli.output import (
    anything_added,
    end_with,
    failure_lines,
    print_json,
    print_lines,
    print_notes,
    report_counts,
    report_line,
)
from sayso.cli.transcribe import spoken_line
from sayso.core.ownership import refuse_foreign, writing
from sayso.core.progress import Mode, reporter

if TYPE_CHECKING:
    from sayso.index import AddReport, Index
    from sayso.transcribing import TranscribeReport

PATHS = (
    "Files, folders, manifests (.csv, .jsonl, .parquet), - for a list on stdin; by default those of before."
)
Paths = Annotated[list[str] | None, Argument(metavar="PATH...", help=PATHS, show_default=False)]
Window = Annotated[
    float | None,
    Option(
        "--window",
        min=0.1,
        help="Length of the clips a video is cut into, seconds.",
        show_default="as before; at first 4",
    ),
]
Segments = Annotated[
    Literal["window", "caption"] | None,
    Option(
        "--segments",
        help="Cut videos into windows, or one clip a caption.",
        show_default="as before; at first window",
    ),
]
Sample = Annotated[
    Literal["all", "keyframes"] | None,
    Option(
        "--sample",
        help="Decode all of a video, or its key frames alone: many times faster, times a little coarser.",
        show_default="as before; at first all",
    ),
]
KeptThumbs = Annotated[
    Literal["clip", "video", "none"] | None,
    Option(
        "--thumbs",
        help="Keep a picture of each clip, of each video, or none: made of the files when they are shown.",
        show_default="as before; at first clip",
    ),
]
PRUNE = "Remove files that have vanished from the folders; with --repair: give up what is lost and gone."
Failures = Annotated[
    Path | None, Option("--failures", help="Where failures are listed.", show_default="INDEX/failures.jsonl")
]
Listen = Annotated[
    bool,
    Option("--listen", help="First write captions of what is said where there are none: sayso transcribe."),
]
UpgradeModel = Annotated[
    str | None,
    Option(
        "--upgrade-model",
        metavar="MODEL",
        help="Embed all of it anew with another model; until that is done the old one answers.",
    ),
]
Workers = Annotated[
    int | None, Option("--workers", min=1, help="Decoding threads.", show_default="one a core")
]


def index(
    address: IndexAddress,
    paths: Paths = None,
    model: Model = None,
    window: Window = None,
    segments: Segments = None,
    sample: Sample = None,
    thumbs: KeptThumbs = None,
    prune: Annotated[bool, Option("--prune", help=PRUNE)] = False,
    listen: Listen = False,
    upgrade_model: UpgradeModel = None,
    failures: Failures = None,
    workers: Workers = None,
    paths0: Annotated[
        bool, Option("--paths0", help="In the list on stdin a NUL ends each name: find -print0.")
    ] = False,
    check: Annotated[
        bool, Option("--check", help="Only look whether every file of the index is whole.")
    ] = False,
    repair: Annotated[
        bool, Option("--repair", help="Make a damaged index whole; what is lost is read again.")
    ] = False,
    engine: EngineName = "here",
    cluster: ClusterAddress = None,
    device: Device = "auto",
    progress: ProgressMode = "auto",
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Make videos and pictures searchable; run it again to bring the index up to date.

    The index remembers what was named and how it is cut, so that INDEX alone brings all of it up
    to date. Files that did not change are not read again. What cannot be read is listed in
    failures.jsonl (which can be given as a PATH to try again), and the exit code is 3; it is 1
    where nothing at all could be read.

    Examples:

      sayso index my.index ~/Videos ~/Pictures

      sayso index my.index

      sayso index my.index --upgrade-model google/siglip2-base-patch16-224

      find . -name '*.mp4' | sayso index my.index -
    """
    from sayso.data.sources import paths_named
    from sayso.index import Index as Collection
    from sayso.index.adding import Adding
    from sayso.index.roots import remembered_paths
    from sayso.index.store import Store

    if check or repair:
        if paths or (check and repair):
            raise BadParameter("one of the two, and INDEX alone", param_hint="--check, --repair")
        again = Adding(prune=prune, workers=workers)
        end_with_health(address, again, repair=repair, device=device, mode=progress, as_json=as_json)
        return
    if paths0:
        paths = _names0(paths)
    if address == "-" or not (paths or Store(address).exists):
        swapped = address == "-" or Path(address).exists()
        name, what = ("my.index", address) if swapped else (address, "~/Videos")
        raise BadParameter(
            f"the index comes first, then what to add, such as: sayso index {name} {what}",
            param_hint="INDEX PATH...",
        )
    if upgrade_model and (paths or model or window or segments or sample or thumbs or listen):
        raise BadParameter("it takes all that the index holds, as it is cut", param_hint="--upgrade-model")
    check_cluster(engine, cluster)
    if upgrade_model and engine != "here":
        raise BadParameter("the model is changed here", param_hint="--engine")
    if not paths and (window or segments or sample or thumbs):
        raise BadParameter(
            f"say for which folder: sayso index {address} FOLDER ...; sayso roots {address} lists them",
            param_hint="--window, --segments, --sample, --thumbs",
        )
    collection = Collection.open(address, model, device=device)
    if listed := failures or collection.store.failures_file:
        refuse_foreign(listed, of_input=True)
    heard = None
    if listen:
        paths = list(paths_named(paths)) if paths else remembered_paths(collection.store)
        heard = _listened(paths, device, engine, cluster, progress)
        if not as_json:
            print_lines([spoken_line(heard)])
    how: dict[str, Any] = {"prune": prune, "workers": workers}
    cut: dict[str, Any] = {
        "by_caption": None if segments is None else segments == "caption",
        "keys_only": None if sample is None else sample == "keyframes",
        "thumbs": thumbs,
    }
    with reporter("embedding anew" if upgrade_model else "indexing", mode=progress) as bar:
        if upgrade_model:
            report = collection.upgrade(upgrade_model, **how, progress=bar)
        else:
            how |= {"engine": engine, "cluster": cluster}
            report = collection.add(*(paths or ()), window_s=window, **cut, **how, progress=bar)
    failed = {failure.path for failure in report.failures}
    report.failures += [one for one in heard.failures if one.path not in failed] if heard else []
    counts, failed_now = report_counts(report), len(report.failures)
    line = report_line(address, counts, collection.model, failed=failed_now, anew=bool(upgrade_model))
    _end(collection, report, failures, heard, None if as_json else line)


def _names0(lists: list[str] | None) -> list[str]:
    """Return the names in lists whose names end with NUL, such as the one on stdin."""
    from sayso.data.sources import paths_named

    named = list(paths_named(lists or ["-"], zero=True))
    if not named:
        raise BadParameter("the list names nothing", param_hint="--paths0")
    return named


def _end(
    collection: Index,
    report: AddReport,
    failures: Path | None,
    heard: TranscribeReport | None,
    line: str | None,
) -> None:
    """Write down what failed, and say what was done: in a line, or as JSON."""
    from sayso.data.manifest import write_failures

    listed = failures or collection.store.failures_file
    write_failures(report.failures, listed)
    counts, failed = report_counts(report), len(report.failures)
    row: dict[str, Any] = {"index": collection.store.address, "model": collection.model, **counts}
    row |= {"failed": failed, "absent": list(report.absent)}
    if heard:
        row["listened"] = {name: value for name, value in heard.to_dict().items() if name != "failures"}
    print_json(row) if line is None else print_lines([line])
    print_notes(*(f"not there now: {path}; the files that only it names stay" for path in report.absent))
    done = anything_added(counts) or bool(heard and heard.done)
    end_with(failure_lines(report.failures, listed), done=done)


def _listened(
    paths: list[str], device: str, engine: EngineName, cluster: str | None, progress: Mode
) -> TranscribeReport:
    """Write what is said beside the files, as ``sayso transcribe`` does."""
    from sayso.speech.sound_shards import VERB
    from sayso.transcribing import transcribe

    place = device if device.startswith(("cpu", "cuda")) else "auto"
    with writing(VERB), reporter("listening", "s", mode=progress) as bar:
        return transcribe(paths, device=place, engine=engine, cluster=cluster, progress=bar)

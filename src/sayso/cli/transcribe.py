"""``sayso transcribe``: write down what is said in videos and files of sound that have no captions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from sayso.cli.options import (
    ClusterAddress,
    Device,
    EngineName,
    Json,
    Overwrite,
    ProgressMode,
    check_cluster,
)
from sayso.cli.output import end_with, print_json, print_lines
from sayso.core.counted import counted
from sayso.core.progress import reporter

if TYPE_CHECKING:
    from sayso.transcribing import TranscribeReport

Paths = Annotated[
    list[str], Argument(metavar="PATH...", help="Files, folders, manifests.", show_default=False)
]
SpeechModelName = Annotated[
    str,
    Option("--model", "-m", help="A Whisper model: auto, a size such as small, a hub id, or a folder."),
]
Language = Annotated[
    str | None, Option("--language", help="What is spoken, as en or pt.", show_default="detected")
]
Processes = Annotated[
    int | None,
    Option("--processes", min=1, help="Files heard at the same time.", show_default="one a core"),
]


def transcribe(
    paths: Paths,
    model: SpeechModelName = "auto",
    language: Language = None,
    processes: Processes = None,
    again: Annotated[bool, Option("--again", help="Also where an earlier run wrote captions.")] = False,
    engine: EngineName = "here",
    cluster: ClusterAddress = None,
    device: Device = "auto",
    progress: ProgressMode = "auto",
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Write captions beside videos and sound files that have none; run it again to go on.

    talk.mp4 gets talk.en.auto.vtt, marked as machine-made, and talk.words.json with the times of the words.
    Where nobody speaks nothing is written.

    Examples:

      sayso transcribe ~/Videos

      sayso transcribe talk.mp4 --model small --language de

      sayso transcribe /shared/videos --engine ray --address auto
    """
    from sayso.transcribing import transcribe as transcribe_all

    check_cluster(engine, cluster)
    with reporter("listening", "s", mode=progress) as bar:
        report = transcribe_all(
            paths,
            model=model,
            language=language,
            processes=processes,
            device=device,
            again=again,
            engine=engine,
            cluster=cluster,
            progress=bar,
        )
    print_json(report.to_dict()) if as_json else print_lines([spoken_line(report)])
    end_with((f"failed: {failure.to_dict()['error']}" for failure in report.failures), done=report.done)


def spoken_line(report: TranscribeReport) -> str:
    """Return in a line what transcribing did."""
    others = {
        "listened to before": report.kept,
        "with captions": report.captioned,
        "without sound": report.without_sound,
        "without speech": report.without_speech,
    }
    rest = "".join(f", {count:,} {what}" for what, count in others.items() if count)
    minutes = f" ({report.seconds / 60:.1f} min of sound)" if report.seconds else ""
    return f"{counted(report.files, 'file')}: {len(report.written):,} captioned{minutes}{rest}"

"""``sayso caption``: write what a visual language model sees in pictures and videos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from sayso.cli.ask import AUTO, Model
from sayso.cli.options import Device, Json, Overwrite, ProgressMode, out_option
from sayso.cli.output import end_with, print_json, print_lines
from sayso.core.counted import counted
from sayso.core.ownership import refuse_foreign
from sayso.core.progress import reporter

WHERE = "The captions, JSON lines; a manifest for sayso index."
Paths = Annotated[
    list[str], Argument(metavar="PATH...", help="Files, folders, manifests.", show_default=False)
]
Out = Annotated[Path | None, out_option("FILE", WHERE, show_default="PATH/captions.jsonl")]


def caption(
    paths: Paths,
    out: Out = None,
    prompt: Annotated[str, Option("--prompt", help="Ask this instead of for a caption.")] = "",
    window: Annotated[float, Option("--window", min=1.0, help="Seconds of a video a caption.")] = 10.0,
    beside: Annotated[
        bool, Option("--beside/--no-beside", help="Write VIDEO.en.seen.vtt beside each video, too.")
    ] = True,
    max_tokens: Annotated[int, Option("--max-tokens", min=1, help="Length of a caption, at most.")] = 40,
    model: Model = AUTO,
    device: Device = "auto",
    progress: ProgressMode = "auto",
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Caption pictures and videos; run it again to caption what is new.

    The captions are a model's, and say so: sayso index keeps them apart from what people say.

    Examples:

      sayso caption ~/Pictures

      sayso index my.index ~/Pictures/captions.jsonl
    """
    from sayso.captioning import caption as caption_all
    from sayso.generators import Decoding, load_generator

    first = Path(paths[0]).expanduser()
    target = out or (first if first.is_dir() else Path()) / "captions.jsonl"
    refuse_foreign(target, grows=True)
    generator = load_generator(model, device=device)
    with reporter("captions", mode=progress) as bar:
        report = caption_all(
            paths,
            target,
            model=generator,
            prompt=prompt,
            window_s=window,
            beside=beside,
            decoding=Decoding(max_new_tokens=max_tokens),
            progress=bar,
        )
    if as_json:
        print_json({"out": str(target), **report.to_dict()})
    else:
        kept = f", {counted(report.kept, 'was there', 'were there')}" if report.kept else ""
        made = f"{counted(report.files, 'file')}, {counted(report.made, 'caption')} made{kept}"
        print_lines([f"{target}: {made}; by {generator.made_by}"])
    done = bool(report.made or report.kept)
    end_with((f"failed: {failure.error}" for failure in report.failures), done=done)

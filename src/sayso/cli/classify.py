"""``sayso classify``: which of some names each picture shows, by words alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from sayso.cli.options import Device, Json, Model, Overwrite, ProgressMode, out_option
from sayso.cli.output import end_with, print_json, print_lines
from sayso.core.ownership import refuse_foreign
from sayso.core.progress import reporter

Pictures = Annotated[list[Path], Argument(help="Pictures, or folders of pictures.", show_default=False)]
NAMES = "The names: a file, one a line or JSON; or the names themselves, with commas between."
TEMPLATES = "Sentences with {c} for the name, which are averaged: a file, one a line or JSON."


def classify(
    pictures: Pictures,
    names: Annotated[str, Option("--names", metavar="FILE", help=NAMES, show_default=False)],
    templates: Annotated[
        Path | None, Option("--templates", metavar="FILE", help=TEMPLATES, show_default="a photo of a {c}.")
    ] = None,
    top: Annotated[int, Option("--top", min=1, help="Names a picture, the likeliest first.")] = 5,
    model: Model = None,
    device: Device = "auto",
    out: Annotated[Path | None, out_option("FILE", "Write the result to this file, as JSON lines.")] = None,
    progress: ProgressMode = "auto",
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Tell which of some names each picture shows; nothing is trained.

    Printed are probabilities. They say which of these names it is, given that it is one of them; of SigLIP
    models, for each name by itself, whether it is. Names that the model cannot tell apart are said.
    Pictures that cannot be read are listed, and the exit code is then 3.

    Examples:

      sayso classify ~/Pictures --names "dog, cat, somebody on a bicycle"

      sayso classify ~/Pictures --names names.txt --model openai/clip-vit-base-patch32 --json
    """
    from sayso.data.class_names import names_given
    from sayso.systems.zero_shot import ZeroShotOptions, run

    options = ZeroShotOptions(templates=templates, model=model or "auto", top=top, device=device)
    if out is not None:
        refuse_foreign(out)
    with reporter("classifying", unit="pictures", mode=progress) as bar:
        result = run(pictures, names_given(names), options, progress=bar)
        if out is not None:
            result.write(out)
    print_json(*result.pictures) if as_json else print_lines(result.table())
    end_with((failure.error for failure in result.failures), done=bool(result.pictures))

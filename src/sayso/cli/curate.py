"""``sayso curate``: which captioned pictures from the web to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from typer import Argument, Option

from sayso.cli.options import Device, Json, Overwrite, ProgressMode, out_option
from sayso.cli.output import end_with, print_json, print_lines
from sayso.core.progress import reporter

CORPUS = (
    "Captioned pictures: a folder with .txt or .json beside each, a .json in COCO's format, .tar shards "
    "(img2dataset's too), CC3M's or CC12M's .tsv, a manifest, or the file of an earlier run."
)
Corpus = Annotated[Path, Argument(help=CORPUS, show_default=False)]
Rules = Annotated[Literal["datacomp", "align", "none"], Option("--rules", help="The rules to begin with.")]
SET = "Another value of a rule: min_side, max_words, ...; may be repeated."
NOT_IN = "A test set: pictures that are nearly one of its are left out; may be repeated."
NotIn = Annotated[list[Path] | None, Option("--not-in", help=NOT_IN, show_default=False)]
NAMES = "A list of names, one a line: balance the texts by them, as MetaCLIP does."
SCORE = "A model, as --model takes it elsewhere, that says how well picture and text fit."
SHARE = "Keep the share of pairs with the best scores, 0 to 1."
ENGLISH = "Keep English texts alone, as DataComp does; no rule set does it by itself (needs sayso[curate])."
IMAGES = "Folder of the pictures, for a .json or .tsv, if they are not beside it."


def curate(
    corpus: Corpus,
    out: Annotated[Path, out_option("FILE", "The .parquet to write, a row a pair.")],
    rules: Rules = "datacomp",
    changes: Annotated[list[str] | None, Option("--set", "-s", metavar="KEY=VALUE", help=SET)] = None,
    not_in: NotIn = None,
    names: Annotated[Path | None, Option("--names", help=NAMES, show_default=False)] = None,
    score_with: Annotated[str | None, Option("--score-with", help=SCORE, show_default=False)] = None,
    min_score: Annotated[float | None, Option("--min-score", help="Keep pairs with this score.")] = None,
    best_share: Annotated[float | None, Option("--best-share", help=SHARE)] = None,
    english: Annotated[bool, Option("--english", help=ENGLISH)] = False,
    images: Annotated[Path | None, Option("--images", help=IMAGES, show_default=False)] = None,
    workers: Annotated[int | None, Option("--workers", min=1, help="Decoding threads.")] = None,
    device: Device = "auto",
    progress: ProgressMode = "auto",
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Say which pairs of a corpus are worth training on, and which rule dropped each of the others.

    OUT lists all pairs; 'sayso train clip OUT' learns from those that were kept. An interrupted run goes on
    where it was. Pictures and records that are damaged are counted by their reason, and the exit code is 3.

    Examples:

      sayso curate ~/cc3m --out kept.parquet --not-in captions.json

      sayso curate ~/shards --out kept.parquet --rules align --names names.txt --set per_name=2000

      sayso curate ~/shards --out best.parquet --score-with openai/clip-vit-base-patch32 --best-share 0.3
    """
    from sayso.core.config import changed, with_flags
    from sayso.core.errors import SaysoError
    from sayso.data.alt_text import RULE_SETS
    from sayso.data.alt_text import curate as run
    from sayso.encoders import Encoder
    from sayso.hub import load

    said = {"min_score": min_score, "best_share": best_share, "english": english or None}
    chosen = with_flags(RULE_SETS[rules], changes or ())
    chosen = changed(chosen, {key: value for key, value in said.items() if value is not None}, where="curate")
    encoder = load(score_with, device=device) if score_with else None
    if not isinstance(encoder, Encoder | None):
        raise SaysoError(f"{score_with} embeds no pictures and texts; name a dual encoder, see: sayso models")
    asked: Any = {"not_in": not_in or (), "names": names, "encoder": encoder, "workers": workers}
    with reporter("curating", unit="records", mode=progress) as bar:
        result = run(corpus, out, chosen, images=images, progress=bar, **asked)
    print_json(result.to_dict()) if as_json else print_lines([*result.table(), str(out)])
    end_with(failure.error for failure in result.problems.failures)

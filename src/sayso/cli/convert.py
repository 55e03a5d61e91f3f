"""``sayso convert``: a published checkpoint into a model folder."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from sayso.cli.options import Json, out_option
from sayso.cli.output import print_json, print_lines


def convert(
    file: Annotated[Path, typer.Argument(help="The checkpoint: .pth or .pth.tar.", show_default=False)],
    out: Annotated[Path, out_option("FOLDER", "A new model folder.")],
    words: Annotated[
        Path, typer.Option("--words", help="Its vocabulary: .npy, or a word a line.", show_default=False)
    ],
    vectors: Annotated[
        Path | None, typer.Option("--vectors", help="Word vectors (word2vec), for HowTo100M's network.")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option("--size", min=32, help="Side of clips, pixels.", show_default="224"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Turn a published checkpoint into a folder that --model takes.

    Knows s3d_howto100m.pth with s3d_dict.npy, the open training code's epochNNNN.pth.tar,
    and howto100m_pt_model.pth. A file that lacks a weight is refused.

    Examples:

      sayso convert s3d_howto100m.pth --words s3d_dict.npy --out ~/models/mil-nce

      sayso index my.index ~/Videos --model ~/models/mil-nce
    """
    from sayso.encoders import convert_published

    model = convert_published(file, words, vectors=vectors, size=size)
    model.save_pretrained(out)
    count = len(model.tokenizer.words)
    if as_json:
        facts = {"path": str(out), "kind": model.kind, "words": count, "dim": model.dim}
        print_json({**facts, "sha256": model.sha256})
    else:
        counted = f"{count:,} words, embeddings of {model.dim}"
        print_lines([f"{out}: {counted}; use it with --model {quote(str(out))}"])

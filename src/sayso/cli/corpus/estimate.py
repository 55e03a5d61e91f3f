"""``sayso corpus estimate``: what a corpus of so many videos costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from sayso.cli.corpus.stage_options import PerHost, requests_a_second
from sayso.cli.options import Device, Json, Model, ProgressMode
from sayso.cli.output import print_json, print_lines, size_text
from sayso.core.counted import counted
from sayso.core.progress import reporter

if TYPE_CHECKING:
    from sayso.estimating import Estimate

Clips = Annotated[
    int | None, Option("--clips", min=1, help="They are cut into.", show_default="one every 4 s")
]
SAMPLE = (
    "A video such as theirs, to be measured; a drawn one says little of the bytes of videos and pictures."
)


def estimate(
    videos: Annotated[int, Option("--videos", min=1, help="How many videos.", show_default=False)],
    hours: Annotated[float, Option("--hours", help="They last in all.", show_default=False)],
    clips: Clips = None,
    sample: Annotated[Path | None, Option("--sample", help=SAMPLE, show_default="a drawn one")] = None,
    model: Model = None,
    per_host: PerHost = "1/s",
    device: Device = "auto",
    progress: ProgressMode = "auto",
    as_json: Json = False,
) -> None:
    """Say what a corpus costs: core-hours, bytes, days of fetching, and the parameters of its index.

    A short video is read here and an index of vectors is made, which takes about a minute; what that
    took is multiplied. Processor time is counted, which a busy machine lengthens too, though by less.

    Examples:

      sayso corpus estimate --videos 1221000 --hours 134472 --clips 136000000

      sayso corpus estimate --videos 500 --hours 40 --sample one-of-them.mp4 --json
    """
    from sayso.estimating import estimate_corpus

    asked = requests_a_second(per_host)
    with reporter("measuring", unit="probes", mode=progress) as bar:
        found = estimate_corpus(
            videos,
            hours,
            model or "auto",
            clips=clips,
            sample=sample,
            requests_a_second=asked,
            device=device,
            progress=bar,
        )
    print_json(found.to_dict()) if as_json else print_lines(_lines(found))


def _lines(found: Estimate) -> list[str]:
    """Return the numbers in sentences: what was measured, then what follows."""
    rates, costs = found.rates, found.costs()
    size = {name: size_text(value) for name, value in costs.items() if name.endswith("_bytes")}
    rows = [
        (
            "measured",
            f"{rates.probe_s:.0f} s of {rates.probe}, by {rates.encoder}; "
            f"{rates.indexed:,} drawn vectors of {rates.dim}",
        ),
        (
            "asked",
            f"{counted(found.videos, 'video')}, {found.hours:,.0f} hours, {counted(found.clips, 'clip')}",
        ),
        (
            "fetching",
            f"{_amount(costs['fetch_days'])} days from one host, at 3 requests a video and "
            f"{found.requests_a_second:g} a second; {size['video_bytes']} of videos",
        ),
        (
            "reading",
            f"{_amount(costs['read_core_hours'])} core-hours to decode and embed "
            f"({1 / rates.read_core_s:.1f} hours of video a core-hour)",
        ),
        ("vectors", f"{size['vector_bytes']} in 16 bits"),
        ("pictures", f"{size['thumb_bytes']}, one a clip; with --thumbs none no bytes"),
        ("words", f"{size['row_bytes']}, with paths and times"),
        (
            "search",
            f"{_amount(costs['index_core_hours'])} core-hours and {size['code_bytes']}: "
            f"{costs['partitions']:,} partitions, trained on {costs['training_vectors']:,} vectors "
            f"in {size['training_bytes']} of memory",
        ),
        ("in all", size["index_bytes"]),
    ]
    return [f"{name:10} {what}" for name, what in rows]


def _amount(value: float) -> str:
    """Return a number with one decimal; what is little is not said to be nothing."""
    return f"{value:,.1f}" if value >= 0.1 else "under 0.1"

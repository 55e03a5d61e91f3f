"""``sayso steps``: the steps of a task, from narrated videos of it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sayso.cli.options import Device, Json, Model, ProgressMode
from sayso.core.errors import MediaError, SaysoError

if TYPE_CHECKING:
    from sayso.systems.instruction_steps import Discovery
    from sayso.systems.instruction_steps.discover import NarratedVideo, Place, StepModel
    from sayso.systems.instruction_steps.folder import Folder

SOME_FAILED = 3
APPLY = "apply"
FILES = "files"  # how a model says that its features were given
PICTURE = 208  # pixels of a thumbnail's longer side


Where = Annotated[
    list[str],
    typer.Argument(
        metavar="FOLDER | apply MODEL VIDEO...",
        help="A folder of narrated videos of one task; or what an earlier run found, and other videos.",
    ),
]
Features = Annotated[
    Path | None, typer.Option("--features", help="Folder of <video's name>.npy, (T, D), instead of a model.")
]
Before = Annotated[
    float,
    typer.Option("--before", help="Seconds before it is told of that a step may happen; below 0: after it."),
]


def steps(
    where: Where,
    count: Annotated[
        int | None,
        typer.Option(
            "--steps", "-k", min=1, help="At most how many steps.", show_default="as many as stand out"
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to.", show_default="FOLDER.steps")
    ] = None,
    model: Model = None,
    features: Features = None,
    rate: Annotated[float, typer.Option("--rate", min=0.01, help="Rows of features a second.")] = 1.0,
    before: Before = 0.0,
    after: Annotated[float, typer.Option("--after", help="Seconds after that.")] = 10.0,
    synonyms: Annotated[
        bool, typer.Option("--synonyms", help="Take words for the same that the text model holds near.")
    ] = False,
    device: Device = "auto",
    progress: ProgressMode = "auto",
    as_json: Json = False,
) -> None:
    """Find the steps of a task that many videos show and tell of, and when they happen in each.

    Writes into OUT: index.html to look at; steps.json with everything; chapters/ with WebVTT
    and YouTube chapters for each video; and model/, with which 'apply' finds the steps in
    other videos, told or silent.

    Examples:

      sayso steps ~/tyre-change --steps 8

      sayso steps apply ~/tyre-change.steps new.mp4

      sayso steps ~/tyre-change --features ~/features --before 5 --after 5
    """
    from sayso.core.progress import reporter

    if where[0] == APPLY and len(where) > 2:
        with reporter("reading", unit="videos", mode=progress) as bar:
            failures = _apply(Path(where[1]), where[2:], out, model, features, device, bar, as_json)
    elif len(where) == 1:
        from sayso.systems.instruction_steps import Recipe

        folder = Path(where[0]).expanduser().resolve()
        recipe = Recipe(steps=count, rate=rate, before_s=before, after_s=after)
        with reporter("reading", unit="videos", mode=progress) as bar:
            target = out or folder.with_name(f"{folder.name}.steps")
            failures = _discover(folder, target, recipe, model, features, synonyms, device, bar, as_json)
    else:
        raise typer.BadParameter("name one FOLDER; or: apply MODEL VIDEO...")
    for failure in failures:
        print(f"{failure.path}: {failure.error}", file=sys.stderr)
    if failures:
        raise typer.Exit(SOME_FAILED)


def _discover(
    folder: Path,
    out: Path,
    recipe: Any,
    model: str | None,
    features: Path | None,
    synonyms: bool,
    device: str,
    bar: Any,
    as_json: bool,
) -> list[Any]:
    from sayso.encoders import load_encoder
    from sayso.systems.instruction_steps import discover_steps
    from sayso.systems.instruction_steps.folder import read_videos

    encoder = None if features else load_encoder(model or "auto", device=device)
    read = read_videos(
        [str(folder)], features=features or out / "features", encoder=encoder, rate=recipe.rate, progress=bar
    )
    embed = load_encoder("offline", device=device).encode_text if synonyms else None
    found = discover_steps(read.videos, recipe, embed=embed, parser=_parser(bar), progress=bar)
    K = len(found.script)
    if recipe.steps and recipe.steps > K:
        bar.message(f"the narrations have only {K} in common, not {recipe.steps} steps")
    task = _plain(read, found, folder.name)
    made_by = FILES if encoder is None else model or encoder.name
    shutil.rmtree(out / "model", ignore_errors=True)  # of an earlier run
    replace(found.model, encoder=made_by).save_pretrained(out / "model")
    text = json.dumps(task, ensure_ascii=False, indent=1)
    (out / "steps.json").write_text(text + "\n", encoding="utf-8")
    _write(out, task, read.paths)
    _print(task, out, as_json)
    return read.failures


def _apply(
    where: Path,
    paths: list[str],
    out: Path | None,
    model: str | None,
    features: Path | None,
    device: str,
    bar: Any,
    as_json: bool,
) -> list[Any]:
    from sayso.encoders import load_encoder
    from sayso.systems.instruction_steps import StepModel
    from sayso.systems.instruction_steps.folder import read_videos

    known = StepModel.from_pretrained(where)
    if known.encoder == FILES and features is None:
        raise SaysoError(f"{where} was made from given features; give those of the new videos by --features")
    encoder = None if features else load_encoder(model or known.encoder, device=device)
    target = out or where / "applied"
    read = read_videos(
        paths, features=features or target / "features", encoder=encoder, rate=known.recipe.rate, progress=bar
    )
    parser = _parser(bar)
    rows = [_video(video, known.find(video, parser), known) for video in read.videos]
    task = {"title": where.name, "steps": [_named(name) for name in known.names], "videos": rows}
    target.mkdir(parents=True, exist_ok=True)
    text = json.dumps(task, ensure_ascii=False, indent=1)
    (target / "found.json").write_text(text + "\n", encoding="utf-8")
    _write(target, task, read.paths)
    _print(task, target, as_json)
    return read.failures


def _parser(bar: Any) -> Any:
    """Return spaCy's parser if it is installed; rules do otherwise."""
    from sayso.core.errors import MissingExtra
    from sayso.text.language.actions import load_parser

    if find_spec("spacy") is None:
        bar.message(
            "spaCy is not installed, so rules find the verbs and objects: pip install 'sayso[scripts]'"
        )
        return None
    try:
        return load_parser()
    except MissingExtra as error:
        bar.message(f"{error}; rules find the verbs and objects")
        return None


def _plain(read: Folder, found: Discovery, title: str) -> dict[str, Any]:
    """Return all that was found as plain data."""
    steps = [
        {
            "name": step.name,
            "phrases": [phrase for phrase, _ in step.phrases],
            "videos": len(step.mentions),
            "example": _example(step),
        }
        for step in found.script
    ]
    places = zip(read.videos, found.places, strict=True)
    rows = [_video(video, there, found.model) for video, there in places]
    return {"title": title, "steps": steps, "videos": rows}


def _example(step: Any) -> str:
    """Return a short sentence that tells of a step by its name, but not the shortest of many."""
    said = [m.text for m in step.mentions.values() if m.phrase == step.name]
    return str(sorted(said, key=len)[len(said) // 4])


def _named(name: str) -> dict[str, Any]:
    return {"name": name, "phrases": [name], "videos": 0, "example": None}


def _video(video: NarratedVideo, places: list[Place], model: StepModel) -> dict[str, Any]:
    rows = [
        {
            "step": place.step,
            "name": model.names[place.step],
            "time_s": place.time_s,
            "start_s": place.span.start,
            "end_s": place.span.end,
            "score": place.score,
            "sure": place.sure,
            "said": place.said,
        }
        for place in places
    ]
    duration_s = round(len(video.features) / model.recipe.rate, 3)
    return {"name": video.name, "duration_s": duration_s, "steps": rows}


def _write(out: Path, task: dict[str, Any], paths: list[str]) -> None:
    """Write chapters and the page."""
    from sayso.export import steps_page, steps_vtt, youtube_chapters

    chapters = out / "chapters"
    chapters.mkdir(exist_ok=True)
    for row in task["videos"]:
        vtt = steps_vtt(row["steps"], row["duration_s"])
        (chapters / f"{row['name']}.vtt").write_text(vtt, encoding="utf-8")
        lines = youtube_chapters(row["steps"], row["duration_s"])
        (chapters / f"{row['name']}.txt").write_text(lines, encoding="utf-8")
    pictures = {
        (n, row["step"]): jpeg
        for n, (video, path) in enumerate(zip(task["videos"], paths, strict=True))
        for row in video["steps"]
        if (jpeg := _picture(path, row["time_s"])) is not None
    }
    files = [Path(os.path.relpath(path, out)).as_posix() for path in paths]
    page = steps_page(task["title"], task["steps"], task["videos"], pictures, files)
    (out / "index.html").write_text(page, encoding="utf-8")


def _picture(path: str, time_s: float) -> bytes | None:
    """Return a small JPEG of a moment; None where the file cannot be read there."""
    from sayso.media import read_clip, thumbnail

    try:
        frames = read_clip(path, max(0.0, time_s - 0.05), time_s + 0.05, frames=1, size=PICTURE).frames
        return thumbnail(frames[0], PICTURE) if len(frames) else None
    except (MediaError, OSError):
        return None


def _print(task: dict[str, Any], out: Path, as_json: bool) -> None:
    if as_json:
        for row in task["videos"]:
            print(json.dumps(row, ensure_ascii=False))
        return
    for number, step in enumerate(task["steps"], 1):
        told = f"  told in {step['videos']} of {len(task['videos'])}" if step["videos"] else ""
        print(f"{number:3}  {step['name']}{told}")
    print(out / "index.html")

"""Damages each given input many times: a reader answers or says one sentence, and never hangs.

    python benchmarks/mutations.py ../shared/data/reports [--mutations 2000] [--only hls]

Bytes are flipped, cut out, doubled and made zero, lines and fields are swapped, files end
early. Readers may raise SaysoError alone. Prints each file's worst time; exit 0 only if
nothing else was raised and nothing took longer than the limit.
"""

from __future__ import annotations

import argparse
import logging
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from sayso.core.errors import SaysoError
from sayso.data import read_captioned, read_corpus
from sayso.data.tags_reader import read_boxes, read_tagged
from sayso.media import probe, read_clip, read_image, sniff, stream_frames
from sayso.text import read_caption_file, read_screenplay

CAPTIONS = ("srt", "vtt", "json3", "ass", "ttml", "itt", "sub")
SCRIPTS = ("txt", "fountain", "html", "pdf", "fdx")
VIDEOS = ("mp4", "mkv", "webm", "ts")
PICTURES = ("png", "jpg", "gif", "webp")
DATA = ("json", "xml", "txt", "tar")  # of the reports below
DATA_SETS = ("coco_", "voc_", "shard_")
LIMIT_S = 20
FIELD = re.compile(rb"[\w.:]+")


def damage(data: bytes, rng: random.Random) -> bytes:
    """Return the data with one to four faults."""
    for _ in range(rng.randint(1, 4)):
        data = rng.choice((flip, cut, double, zero, swap_lines, swap_fields, end_early))(data, rng)
    return data


def span(data: bytes, rng: random.Random) -> tuple[int, int]:
    """Return a stretch of at most 200 bytes."""
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.randint(0, 200))


def flip(data: bytes, rng: random.Random) -> bytes:
    """Change up to eight bytes."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8) if data else 0):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def cut(data: bytes, rng: random.Random) -> bytes:
    """Leave a stretch out."""
    start, end = span(data, rng)
    return data[:start] + data[end:]


def double(data: bytes, rng: random.Random) -> bytes:
    """Repeat a stretch up to 50 times."""
    start, end = span(data, rng)
    return data[:start] + data[start:end] * rng.randint(2, 50) + data[end:]


def zero(data: bytes, rng: random.Random) -> bytes:
    """Write zeros over a stretch."""
    start, end = span(data, rng)
    return data[:start] + bytes(end - start) + data[end:]


def end_early(data: bytes, rng: random.Random) -> bytes:
    """Keep the beginning alone."""
    return data[: rng.randrange(len(data) + 1)]


def swap_lines(data: bytes, rng: random.Random) -> bytes:
    """Exchange two lines."""
    lines = data.split(b"\n")
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines)


def swap_fields(data: bytes, rng: random.Random) -> bytes:
    """Write one field's value (a word, a number, a time) in another's place."""
    fields = [match.span() for match in FIELD.finditer(data[:200_000])]
    if not fields:
        return data
    (a, b), (c, d) = rng.choice(fields), rng.choice(fields)
    return data[:a] + data[c:d] + data[b:]


def stop(*_: object) -> None:
    """Raise where the reader hangs."""
    raise TimeoutError(f"took longer than {LIMIT_S} s")


def read_data_set(folder: Path) -> None:
    """Read all that is in a report's folder: shards, captions, tags and boxes."""
    if tars := list(folder.glob("*.tar")):
        read_corpus(tars[0])
    elif (folder / "captions.json").exists():
        read_captioned(folder / "captions.json")
    else:
        split = "train" if (folder / "ImageSets").is_dir() else None
        found = read_tagged(folder, split=split)
        read_boxes(folder, found, split=split)


def see(path: Path) -> None:
    """Read a video in every way: its header, in one pass, by seeking."""
    length = probe(path).duration or 1.0
    list(stream_frames(path, fps=2, size=32))
    read_clip(path, length / 3, 2 * length / 3, frames=4, size=32)


def look(path: Path) -> None:
    """Read a picture, or what moves in it."""
    if sniff(path) == "video":
        list(stream_frames(path, fps=2, size=32))
    read_image(path)


READERS: dict[str, Callable[[Path], object]] = {
    **dict.fromkeys(CAPTIONS, read_caption_file),
    **dict.fromkeys(SCRIPTS, read_screenplay),
    **dict.fromkeys(VIDEOS, see),
    **dict.fromkeys(PICTURES, look),
}


def inputs(reports: Path, folder: Path) -> Iterator[tuple[Path, Path, Callable[[Path], object]]]:
    """Yield the given files, where a damaged copy of each lies, and what reads it."""
    for path in sorted(reports.glob("*/*")):
        suffix, of_data = path.suffix[1:], path.parent.name.startswith(DATA_SETS)
        if suffix in READERS and not of_data:
            yield path, folder / path.name, READERS[suffix]
    for report in sorted(path for path in reports.iterdir() if path.name.startswith(DATA_SETS)):
        copy = folder / report.name
        shutil.copytree(report, copy, copy_function=shutil.copyfile)
        for path in sorted(report.rglob("*")):
            if path.suffix[1:] in DATA:
                here = copy / path.relative_to(report)
                here.parent.chmod(0o755)
                yield path, here, lambda _, copy=copy: read_data_set(copy)
                shutil.copyfile(path, here)


def attack(path: Path, read: Callable[[Path], object], numbers: range, copy: Path) -> tuple[int, int, float]:
    """Return how often a file was read, how often refused, and the longest time in seconds.

    Args:
        path: the file.
        read: reads a damaged copy.
        numbers: of the mutations; each is drawn from the file's name and its number.
        copy: where it lies.

    Raises:
        Exception: whatever else a reader raises, with the damaged file kept in the working folder.
    """
    data, refused, worst = path.read_bytes(), 0, 0.0
    for number in numbers:
        copy.write_bytes(damage(data, random.Random(f"{path.name} {number}")))
        start = time.perf_counter()
        signal.alarm(LIMIT_S)
        try:
            read(copy)
        except SaysoError:
            refused += 1
        except BaseException:
            Path(f"damaged-{path.name}").write_bytes(copy.read_bytes())
            raise
        finally:
            signal.alarm(0)
        worst = max(worst, time.perf_counter() - start)
    return len(numbers) - refused, refused, worst


def main() -> int:
    """Damage every file of the reports; return 0 if every reader kept its word."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("reports", type=Path, help="the folder of reports")
    parser.add_argument("--mutations", type=int, default=2000, help="of each input")
    parser.add_argument("--first", type=int, default=0, help="number of the first mutation")
    parser.add_argument("--only", nargs="*", default=[""], help="files whose path holds one of these")
    options = parser.parse_args()
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    signal.signal(signal.SIGALRM, stop)
    wrong, numbers = 0, range(options.first, options.first + options.mutations)
    with tempfile.TemporaryDirectory() as folder:
        for path, copy, read in inputs(options.reports, Path(folder)):
            if not any(part in str(path) for part in options.only):
                continue
            try:
                done, refused, worst = attack(path, read, numbers, copy)
                print(
                    f"{path.parent.name}/{path.name}: {done} read, {refused} refused, at most {worst:.2f} s",
                    flush=True,
                )
            except Exception:  # noqa: BLE001  whatever it is, it is a fault
                wrong += 1
                print(f"WRONG {path}\n{traceback.format_exc()}", flush=True)
    print(f"{wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

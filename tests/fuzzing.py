"""Small inputs of every kind that a person gives, and damaged copies: a reader answers or says a sentence."""

from __future__ import annotations

import io
import json
import random
import signal
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from memory_folder import memory_folder
from sayso.core.arrays import read_array, read_arrays
from sayso.core.errors import SaysoError
from sayso.core.harmless import harmless, harmless_json
from sayso.data import read_captioned
from sayso.data.manifest import read_manifest
from sayso.hub.restricted_pickle import read_numbers
from sayso.index.conditions import read_conditions
from sayso.index.filter_language import filter_sql
from sayso.index.query import parse_query
from sayso.media import read_image
from sayso.serve.files import UnsatisfiableError, parse_range
from sayso.text import read_caption_file, read_screenplay
from text.test_linear_time import CAPTIONS

LIMIT_S = 20
"""Of the processor, however busy the machine is."""
FILTERS = [
    "kind = 'video' AND duration_s > 60",
    "NOT (title LIKE '%dog%' OR year IN (2019, 2020)) AND text IS NOT NULL",
]
QUERIES = ["2:dog + beach - night", "who:ilsa near:48.8577,2.295,5km 'a boat' after:2019", '"piano" -loud']
RANGES = ["bytes=0-99", "bytes=-500", "bytes=5-", "bytes=0-1,5-9"]
SCRIPT = (
    "INT. ROOM - DAY\n\nBob enters.\n\nBOB (smiling)\nHello there.\n\nEXT. SEA - NIGHT\n\nANN\nGoodbye.\n"
)
COCO = {
    "images": [{"id": 1, "file_name": "a.png", "width": 9, "height": 9}],
    "annotations": [{"image_id": 1, "caption": "a dog"}, {"image_id": 1, "caption": "two"}],
}


def _range_of_a_file(header: str) -> None:
    with suppress(UnsatisfiableError):  # answered by 416
        parse_range(header, 1000)


@dataclass(frozen=True)
class Target:
    """Something that reads what people give.

    Args:
        seeds: whole inputs.
        read: reads one; may raise SaysoError alone.
        ending: of the file that it is put into; None: it is text.
    """

    seeds: list[bytes]
    read: Callable[[Any], object]
    ending: str | None = None


def _saved(save: Callable[[Any], object]) -> bytes:
    held = io.BytesIO()
    save(held)
    return held.getvalue()


def _conditions(text: str) -> object:
    return read_conditions(text)


def _shown(text: str) -> None:
    assert json.loads(harmless_json({"a": text})) == {"a": text}
    assert harmless(harmless(text)) == harmless(text)


def targets() -> dict[str, Target]:
    """Return all that is fuzzed, by name."""
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (9, 9, 3), np.uint8))
    numbers = np.arange(12.0).reshape(3, 4)
    found = {
        f"captions {ending}": Target([f"{head}hello\n\n{head}there\n".encode()], read_caption_file, ending)
        for ending, head in CAPTIONS.items()
    }
    for kind in ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"):
        seed = _saved(lambda held, kind=kind: picture.save(held, kind))
        found[f"picture {kind}"] = Target([seed], read_image, f".{kind.lower()}")
    return found | {
        "screenplay": Target([SCRIPT.encode()], read_screenplay, ".txt"),
        "filter": Target([one.encode() for one in FILTERS], filter_sql),
        "query": Target([one.encode() for one in QUERIES], lambda text: parse_query(text, files=False)),
        "conditions": Target([one.encode() for one in QUERIES], _conditions),
        "range": Target([one.encode() for one in RANGES], _range_of_a_file),
        "manifest .jsonl": Target(
            [b'{"path": "a.mp4", "title": "x", "start_s": 1.5}\n{"path": "b.mp4", "tags": ["y", 2]}\n'],
            lambda path: list(read_manifest(path)),
            ".jsonl",
        ),
        "manifest .csv": Target(
            [b'path,title,start_s\na.mp4,"one, two",1\nb.mp4,,2.5\n'],
            lambda path: list(read_manifest(path)),
            ".csv",
        ),
        "captioned .json": Target([json.dumps(COCO).encode()], read_captioned, ".json"),
        "array .npy": Target(
            [_saved(lambda held: np.save(held, numbers))], lambda path: read_array(path, "it"), ".npy"
        ),
        "arrays .npz": Target(
            [_saved(lambda held: np.savez(held, a=numbers, b=numbers[0]))],
            lambda path: read_arrays(path, "it"),
            ".npz",
        ),
        "pickle": Target([numbers.dumps(), json.dumps(COCO).encode()], read_numbers, ".pkl"),
        "shown text": Target(["näme\x1b[31m\u202e\n".encode()], _shown),
    }


def fuzz(
    name: str, count: int, seed: int, damage: Callable[[bytes, random.Random], bytes], first: int = 0
) -> dict[str, Any]:
    """Give damaged inputs to one target; return how many, how often it failed and how, and the longest time.

    Args:
        name: of the target.
        count: of inputs.
        seed: each input follows from it and its number.
        damage: returns a damaged copy.
        first: number of the first.
    """
    target, failures, longest_s = targets()[name], [], 0.0
    before = signal.signal(signal.SIGVTALRM, _stop)
    with memory_folder() as folder:
        path = folder / f"x{target.ending}"
        for number in range(first, first + count):
            rng = random.Random(f"{name} {seed} {number}")
            content = damage(rng.choice(target.seeds), rng)
            given: Any = path
            if target.ending is None:
                given = content.decode("utf-8", "replace")
            else:
                path.write_bytes(content)
            began = time.perf_counter()
            signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
            try:
                with suppress(SaysoError):
                    target.read(given)
            except Exception:  # noqa: BLE001  whatever it is, it is a fault
                failures.append(f"{name} {number}: {content[:300]!r}\n{traceback.format_exc()[-1500:]}")
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            longest_s = max(longest_s, time.perf_counter() - began)
    signal.signal(signal.SIGVTALRM, before)
    return {"inputs": count, "failures": failures, "longest_s": longest_s}


def _stop(*_: object) -> None:
    raise TimeoutError(f"it took more than {LIMIT_S} s of the processor")

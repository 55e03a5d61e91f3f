"""JSON lines of any length: a line that nobody means costs no memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sayso.core.errors import SaysoError
from sayso.data.json_lines import json_lines

READERS = {
    "manifest": "from sayso.data.manifest import read_manifest; list(read_manifest(path))",
    "list of failures": "from sayso.data.manifest import is_failure_list; is_failure_list(path)",
    "pages": "from sayso.data.interleaved import PageFile; PageFile(path)",
    "dialogues": "from sayso.data.dialogues import DialogueFile; DialogueFile(path)",
    "memes": "from sayso.data.datasets.hateful_memes import read_memes; read_memes(path.parent, path.stem)",
    "examples": "from sayso.generators.shots import read_shots; read_shots(path)",
    "captions": "from sayso.text import read_caption_file; read_caption_file(path)",
    "captions of a model": "from sayso.core.ownership import writing\n"
    "    from sayso.data.seen_file import SeenFile\n"
    "    with writing('python', overwrite=True): SeenFile(path)",
}
MEASURE = """
import re, sys
from pathlib import Path
from sayso.core.errors import SaysoError
def peak():
    status = Path("/proc/self/status").read_text()  # ru_maxrss counts the parent's
    return int(re.search(r"VmHWM:\\s+(\\d+)", status).group(1)) >> 10
def read(path):
    {read}
small, large = Path(sys.argv[1]), Path(sys.argv[2])
told = ""
for path in (small, large):
    before = peak()
    try:
        read(path)
    except SaysoError as error:
        told = str(error)
print(before, peak())
print(told, file=sys.stderr)
"""


def test_lines_are_numbered_and_each_holds_an_object_or_says_why_not(tmp_path, monkeypatch):
    monkeypatch.setattr("sayso.data.json_lines.LONGEST_LINE", 64)
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n\n[2]\n{"b": "' + b"x" * 200 + b'"}\n{"c"\n{"d": "\xc3\xa9"}')
    rows = dict(json_lines(path))
    assert list(rows) == [1, 3, 4, 5, 6]
    assert (rows[1], rows[6]) == ({"a": 1}, {"d": "é"})
    assert [word in rows[n] for n, word in ((3, "no object"), (4, "longer"), (5, "no JSON"))] == [True] * 3


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    import os

    os.mkfifo(tmp_path / "x.jsonl")
    with pytest.raises(SaysoError, match="named pipe"):
        list(json_lines(tmp_path / "x.jsonl"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("name", READERS)
def test_a_line_of_200_mb_is_never_held(tmp_path, name):
    row = {"path": "a.jpg", "text": "", "images": [], "id": 1, "img": "a.jpg", "seen": "x"}
    small, large = tmp_path / "small.jsonl", tmp_path / "large.jsonl"
    small.write_text(json.dumps(row) + "\n")
    head, tail = json.dumps(row | {"text": "@"}).split("@")
    with large.open("w") as file:
        file.writelines([head, *["x" * 1_000_000] * 200, tail, "\n"])
    command = [sys.executable, "-c", MEASURE.format(read=READERS[name]), small, large]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert after < 200, (before, after, done.stderr)

"""A curation that was killed goes on where it was and ends with the same file; its memory is bounded."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data.alt_text.corpora import encoded, rows_of, write_pairs
from sayso.data.alt_text import curate, parts
from sayso.data.alt_text.rules import CurationRules
from waiting import PATIENCE_S

NEVER_S = 3600.0
"""A run that writes so slowly is killed before its file is whole."""

RUN = """
import sys, time
from pathlib import Path
from sayso.data.alt_text import parts, survey, pipeline, curate
from sayso.data.alt_text.rules import CurationRules
corpus, out, wait, slow = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
parts.PART, survey._TOGETHER = 16, 4
measure, decided, seen = survey.measure, pipeline.CorpusRules.decided, []
def measured(listed, **how):
    seen.append(listed.name)
    time.sleep(wait)
    return measure(listed, **how)
def deciding(self):
    for one in decided(self):
        print("deciding", flush=True)
        time.sleep(slow)
        yield one
survey.measure, pipeline.CorpusRules.decided = measured, deciding
done = curate(corpus, out, CurationRules(min_side=100, max_text_pictures=3), workers=2)
print("measured", len(seen), "kept", done.kept, flush=True)
"""


def start(corpus, out, wait=0.0, slow=0.0):
    command = [sys.executable, "-c", RUN, str(corpus), str(out), str(wait), str(slow)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


def kill(process):
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def parts_in(out: Path) -> int:
    return len(list(out.with_name(f".{out.name}.work").glob("part-*.parquet")))


def until(condition, process):
    while not condition() and process.poll() is None:
        time.sleep(0.01)


def pairs(count):
    return [
        (f"{n:03d}.jpg", encoded((n, 0, 0), size=(120, 90 + n % 30)), f"the picture number {n % 50}")
        for n in range(count)
    ]


def test_a_run_killed_at_any_moment_goes_on_and_ends_with_the_same_file(tmp_path, monkeypatch):
    folder = write_pairs(tmp_path / "corpus", pairs(160))
    monkeypatch.setattr(parts, "PART", 16)
    curate(folder, tmp_path / "plain.parquet", CurationRules(min_side=100, max_text_pictures=3))
    out, rng = tmp_path / "killed.parquet", random.Random(0)
    for enough in (0, 5):
        process = start(folder, out, wait=0.01, slow=NEVER_S)
        until((out.with_name(".killed.parquet.work") / "plan.json").exists, process)
        until(lambda enough=enough: parts_in(out) >= enough, process)
        time.sleep(rng.random() * 0.1)
        kill(process)
        assert not out.exists()
    process = start(folder, out, slow=NEVER_S)
    assert process.stdout is not None
    assert process.stdout.readline() == "deciding\n"  # all is measured, and being written
    kill(process)
    assert not out.exists()
    last = start(folder, out)
    printed = last.communicate(timeout=PATIENCE_S)[0]
    assert last.returncode == 0
    assert re.search(r"measured 0 kept \d+", printed)
    assert out.read_bytes() == (tmp_path / "plain.parquet").read_bytes()
    assert not out.with_name(".killed.parquet.work").exists()


def test_parts_of_what_changed_are_made_anew(tmp_path):
    folder = write_pairs(tmp_path / "corpus", pairs(100))
    out = tmp_path / "kept.parquet"
    process = start(folder, out, wait=0.01, slow=NEVER_S)
    until(lambda: parts_in(out) >= 4, process)
    kill(process)
    assert parts_in(out) >= 4
    (folder / "040.jpg").write_bytes(encoded(size=(40, 40)))  # in the third part of 16
    printed = start(folder, out).communicate(timeout=PATIENCE_S)[0]
    assert f"measured {100 - 2 * 16} " in printed
    plain = curate(folder, tmp_path / "plain.parquet", CurationRules(min_side=100, max_text_pictures=3))
    assert rows_of(out) == rows_of(tmp_path / "plain.parquet")
    assert f"kept {plain.kept}\n" in printed


def test_parts_of_other_rules_are_not_used_and_a_folder_of_others_is_left_alone(tmp_path):
    folder = write_pairs(tmp_path / "corpus", pairs(60))
    out = tmp_path / "kept.parquet"
    process = start(folder, out, wait=0.01, slow=NEVER_S)
    until(lambda: parts_in(out) >= 2, process)
    kill(process)
    mine = out.with_name(".kept.parquet.work") / "note.txt"
    mine.write_text("mine")
    result = curate(folder, out, CurationRules(min_side=1))
    assert result.kept == 60
    assert mine.read_text() == "mine"
    assert [path.name for path in mine.parent.iterdir() if path.name != ".sayso-written"] == ["note.txt"]


MEMORY = """
import resource, sys
from pathlib import Path
from sayso.data.alt_text import parts, survey, curate
from sayso.data.alt_text.measure import Measured
from sayso.data.alt_text.rules import CurationRules
parts.PART = 1024
survey.measure = lambda listed, **how: Measured(width=300, height=300, content=hash(listed.name) % 2**40)
rules = CurationRules(max_picture_texts=3, max_text_pictures=10, common_words=1000, per_name=100)
done = curate(Path(sys.argv[1]), Path(sys.argv[1] + ".parquet"), rules, names=Path(sys.argv[2]))
print(done.total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_corpus(tmp_path):
    """Ten times the pairs, with every rule that counts; pictures are not decoded here."""
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(encoded())
    (tmp_path / "names.txt").write_text("\n".join(f"thing{n}" for n in range(500)))
    peaks = []
    for count in (10_000, 100_000):
        path = tmp_path / f"{count}.csv"
        with path.open("w") as file:
            file.write("path,text,url\n")
            rows = (f"{'ab'[n % 2]}.jpg,a photo of thing{n % 997} in {n},u{n}\n" for n in range(count))
            file.writelines(rows)
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, str(path), str(tmp_path / "names.txt")],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        total, peak = map(int, done.stdout.split())
        assert total == count
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 40, peaks

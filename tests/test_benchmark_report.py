"""RESULTS.md's tables from records: what is replaced, what is refused, what is marked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "scripts" / "benchmark_report.py"
RECORDED = Path(__file__).parent.parent / "benchmarks" / "recorded.py"
BY_HAND = "# Results\n\nby hand\n\n<!-- benchmark steps -->\nold\n<!-- end -->\n\nalso by hand\n"


def report(folder, *options, **changes):
    record = {
        "benchmark": "steps", "command": "python benchmarks/steps.py", "date": "2026-01-01", "commit": "abc",
        "changed": False, "machine": {"cpu": "C", "cores": 2, "python": "3.11"}, "threads": "1",
        "load": [0.5, 0, 0], "others_cores": 0.02, "packages": {"numpy": "2"},
        "tables": [{"title": "", "columns": ["what", "ms"], "rows": [["ours", "1.5"]]}], **changes,
    }  # fmt: skip
    (folder / "record.json").write_text(json.dumps(record))
    (folder / "RESULTS.md").write_text(BY_HAND)
    command = [sys.executable, SCRIPT, folder / "record.json", "--results", folder / "RESULTS.md", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done, (folder / "RESULTS.md").read_text()


def test_a_section_is_replaced_and_what_is_by_hand_stays(tmp_path):
    done, text = report(tmp_path)
    assert done.returncode == 0
    before, after = text.split("<!-- benchmark steps -->")
    assert before == "# Results\n\nby hand\n\n"
    assert after.endswith("<!-- end -->\n\nalso by hand\n")
    assert "| ours | 1.5 |" in after and "commit abc" in after and "old" not in after
    assert "Not to be relied on" not in after


def test_a_new_one_is_put_at_the_end(tmp_path):
    _, text = report(tmp_path, benchmark="oracles")
    assert text.startswith(BY_HAND)
    assert text.index("<!-- benchmark oracles -->") > text.index("also by hand")


def test_beside_a_busy_neighbour_it_is_refused_or_marked(tmp_path):
    done, text = report(tmp_path, others_cores=0.9)
    assert done.returncode == 1
    assert "0.90 cores busy" in done.stderr
    assert text == BY_HAND
    done, text = report(tmp_path, "--mark", others_cores=0.9)
    assert done.returncode == 0
    assert "**Not to be relied on: other processes kept 0.90 cores busy.**" in text


def test_where_neighbours_cannot_be_seen_the_load_speaks_and_changes_are_refused(tmp_path):
    assert "load was 3" in report(tmp_path, others_cores=None, load=[3, 0, 0])[0].stderr
    assert "no commit holds" in report(tmp_path, changed=True)[0].stderr


def test_a_file_that_is_no_record_is_named(tmp_path):
    report(tmp_path)
    (tmp_path / "record.json").write_text("[]")
    command = [sys.executable, SCRIPT, tmp_path / "record.json", "--results", tmp_path / "RESULTS.md"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "it lacks benchmark" in done.stderr


def recorded(folder, program, *options):
    (folder / "made.py").write_text(program)
    command = [sys.executable, RECORDED, folder / "made.json", folder / "made.py", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_what_any_benchmark_prints_is_recorded_and_written(tmp_path):
    done = recorded(tmp_path, "import sys; print('  a  1.5', sys.argv[1:])", "--rows", "3")
    assert done.returncode == 0 and done.stdout.startswith("  a  1.5 ['--rows', '3']\n")
    record = json.loads((tmp_path / "made.json").read_text())
    assert (record["benchmark"], record["command"]) == ("made", "python benchmarks/made.py --rows 3")
    assert (record["text"], record["tables"]) == ("  a  1.5 ['--rows', '3']\n", [])
    assert record["machine"]["cores"] and len(record["load"]) == 3
    _, text = report(tmp_path, tables=[], text=record["text"])
    assert "```text\n  a  1.5 ['--rows', '3']\n```\n<!-- end -->" in text


def test_what_failed_leaves_no_record(tmp_path):
    assert recorded(tmp_path, "print('half'); raise SystemExit(3)").returncode == 3
    assert not (tmp_path / "made.json").exists()
    command = [sys.executable, RECORDED, tmp_path / "made.py", tmp_path / "made.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "expected the record" in done.stderr

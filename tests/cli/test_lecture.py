"""``sayso lecture`` as a person meets it."""

from __future__ import annotations

import json
import signal

import pytest

from command import sayso


def test_it_lists_and_writes_and_keeps_what_a_person_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    listed = sayso("lecture").stdout.splitlines()
    assert len(listed) == 10 and listed[3].startswith("  4  steps")
    written = sayso("lecture", 4, "--no-open")
    path = tmp_path / written.stdout.strip()
    assert (written.returncode, path) == (0, tmp_path / "lecture" / "04_steps.ipynb"), written.stderr
    notebook = json.loads(path.read_text())
    assert "".join(notebook["cells"][0]["source"]).startswith("# Steps")
    assert sayso("lecture", "steps", "--no-open").returncode == 0, "its own file is written again"
    path.write_text(path.read_text().replace("# Steps", "# My steps"))
    refused = sayso("lecture", 4, "--no-open")
    assert refused.returncode == 1 and "there already" in refused.stderr
    assert "# My steps" in path.read_text()
    assert sayso("lecture", 4, "--no-open", "--overwrite").returncode == 0
    assert "# My steps" not in path.read_text()


@pytest.mark.parametrize("there", [True, False])
def test_jupyter_opens_it_or_one_sentence_says_what_is_missing(there, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    opened = []
    monkeypatch.setattr(
        "sayso.cli.lecture.shutil.which", lambda name, path=None: "/bin/lab" if there else None
    )
    monkeypatch.setattr("sayso.cli.lecture.subprocess.run", lambda words, check: opened.append(words))
    done = sayso("lecture", "naming")
    assert done.returncode == 0
    assert opened == ([["/bin/lab", "lecture/03_naming.ipynb"]] if there else [])
    assert ("Jupyter is not installed here; run: pip install" in done.stderr) is not there


def test_ctrl_c_is_for_jupyter_which_ends_by_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "lab"
    program.write_text("#!/bin/sh\nkill -INT $PPID\nsleep 0.5\necho saved > saved\n")
    program.chmod(0o755)
    monkeypatch.setattr("sayso.cli.lecture.shutil.which", lambda name, path=None: str(program))
    before = signal.getsignal(signal.SIGINT)
    assert sayso("lecture", "naming").returncode == 0
    assert (tmp_path / "saved").exists()
    assert signal.getsignal(signal.SIGINT) == before


def test_another_number_is_wrong_usage():
    done = sayso("lecture", 11)
    assert done.returncode == 2 and "1 to 10" in done.stderr

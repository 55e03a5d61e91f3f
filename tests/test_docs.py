"""The pages say what the program does."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_reference_of_the_command_line_is_up_to_date(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, made in (("cli.md", module.reference), ("sayso.1", module.man_page)):
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == made(), "run: make docs"


def test_the_manual_page_is_one_that_man_shows_without_a_complaint():
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    page = ROOT / "docs" / "sayso.1"
    words = ["groff", "-man", "-ww", "-Tutf8", str(page)]
    shown = subprocess.run(words, capture_output=True, text=True, check=True)
    assert shown.stderr == ""
    text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", shown.stdout)
    for word in ("EXIT STATUS", "sayso search", "--limit", "sayso corpus fetch", "interrupted"):
        assert word in text, word


def test_the_site_of_a_version_stands_beside_the_others(tmp_path):
    spec = importlib.util.spec_from_file_location("versions", ROOT / "docs" / "versions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for version, text in (("0.9.0", "old"), ("0.10.0", "new"), ("0.9.0", "mended")):
        module.add_version(
            tmp_path, version, lambda folder, text=text: (folder / "index.html").write_text(text)
        )
    rows = json.loads((tmp_path / "versions.json").read_text())
    assert [(row["version"], row["aliases"]) for row in rows] == [("0.10.0", ["latest"]), ("0.9.0", [])]
    assert 'url=0.10.0/index.html"' in (tmp_path / "index.html").read_text()
    assert (tmp_path / "0.9.0" / "index.html").read_text() == "mended"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "0.10.0",
        "0.9.0",
        "index.html",
        "versions.json",
    ]


def test_every_page_of_a_system_has_the_same_form():
    for page in (ROOT / "docs" / "systems").glob("*.md"):
        text = page.read_text()
        titles = re.findall(r"^## (.+)", text, re.MULTILINE)
        assert titles[-2:] == ["Limits", "Sources"], page.name
        assert "```python\n" in text, page.name
        if page.stem != "corpus":  # it fetches, and learns nothing
            assert "The objective" in titles and re.search(
                r"drawn data|toy world|two cores", str(titles) + text
            ), page.name
        assert re.search(r"^!\[[^\]]{20,}\]\(\S+\.(webp|png)\)$", page.read_text(), re.MULTILINE), page.name


def test_the_readme_is_short_and_every_file_that_it_names_is_there():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 120
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_the_tests_that_the_field_reports_name_are_there():
    text = (ROOT / "docs" / "field_reports.md").read_text()
    named = re.findall(r"(tests/[\w/]+\.py)(?:::(\w+))?", text)
    assert len(named) >= 29
    for path, function in named:
        assert f"def {function}" in (ROOT / path).read_text(), (path, function)


def test_the_glossary_is_short():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    rows = re.findall(r"^\| (.+?) \|", text.partition("### Words")[2].partition("\n## ")[0], re.MULTILINE)
    words = [word for row in rows[1:] for word in row.split(", ") if not word.startswith("---")]
    assert 20 <= len(words) <= 30
    assert len(set(words)) == len(words)

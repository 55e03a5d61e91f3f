"""The pages say what the program does."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_reference_of_the_command_line_is_up_to_date():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == module.reference(), "run: make docs"


def test_every_file_that_the_readme_names_is_there():
    text = (ROOT / "README.md").read_text()
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

"""``sayso models`` lists what can be loaded, as a table and as JSON."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from sayso.cli import main
from sayso.cli.models import _megabytes


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)


def test_the_table_has_a_row_a_model():
    done = CliRunner().invoke(main.app, ["models"])
    assert done.exit_code == 0
    heading, *rows = done.stdout.splitlines()
    assert heading.split() == ["name", "size", "dim", "licence", "here", "what"]
    assert rows[0].startswith("offline ")
    assert {row.split()[0] for row in rows} >= {
        "openai/clip-vit-base-patch32",
        "google/siglip-base-patch16-224",
    }
    assert all(row[heading.index("here") :].startswith(("yes", "no ")) for row in rows)


def test_json_is_one_object_a_line():
    done = CliRunner().invoke(main.app, ["models", "--json"])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows[0]["name"] == "offline"
    assert set(rows[0]) >= {"name", "kind", "what", "source", "size_bytes", "licence", "dim", "cached"}


def test_sizes_are_in_megabytes():
    assert (_megabytes(None), _megabytes(1_710_000_000), _megabytes(499_999)) == ("?", "1,710 MB", "0 MB")

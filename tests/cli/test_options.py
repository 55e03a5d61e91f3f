"""One mould: an option that several verbs have looks and means the same in all of them."""

from __future__ import annotations

import json

import pytest
import typer.main
from typer.testing import CliRunner

from sayso.cli import exit_codes
from sayso.cli.main import app

WHOLE = typer.main.get_command(app).commands
VERBS = {name: verb for name, verb in WHOLE.items() if not hasattr(verb, "commands")} | {
    f"{name} {stage}": one
    for name, verb in WHOLE.items()
    for stage, one in getattr(verb, "commands", {}).items()
}


def options(flag):
    """Every verb that has an option, with it."""
    return {
        verb: option for verb, command in VERBS.items() for option in command.params if flag in option.opts
    }


@pytest.mark.parametrize("flag", ["--device", "--json", "--progress", "--engine", "--address"])
def test_shared_options_are_the_same_everywhere(flag):
    found = options(flag)
    assert len(found) >= 3
    assert len({(tuple(option.opts), option.help, option.default) for option in found.values()}) == 1


def test_a_model_is_named_the_same_way_everywhere():
    found = options("--model")
    assert {tuple(option.opts) for option in found.values()} == {("--model", "-m")}
    others = {"localize", "ask", "caption", "transcribe"}  # a run of its own; models of other kinds
    assert len({option.help for verb, option in found.items() if verb not in others}) == 1


def test_out_is_short_and_says_what_it_names_everywhere():
    found = options("--out")
    assert {verb for verb, option in found.items() if "-o" not in option.opts} == set()
    assert all(option.help for option in found.values())


@pytest.mark.parametrize("verb", ["index", "search", "info", "list", "roots", "remove", "watch", "serve"])
def test_the_index_comes_first(verb):
    first = VERBS[verb].params[0]
    metavar = "INDEX..." if verb == "serve" else "INDEX"
    assert (first.param_type_name, first.metavar, first.required) == ("argument", metavar, True)


def test_no_option_means_two_things():
    assert not options("--clips").keys() - {"corpus estimate"}
    assert not options("--where").keys() - {"serve"}
    assert not options("--index").keys() - {"ask"}  # its arguments are what is shown


def test_the_exit_codes_that_the_help_names_are_those_in_use():
    codes = {value for name, value in vars(exit_codes).items() if name.isupper()}
    helped = CliRunner().invoke(app, ["--help"])
    line = " ".join(helped.stdout.split())
    assert all(f"{code} " in line[line.index("Exit codes") :] for code in codes)


def test_json_is_one_object_a_line():
    done = CliRunner().invoke(app, ["models", "--json"])
    assert done.stdout and all(isinstance(json.loads(line), dict) for line in done.stdout.splitlines())


@pytest.mark.parametrize("verb", sorted(options("--address")))
def test_the_address_of_a_cluster_goes_with_the_engine(verb, tmp_path):
    first = {"index": ["my.index"], "corpus run": ["titles.txt", "--out"]}
    named = [*first.get(verb, []), str(tmp_path)]
    result = CliRunner().invoke(app, [*verb.split(), *named, "--address", "auto"])
    assert result.exit_code == exit_codes.USAGE
    assert "--engine ray" in result.output

"""What every verb does around its work: it writes under its name, and its inputs are safe from it.

Its options have the defaults that a person keeps in a file (``sayso.core.user_config``): a table for each
verb, and above the tables what counts for every verb that has such an option.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from typer import BadParameter
from typer.core import TyperCommand, TyperGroup

from sayso.core.errors import SaysoError, UsageError
from sayso.core.ownership import writing
from sayso.core.user_config import read_user_config, user_config_file

OUTPUTS = frozenset({"out", "failures", "overlay"})
HELP = frozenset({"-h", "--help"})
UNSETTABLE = frozenset({"help", "version", "install_completion", "show_completion"})
OF_AN_INDEX = ("model", "window", "segments", "sample")
"""What an index remembers: the file says it for new ones alone."""


class Verb(TyperCommand):
    """A verb of the command."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb; meanwhile files are written as its own."""
        _leave_to_index(ctx)
        given = (value for name, value in ctx.params.items() if name not in OUTPUTS)
        hint = "give another --out" if "out" in ctx.params else "give another file"
        hint += ", or add --overwrite" if "overwrite" in ctx.params else ""
        overwrite = bool(ctx.params.get("overwrite"))
        with writing(_verb_name(ctx), _files(given), overwrite=overwrite, hint=hint):
            return super().invoke(ctx)


class Stages(TyperGroup):
    """A verb that has stages, each with options of its own."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the stage that is named first.

        Raises:
            UsageError: if it is none.
        """
        if args and args[0] not in self.commands:
            raise UsageError(
                f"{args[0]!r} is no stage of sayso {self.name}; say which first, one of "
                f"{', '.join(self.commands)}: sayso {self.name} --help"
            )
        return super().resolve_command(ctx, args)


class Verbs(TyperGroup):
    """The command, whose verbs have a person's own defaults."""

    whole: ClassVar[Any]
    """Gives the command with all of its verbs; that for one of them has but that one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the defaults from the file; where help is asked for, a file that is wrong is no hindrance."""
        with suppress(*[SaysoError] if HELP & set(args) else []):
            said = read_user_config()
            if said:
                ctx.default_map = configured_defaults(self if _suffices(self, said) else self.whole(), said)
        return super().parse_args(ctx, args)


def _suffices(group: Any, said: Mapping[str, Any]) -> bool:
    """Tell whether all that a file says is of the verbs that a command has."""
    known = {name for command in (group, *group.commands.values()) for name in _options(command)}
    return all(name in group.commands or _spelt(name) in known for name in said)


def configured_defaults(group: Any, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a person's file says, by verb and by the names of parameters, as click takes it.

    Args:
        group: the command, with its verbs.
        said: what the file says.

    Raises:
        UsageError: if it names something that is not there, or gives a value that does not fit.
    """
    tables = {name: value for name, value in said.items() if isinstance(value, dict)}
    common = {name: value for name, value in said.items() if name not in tables}
    where = f"the configuration {user_config_file()}"
    _refuse_unknown(tables, group.commands, f"{where} has a table for the unknown verb")
    everywhere = {name for command in (group, *group.commands.values()) for name in _options(command)}
    _refuse_unknown(common, everywhere, f"{where} has the unknown option")
    found: dict[str, Any] = _converted(group, common, where)
    for verb, command in group.commands.items():
        options = _options(command)
        own = tables.get(verb, {})
        _refuse_unknown(own, options, f"{where}, [{verb}] has the unknown option")
        known = {name: value for name, value in common.items() if _spelt(name) in options}
        found[verb] = _of_stages(command, {**known, **own}, f"{where}, [{verb}]")
    return found


def _of_stages(command: Any, said: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return what a file says of a verb; where it has stages, for each of them that has such options."""
    if not isinstance(command, Stages):
        return _converted(command, said, where)
    return {name: _converted(stage, said, where) for name, stage in command.commands.items()}


def _verb_name(ctx: Any) -> str:
    """Return the name of the verb that runs; a stage writes as its verb."""
    while ctx.parent is not None and ctx.parent.parent is not None:
        ctx = ctx.parent
    return str(ctx.command.name)


def _spelt(name: str) -> str:
    return name.replace("_", "-")


def _options(command: Any) -> dict[str, Any]:
    """Return the options of a verb, with those of its stages, by their long names, without the dashes."""
    stages = command.commands.values() if isinstance(command, Stages) else ()
    options = (
        one
        for params in (command.params, *(stage.params for stage in stages))
        for one in params
        if one.param_type_name == "option" and one.name not in UNSETTABLE
    )
    return {max(one.opts, key=len).lstrip("-"): one for one in options}


def _refuse_unknown(said: Iterable[str], known: Iterable[str], what: str) -> None:
    names = sorted(known)
    for name in said:
        if _spelt(name) not in names:
            near = difflib.get_close_matches(_spelt(name), names, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
            raise UsageError(f"{what} {name!r}; {hint}")


def _converted(command: Any, said: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return values by the names of parameters; each must be one that the option takes."""
    options, context = _options(command), command.context_class(command, info_name=command.name)
    found = {}
    for name, value in said.items():
        option = options.get(_spelt(name))
        if option is None:
            continue
        try:
            _check_plain(value, flag=option.is_flag)
            option.process_value(context, value)
        except BadParameter as error:
            why = error.message.removeprefix("Value error, ").rstrip(".")
            raise UsageError(f"{where}: {name} = {value!r} does not fit: {why}") from error
        found[option.name] = value
    return found


def _check_plain(value: Any, *, flag: bool) -> None:
    if flag and not isinstance(value, bool):
        raise BadParameter("it takes true or false")
    if isinstance(value, dict):
        raise BadParameter("it takes no table")


def _leave_to_index(ctx: Any) -> None:
    """Forget what the file says of an index, where that is there already and remembers for itself."""
    names = [name for name in OF_AN_INDEX if name in ctx.params and ctx.params[name] is not None]
    names = [name for name in names if ctx.get_parameter_source(name).name == "DEFAULT_MAP"]
    if not names or "address" not in ctx.params:
        return
    from sayso.index.store import Store

    if Store(ctx.params["address"]).exists:
        ctx.params.update(dict.fromkeys(names))


def _files(values: Iterable[object]) -> Iterator[Path]:
    """Give the files among the values of arguments and options."""
    for value in values:
        if isinstance(value, list | tuple):
            yield from _files(value)
        elif isinstance(value, str | Path):
            with suppress(OSError, ValueError):  # a sentence may be too long for a name
                if (path := Path(value).expanduser()).is_file():
                    yield path

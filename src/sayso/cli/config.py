"""``sayso config``: where a person's defaults are kept, and what they are."""

from __future__ import annotations

import json

from sayso.cli.options import Json
from sayso.cli.output import print_lines

EXAMPLE = """device = "cpu"        # for every verb that has such an option

[search]
limit = 50            # for: sayso search

[index]
model = "offline"     # for new indexes: an index remembers its own"""


def config(as_json: Json = False) -> None:
    """Show the file with your defaults for options, and what it sets.

    It is ~/.config/sayso/config.toml, below XDG_CONFIG_HOME where that is set; SAYSO_CONFIG names
    another. Options on the command line count more, and so does what an index remembers.

    Examples:

      sayso config

      SAYSO_CONFIG=work.toml sayso search my.index "a dog"
    """
    from sayso.core.user_config import read_user_config, user_config_file

    path, said = user_config_file(), read_user_config()
    if as_json:
        print(json.dumps({"path": path and str(path), "exists": bool(path and path.exists()), "sets": said}))
        return
    if path is None or not path.exists():
        print(
            f"{path} is not there; it could say, for example:\n\n{EXAMPLE}"
            if path
            else "SAYSO_CONFIG is empty"
        )
        return
    print_lines([str(path)])
    common = {name: value for name, value in said.items() if not isinstance(value, dict)}
    tables = {name: value for name, value in said.items() if isinstance(value, dict)}
    for verb, values in {
        "every verb": common,
        **{f"sayso {name}": table for name, table in tables.items()},
    }.items():
        for name, value in values.items():
            print_lines([f"  {verb:16}  {name} = {json.dumps(value, ensure_ascii=False)}"])
    if not said:
        print("  sets nothing")

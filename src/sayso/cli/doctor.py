"""``sayso doctor``: what this machine has, what is missing, and the command that installs it."""

from __future__ import annotations

import json

from sayso.cli.options import Json


def doctor(as_json: Json = False) -> None:
    """Say what is installed, what is missing, and how to get it.

    Prints versions, devices, codecs, extras with the command that installs each,
    and where models are cached. It opens no connection and changes nothing.

    Examples:

      sayso doctor

      sayso doctor --json
    """
    from sayso.cli.output import print_sections
    from sayso.hub.diagnosis import diagnose

    diagnosis = diagnose()
    if as_json:
        print(json.dumps(diagnosis.to_dict(), ensure_ascii=False))
    else:
        print_sections(diagnosis.sections())

"""``sayso doctor``: what this machine has, what is missing, and the command that installs it."""

from __future__ import annotations

from sayso.cli.options import Json


def doctor(as_json: Json = False) -> None:
    """Say what is installed, what is missing, and how to get it.

    Prints versions, devices, codecs, extras with the command that installs each,
    where models are cached, and what keeps them loaded. It opens no connection and changes nothing.

    Examples:

      sayso doctor

      sayso doctor --json
    """
    from sayso.cli.output import listener_line, print_json, print_sections
    from sayso.hub.diagnosis import diagnose
    from sayso.serve.local.start import listeners

    diagnosis, running = diagnose(), listeners()
    if as_json:
        print_json({**diagnosis.to_dict(), "running": running})
    else:
        rows = [("", listener_line(one)) for one in running] or [("", "nothing; see: sayso daemon --help")]
        print_sections([*diagnosis.sections(), ("Running", rows)])

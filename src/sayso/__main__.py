"""The program ``sayso``, which ``python -m sayso`` is too."""

from sayso.cli.main import main
from sayso.core.leaving import run_and_leave


def program() -> None:
    """Run the command, and end the process."""
    run_and_leave(main)


if __name__ == "__main__":
    program()

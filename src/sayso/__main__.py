"""``python -m sayso`` is the same program as ``sayso``."""

from sayso.cli.main import main

main()

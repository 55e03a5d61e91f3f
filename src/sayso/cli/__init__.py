"""The command ``sayso``: one file per verb, each thin: parse, call, print."""

"""Searching through a process that has everything at hand already: ``sayso serve``, or a small daemon.

``sayso search`` asks it over a Unix socket, in a folder that is this user's alone (``place``), by one line of
JSON and is answered by one (``lines``). Whatever does not come as it should, an error among it, is done again
in the asking process, so that the answer never depends on who gave it.
"""

"""Progress goes to stderr: a bar for people, JSON for programs, silence for pipes."""

from __future__ import annotations

import json
import logging

from sayso.core.progress import Amount, reporter, show_log


def test_programs_get_json_lines(capsys):
    with reporter("indexing", mode="json") as bar:
        bar.update(1, 4, "a.mp4")
        bar.update(2, 4, "b.mp4")
        bar.update(4, 4, "d.mp4")
        bar.message("half way")
    out, err = capsys.readouterr()
    assert out == ""
    first, *_, last, message = [json.loads(line) for line in err.splitlines()]
    assert (first["done"], last["done"], last["total"], last["eta_s"]) == (1, 4, 4, 0)
    assert message == {"task": "indexing", "message": "half way"}


def test_a_pipe_gets_messages_alone(capsys):
    with reporter("indexing") as bar:
        bar.update(1, 4)
        bar.message("another process is writing")
    assert capsys.readouterr() == ("", "another process is writing\n")


def test_a_person_gets_a_bar(capsys):
    with reporter("indexing", mode="bar") as bar:
        bar.update(1, 4, "x[red].mp4")
        bar.message("told [beside] it")
    out, err = capsys.readouterr()
    assert out == ""
    assert "told [beside] it" in err


def test_what_is_logged_is_shown_once_by_the_reporter_at_work(capsys):
    log = logging.getLogger("sayso.somewhere")
    show_log()
    show_log()
    log.info("plain %s", "text")
    with reporter("work", mode="json"):
        log.warning("a line")
    log.debug("never shown")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "plain text"
    assert json.loads(lines[1]) == {"task": "work", "message": "a line"}
    assert len(lines) == 2


def test_media_time_is_shown_in_the_bar_and_to_programs(capsys):
    amount = Amount(1800.5, 3601.0, 1800.0, 3600.0, 10**9, 2 * 10**9, 15.0, 120.0)
    with reporter("indexing", mode="json") as bar:
        bar.update(3, 4, "long.mp4", amount)
    said = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (said["done"], said["total"], said["seconds"], said["total_seconds"]) == (3, 4, 1800, 3600)
    assert said["eta_s"] == 120 and said["real_time"] == 15
    assert (said["bytes"], said["total_bytes"]) == (10**9, 2 * 10**9)
    with reporter("indexing", mode="bar") as bar:
        bar.update(3, 4, "long.mp4", amount)
        shown = bar.bar.tasks[0].fields["facts"]
    assert shown == "3/4 files  0:02:00 left  0:30:00/1:00:00 of video  15 x real time  1.0/2.0 GB  long.mp4"

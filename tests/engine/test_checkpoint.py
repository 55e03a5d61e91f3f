"""Old steps go, what a person changed stays; lines of a log too."""

from __future__ import annotations

import json

import pytest

from sayso.core.errors import SaysoError
from sayso.core.ownership import writing
from sayso.engine.checkpoint import Checkpoints
from sayso.engine.metrics_log import MetricsLog


def _write(folder):
    (folder / "part").mkdir()
    (folder / "part" / "weights").write_bytes(bytes(100))
    (folder / "README.md").write_text("a model\n")


@pytest.mark.parametrize("verb", ["train", None])
def test_a_step_that_a_person_changed_is_not_pruned(tmp_path, verb, caplog):
    if verb:
        with writing(verb):
            _run(tmp_path, caplog)
    else:
        _run(tmp_path, caplog)


def _run(folder, caplog):
    checkpoints = Checkpoints(folder / "run", save_total_limit=2)
    with checkpoints.locked():
        for step in (1, 2, 3):
            checkpoints.save(step, _write, {})
        assert checkpoints.steps() == [2, 3]
        (checkpoints.at(2) / "README.md").write_text("a model; the best one, by Ann\n")
        (checkpoints.at(3) / "notes.txt").write_text("to be looked at\n")
        for step in (4, 5, 6):
            checkpoints.save(step, _write, {})
    assert checkpoints.steps() == [2, 3, 5, 6]
    said = [record.message for record in caplog.records]
    assert said == [f"{checkpoints.at(n)} was changed since it was written, and is kept" for n in (2, 3)]
    with checkpoints.locked():
        checkpoints.save(2, _write, {})
    moved = checkpoints.folder / "changed_1_step_00000002"
    assert (moved / "README.md").read_text() == "a model; the best one, by Ann\n"


@pytest.mark.parametrize("lost", [("best",), ("latest",), ("best", "latest")])
def test_links_that_a_killed_run_did_not_set_are_set_by_the_next(tmp_path, lost):
    checkpoints = Checkpoints(tmp_path / "run", save_total_limit=2)
    with checkpoints.locked():
        checkpoints.save(1, _write, {}, score=0.5)
        checkpoints.save(2, _write, {}, score=0.25)
    for name in lost:
        (checkpoints.folder / name).unlink()
    with checkpoints.locked():
        assert checkpoints.best() == 1
        assert (checkpoints.folder / "latest").readlink().name == checkpoints.at(2).name
        checkpoints.save(3, _write, {}, score=0.4)
    assert checkpoints.steps() == [1, 2, 3]  # the best is not pruned


def test_lines_of_others_stay_in_the_log(tmp_path):
    ours = [json.dumps({"step": step}) for step in (10, 20, 30)]
    lines = ["# warm-up was too short", *ours, "# killed here"]
    (tmp_path / "log.jsonl").write_bytes("\n".join(lines).encode() + b" \xff\n" + b'{"step": 4')
    MetricsLog(tmp_path, 20).write({"step": 21})
    text = (tmp_path / "log.jsonl").read_bytes().splitlines()
    assert text[:4] == [
        b"# warm-up was too short",
        *(one.encode() for one in ours[:2]),
        b"# killed here \xff",
    ]
    assert json.loads(text[4])["step"] == 21 and len(text) == 5


def test_a_recipe_that_a_person_edited_in_a_run_without_steps_stays(tmp_path):
    checkpoints, recipe = Checkpoints(tmp_path / "run"), tmp_path / "run" / "config.toml"
    with writing("train"), checkpoints.locked():
        checkpoints.keep_recipe("steps = 3\n")
        checkpoints.keep_recipe("steps = 4\n")  # its own from a run that was killed at once
        assert recipe.read_text() == "steps = 4\n"
        recipe.write_text("# as Ann wants it\nsteps = 9\n")
        with pytest.raises(SaysoError, match=r"config.toml is there already"):
            checkpoints.keep_recipe("steps = 4\n")
        checkpoints.keep_recipe("steps = 9\n")  # asked to go on with what she wrote
        assert recipe.read_text() == "# as Ann wants it\nsteps = 9\n"
    with writing("train", overwrite=True):
        checkpoints.keep_recipe("steps = 4\n")
    assert recipe.read_text() == "steps = 4\n"


def _write_state(folder):
    (folder / "state.pt").write_bytes(bytes(1000))


def _flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("harm", [_flip, lambda path: path.write_bytes(b""), lambda path: path.unlink()])
@pytest.mark.parametrize("name", ["state.pt", "data.json"])
def test_a_damaged_step_is_set_aside_for_the_one_before(tmp_path, name, harm, caplog):
    checkpoints = Checkpoints(tmp_path / "run")
    with writing("train"), checkpoints.locked():
        for step in (1, 2, 3):
            checkpoints.save(step, _write_state, {"loader": {"epoch": step}})
        checkpoints.set_damaged_aside()
        assert checkpoints.steps() == [1, 2, 3] and not caplog.messages
        for step in (2, 3):
            harm(checkpoints.at(step) / name)
        checkpoints.set_damaged_aside()
        assert checkpoints.steps() == [1]
        assert (tmp_path / "run" / "latest").resolve() == checkpoints.at(1)
        assert (tmp_path / "run" / "damaged_1_step_00000003").is_dir(), "nothing is deleted"
        assert ["goes on from before it" in said for said in caplog.messages] == [True] * 2
        checkpoints.save(2, _write_state, {})
        assert checkpoints.steps() == [1, 2]


def test_where_no_step_is_whole_nothing_changes(tmp_path):
    checkpoints = Checkpoints(tmp_path / "run")
    with writing("train"), checkpoints.locked():
        checkpoints.save(1, _write_state, {})
        _flip(checkpoints.at(1) / "state.pt")
        with pytest.raises(SaysoError, match=r"no step of .*state\.pt is damaged.*another --out"):
            checkpoints.set_damaged_aside()
    assert checkpoints.steps() == [1]


def test_old_steps_that_a_killed_run_did_not_remove_go_when_it_goes_on_from_a_whole_one(tmp_path):
    many, two = Checkpoints(tmp_path / "run", 9), Checkpoints(tmp_path / "run", 1)
    with many.locked():
        for step in (1, 2, 3):
            many.save(step, _write_state, {})
    _flip(many.at(3) / "state.pt")
    with two.locked():
        two.set_damaged_aside()
    assert two.steps() == [2]
    assert (two.folder / "latest").readlink().name == "step_00000002"

"""Names and templates of files in every form, and of packages, of which no code is run."""

from __future__ import annotations

import json
import sys

import pytest

from sayso.core.errors import SaysoError
from sayso.data.class_names import names_given, packaged_names, read_class_names, read_templates


def write(folder, name, content):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("n.txt", "\ufeffcat\n\n  red panda \n"),
        ("n.json", ["cat", "red panda"]),
        ("n.json", {"mine": ["cat", "red panda"]}),
        ("n.json", {"mine": ["cat", "red panda"], "other": ["x", "y", "z"]}),
    ],
)
def test_names_in_every_form(tmp_path, name, content):
    assert read_class_names(write(tmp_path, name, content), "mine") == ["cat", "red panda"]


def test_names_by_folder_and_several_for_a_class(tmp_path):
    table = {"n01": "cat", "n02": ["dog", "hound"]}
    assert read_class_names(write(tmp_path, "n.json", table)) == table
    listed = ["cat", ["dog", "hound"]]
    assert read_class_names(write(tmp_path, "n.json", listed)) == listed


def test_templates_for_all_and_for_each(tmp_path):
    assert read_templates(write(tmp_path, "t.txt", "a {c}\nthe {}\n")) == ["a {c}", "the {}"]
    both = {"a": ["one {c}"], "b": ["two {c}"]}
    assert read_templates(write(tmp_path, "t.json", both), "b") == ["two {c}"]
    cupl = {"imagenet1k": {"cat": ["it purrs"], "dog": ["it barks", "a tail"]}}
    assert read_templates(write(tmp_path, "t.json", cupl), "imagenet1k") == cupl["imagenet1k"]


@pytest.mark.parametrize("content", ["", "[]", "{}", "[1, 2]", '{"a": 3}', '[["x", 2]]', "3", '{"a": [[]]}'])
def test_what_holds_none_is_told(tmp_path, content):
    path = write(tmp_path, "x.json" if content else "x.txt", content)
    with pytest.raises(SaysoError, match="holds no list of names"):
        read_class_names(path)
    with pytest.raises(SaysoError, match="holds no templates"):
        read_templates(path)


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    for name in ("none.txt", "none.json"):
        with pytest.raises(SaysoError, match=name):
            read_class_names(tmp_path / name)
    (tmp_path / "x.txt").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(SaysoError, match="cannot be read"):
        read_class_names(tmp_path / "x.txt")


def test_what_a_person_means_by_names(tmp_path):
    path = write(tmp_path, "names.txt", "a\nb\n")
    assert names_given(str(path)) == path
    assert names_given("dog, red panda,") == ["dog", "red panda"]
    many = [f"animal {n}" for n in range(100)]  # longer than the name of a file may be
    assert names_given(", ".join(many)) == many
    with pytest.raises(SaysoError, match="no names are given"):
        names_given(" , ")
    with pytest.raises(SaysoError, match=r"there is no file of names 'nmaes.txt'"):
        names_given("nmaes.txt")


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Packages whose code cannot be run, as without torchvision."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sayso.data.class_names.find_spec", _spec_in(tmp_path))

    def install(name):
        package = tmp_path / name
        (package / "datasets").mkdir(parents=True)
        (package / "__init__.py").write_text("raise ImportError('torchvision')\n")
        return package

    return install


def _spec_in(folder):
    from importlib.machinery import PathFinder

    return lambda name: PathFinder.find_spec(name, [str(folder)])


def test_names_of_clip_benchmark_are_read_without_its_code(installed):
    package = installed("clip_benchmark")
    write(package / "datasets", "en_classnames.json", {"imagenet1k": ["tench", "goldfish"]})
    templates = "en_zeroshot_classification_templates.json"
    write(package / "datasets", templates, {"imagenet1k": ["a {c}"], "food101": ["b {c}"]})
    loaded = set(sys.modules)
    found = packaged_names()
    assert (found.names, found.templates, found.source) == (
        ["tench", "goldfish"],
        ["a {c}"],
        "clip_benchmark",
    )
    assert packaged_names("food101") is None
    assert sys.modules.keys() == loaded


def test_names_of_open_clip_are_read_from_its_syntax(installed):
    package = installed("open_clip")
    code = "OPENAI_IMAGENET_TEMPLATES = (lambda c: f'a {c}.', lambda c: f'the {c} in {{}} {c}', 'many {c}')\n"
    code += "IMAGENET_CLASSNAMES = ('tench', \"gold\" 'fish')\nimport torchvision\nraise SystemExit\n"
    (package / "zero_shot_metadata.py").write_text(code)
    found = packaged_names()
    assert found.source == "open_clip"
    assert list(found.names) == ["tench", "goldfish"]
    assert list(found.templates) == ["a {c}.", "the {c} in {} {c}", "many {c}"]
    assert packaged_names("food101") is None
    (package / "zero_shot_metadata.py").write_text("def broken(:")
    assert packaged_names() is None


def test_the_installed_packages_agree(monkeypatch):
    """The published names: 1,000, two of them twice, and 80 templates, of either package."""
    reference = pytest.importorskip("clip_benchmark")
    pytest.importorskip("importlib.util").find_spec("open_clip") or pytest.skip("open_clip is not installed")
    assert reference
    one = packaged_names()
    monkeypatch.setattr("sayso.data.class_names._CLIP_BENCHMARK", {"names": "none", "templates": "none"})
    assert one.source == "clip_benchmark"
    from sayso.data.class_names import _of_open_clip, _package

    other = _of_open_clip(_package("open_clip") / "zero_shot_metadata.py")
    assert list(one.names) == list(other.names)
    assert list(one.templates) == list(other.templates)
    assert (len(one.names), len(set(one.names)), len(one.templates)) == (1000, 998, 80)
    assert [k for k, name in enumerate(one.names) if name in ("missile", "sunglasses")] == [
        657,
        744,
        836,
        837,
    ]

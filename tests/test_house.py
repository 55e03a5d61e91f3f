"""The house keeps its rules: a short public list, and heavy libraries only where they are used."""

from __future__ import annotations

import json
import subprocess
import tomllib
from itertools import chain
from pathlib import Path

import pytest

import sayso
from command import python
from house import SOURCE, faces, module_graph, modules, script

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "transformers", "lancedb", "pyarrow", "av", "PIL", "fastapi", "rich", "numpy"}


def modules_after(code: str) -> set[str]:
    """Return the top-level modules loaded in a fresh interpreter."""
    program = (
        f"import sys, json\n{code}\nprint(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    )
    done = subprocess.run(python(program), capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_public_names_are_few_sorted_and_there():
    assert sayso.__all__ == sorted(sayso.__all__)
    assert len(sayso.__all__) <= 25
    for name in sayso.__all__:
        assert getattr(sayso, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sayso.nothing  # noqa: B018


@pytest.mark.parametrize(
    "code",
    [
        "import sayso",
        "from sayso.cli.main import app\nfrom typer.testing import CliRunner\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0",
        "from sayso.cli.main import app\nfrom typer.testing import CliRunner\n"
        "assert CliRunner().invoke(app, ['search', '--help']).exit_code == 0",
    ],
)
def test_importing_and_asking_for_help_load_nothing_heavy(code):
    loaded = modules_after(code) & HEAVY
    assert loaded <= ({"rich"} if "CliRunner" in code else set())


def test_searching_with_another_encoder_loads_no_torch(tmp_path):
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r})\nimport toy\nfrom pathlib import Path\n"
    code += f"from sayso import Index\nfolder = Path({str(tmp_path)!r})\n"
    code += "toy.make_picture(folder / 'a.png', 'red')\n"
    code += "index = Index.open(folder / 'x.index', toy.ColourEncoder())\n"
    code += "index.add(folder)\nassert index.search('red')"
    assert "torch" not in modules_after(code)


def test_every_extra_is_in_all_and_nothing_is_pinned_from_above():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert set(extras["all"][0].partition("[")[2].rstrip("]").split(",")) == extras.keys() - {"all", "dev"}
    for requirement in chain(project["dependencies"], *extras.values()):
        assert not set(requirement) & set("<~!"), requirement
        assert "==" not in requirement


def test_the_constraints_pin_torch():
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().splitlines()


def test_every_module_says_what_it_is_and_none_is_long():
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text()
        assert text.startswith(('"""', 'r"""')), f"{path} has no docstring"
        assert text.count("\n") <= 400, f"{path} holds more than one idea"


def test_nothing_names_a_place_of_one_machine():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    homes = [str(Path.home()) + "/", str(ROOT.parent) + "/"]
    for name in tracked:
        path = ROOT / name
        if path.is_file() and path.suffix in {".py", ".md", ".toml", ".txt", ".js", ".html", ".css", ""}:
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not any(home in text for home in homes if len(home) > 3), name


SYSTEMS = ROOT / "src" / "sayso" / "systems"


def test_what_faces_import_lazily_is_what_a_type_checker_sees():
    lazy = [module for module in faces() if module_graph.lazy_table(module)]
    assert len(lazy) > 20
    for module in lazy:
        check_face(module)


def check_face(module):
    table, typed = module_graph.lazy_table(module), module_graph.typing_names(module)
    assert "else:\n    __getattr__" in module.path.read_text(), "a type checker takes any name then"
    assert typed.keys() == table.keys(), module.name
    eager = module_graph.face_table(module, lazy=False).keys() - typed.keys()
    listed = set(module_graph.listed_names(module))
    assert table.keys() <= listed <= table.keys() | eager | own_names(module), module.name
    for name, where in table.items():
        assert typed[name] in (where, where.removesuffix(f".{name}")), f"{module.name}.{name}"


def own_names(module) -> set[str]:
    body = module.tree.body
    return {node.name for node in body if hasattr(node, "name")} | {
        target.id for node in body if hasattr(node, "targets") for target in node.targets
    }


def test_no_module_imports_itself_by_others():
    """Circles that close inside functions, or for types alone, count too."""
    kinds = (module_graph.START, module_graph.INNER, module_graph.TYPING)
    assert module_graph.circles(modules(), kinds) == []


def test_a_circle_would_be_found(tmp_path):
    package = tmp_path / "sayso"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "inner" / "__init__.py").write_text(
        "from sayso.core.lazy import exports\n__getattr__ = exports(__name__, {'f': 'sayso.inner.a'})\n"
    )
    (package / "inner" / "a.py").write_text("from sayso import b\n\ndef f(): ...\n")
    (package / "b.py").write_text("def g():\n    from sayso.inner import f\n")
    read = module_graph.read_modules(tmp_path)
    assert module_graph.circles(read) == [["sayso.b", "sayso.inner.a"]]
    assert not module_graph.circles(read, [module_graph.START])


def systems() -> list[str]:
    return sorted(
        path.stem for path in SYSTEMS.iterdir() if path.stem.isidentifier() and not path.stem.startswith("__")
    )


def there(folder: Path, pattern: str) -> bool:
    return any(folder.glob(pattern))


@pytest.mark.parametrize("system", systems())
def test_a_system_is_code_tests_a_page_an_example_and_a_recipe(system):
    lacking = []
    tests = ROOT / "tests" / "systems"
    if not (there(tests, f"test_{system}*") or there(tests / system, "test_*")):
        lacking.append(f"tests/systems/test_{system}.py")
    if not (ROOT / "docs" / "systems" / f"{system}.md").is_file():
        lacking.append(f"docs/systems/{system}.md")
    if not (ROOT / "examples" / f"{system}.py").is_file():
        lacking.append(f"examples/{system}.py")
    if system in trained() and not (ROOT / "src" / "sayso" / "recipes" / f"{system}.toml").is_file():
        lacking.append(f"src/sayso/recipes/{system}.toml")
    assert not lacking


def trained() -> set[str]:
    """The systems that train, by the names of their modules."""
    registry = pytest.importorskip("sayso.engine.system").SYSTEMS
    return {name.replace("-", "_") for name in registry.built_in}


def test_every_system_that_trains_is_there():
    assert trained() <= set(systems())


def test_measuring_the_house_says_what_is_there():
    measure = script("measure_house")
    found = {**measure.sizes(modules()), **measure.described(modules()), **measure.verbs(modules())}
    assert found["files"].startswith(f"{len(modules())}, ")
    total, untyped = measure.typed_names(modules())
    assert 0 <= len(untyped) < total


def test_the_picture_of_the_architecture_is_up_to_date():
    draw = script("draw_architecture")
    drawn = draw.draw(SOURCE, ROOT / "pyproject.toml")
    assert (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8") == drawn, "run: make docs"


def test_arrows_that_follow_from_others_are_left_out():
    reduced = script("draw_architecture").reduced
    assert reduced({"a": {"b", "c"}, "b": {"c"}}) == [("a", "b"), ("b", "c")]
    assert reduced({"a": {"b", "c"}, "b": {"a", "c"}}) == [("a", "b"), ("a", "c"), ("b", "a"), ("b", "c")]


def test_the_ways_of_data_name_what_is_there():
    measure = script("measure_house")
    ways = measure.ways_listed((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    assert ways.keys() >= measure.WAYS_BEFORE.keys()
    known = measure.defined_names(modules())
    for way, parts in ways.items():
        assert [part for part in parts if part not in known] == [], way

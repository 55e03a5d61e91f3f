"""Measure the house: how long its files and functions are, what is typed, described, defined twice ...

    python scripts/measure_house.py .                              # this tree
    python scripts/measure_house.py . --against ../old             # beside an older checkout
    python scripts/measure_house.py . --against ../old --time      # and how long its tests take (minutes)

All but the seconds is read from the text of ``src/sayso``. A function's lines go from its ``def`` to its
end, its docstring included; verbs of the command line and routes of the server are left out of the shares of
docstrings, since their options and fields are described one by one, for people who never see the code. A name
counts as defined twice when it is a public class or function at the top of two modules; what a contract asks
of each module (``CONTRACT``) is left out. The ways of data are read from ``docs/architecture.md``; for a tree
without one, from ``WAYS_BEFORE``.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from module_graph import INNER, START, TYPING, Module, circles, face_table, listed_names, read_modules

Function = ast.FunctionDef | ast.AsyncFunctionDef

CONTRACT = {"main", "run", "Recipe"}
"""Names that many modules define since a contract asks for them: a system's one call, its options."""

WAYS_BEFORE = {
    "video -> vector": "Source -> Planned -> Record -> Job -> Facts -> Cut -> Embedded -> dict",
    "query -> hit": "TextSearch -> Term -> Candidate -> Hit -> dict -> HitAnswer",
    "caption -> loss": "Caption -> tuple -> Corpus -> Caption -> Example -> Filling -> Batch -> tuple",
    "screenplay -> moments": (
        "Element -> Screenplay -> ScriptWords -> Part -> Matches -> Placed -> AlignedScript -> dict"
    ),
    "tags -> heat map": "TaggedPicture -> Example -> Filling -> Batch -> tuple -> Located -> dict",
    "narrations -> steps": "Caption -> NarratedVideo -> Mention -> ScriptStep -> Placement -> Place -> dict",
    "film -> names": "Face -> Track -> Line -> Said -> Naming -> dict",
}
"""What one thing is wrapped in along each way at cc1231b, by reading it; plain dicts and tuples count."""

PLAIN = {"dict", "tuple", "str", "array"}
_SHAPE = re.compile(
    r"\(\s*(?:[A-Z][A-Za-z']{0,3}|\d+|\.\.\.)(?:\s*[,+*x-]\s*(?:[A-Z]\w{0,3}|\d+|\.\.\.))*,?\s*\)"
)
_ARRAY = re.compile(r"NDArray|ndarray|Tensor|Floats|Embeddings|Pixels")


def functions(module: Module) -> Iterator[tuple[str, Function, bool]]:
    """Yield (dotted name, function, whether it is a public one of the module or of a public class)."""

    def walk(body: list[ast.stmt], prefix: str, public: bool) -> Iterator[tuple[str, Function, bool]]:
        for node in body:
            if isinstance(node, Function):
                yield prefix + node.name, node, public and not node.name.startswith("_")
                yield from walk(node.body, f"{prefix}{node.name}.", False)
            elif isinstance(node, ast.ClassDef):
                yield from walk(node.body, f"{prefix}{node.name}.", public and not node.name.startswith("_"))
            elif isinstance(node, ast.If | ast.Try | ast.With):
                yield from walk(node.body, prefix, public)

    yield from walk(module.tree.body, "", True)


def length(node: ast.AST) -> int:
    """Return the lines of a function or class."""
    return int(node.end_lineno - node.lineno + 1)  # type: ignore[attr-defined]


def sizes(modules: dict[str, Module]) -> dict[str, str]:
    """Return files and functions: how many, median and longest."""
    files = {m.name: m.lines for m in modules.values()}
    every = {f"{m.name}.{name}": length(node) for m in modules.values() for name, node, _ in functions(m)}
    file, function = max(files, key=files.__getitem__), max(every, key=every.__getitem__)
    return {
        "files": f"{len(files)}, {sum(files.values()):,} lines",
        "file: median, longest": f"{median(files.values()):.0f}, {files[file]} ({_short(file)})",
        "files over 300 lines": str(sum(n > 300 for n in files.values())),
        "functions": f"{len(every):,}",
        "function: median, longest": f"{median(every.values()):.0f}, {every[function]} ({_short(function)})",
        "functions over 50 lines": str(sum(n > 50 for n in every.values())),
    }


def typed_names(modules: dict[str, Module]) -> tuple[int, list[str]]:
    """Return how many names the faces offer, and those that a type checker takes for Any."""
    total, untyped = 0, []
    for module in modules.values():
        if not module.is_face:
            continue
        seen = face_table(module, modules, lazy=False).keys() | {
            target.id
            for node in module.tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        seen |= {node.name for node in module.tree.body if isinstance(node, Function | ast.ClassDef)}
        names = listed_names(module)
        total += len(names)
        untyped += [f"{_short(module.name)}.{name}" for name in names if name not in seen]
    return total, untyped


def described(modules: dict[str, Module]) -> dict[str, str]:
    """Return the shares of public functions with a docstring, with Args, and with shapes."""
    having = every = args = many = shapes = arrays = 0
    for module in modules.values():
        if ".cli." in module.name:
            continue
        for _, node, public in functions(module):
            text = ast.get_docstring(node) or ""
            marks = [ast.unparse(mark) for mark in node.decorator_list]
            if not public or any(mark.endswith("overload") or mark.startswith("router.") for mark in marks):
                continue
            every += 1
            having += bool(text)
            taken = [a for a in _arguments(node) if a.arg not in {"self", "cls"}]
            if len(taken) < 3:
                continue
            many += 1
            args += "Args:" in text
            if any(a.annotation and _ARRAY.search(ast.unparse(a.annotation)) for a in taken):
                arrays += 1
                shapes += bool(_SHAPE.search(text))
    return {
        "public functions with a docstring": _share(having, every),
        "  of 3 parameters or more: with Args": _share(args, many),
        "  of these, taking arrays: with shapes": _share(shapes, arrays),
    }


def _arguments(node: Function) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def defined_twice(modules: dict[str, Module]) -> dict[str, list[str]]:
    """Return the public names that are defined in two modules or more -> the modules."""
    where: dict[str, list[str]] = defaultdict(list)
    for module in modules.values():
        for node in module.tree.body:
            if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
                verb = ".cli." in module.name and node.name == module.name.rpartition(".")[2]
                at = _short(module.name)
                if node.name not in CONTRACT and not verb and at not in where[node.name]:
                    where[node.name].append(at)
    return {name: at for name, at in sorted(where.items()) if len(at) > 1}


def verbs(modules: dict[str, Module]) -> dict[str, str]:
    """Return how long the verbs of the command line are, and their helpers beside them."""
    helpers, lines, worst = 0, {}, ("", 0)
    for module in modules.values():
        name = module.name.rpartition(".")[2]
        top = [n for n in module.tree.body if isinstance(n, Function | ast.ClassDef)]
        verb = module.name.startswith("sayso.cli.") and name != "main"
        if not verb or not any(n.name == name for n in top):
            continue
        lines[name] = module.lines
        here = sum(length(n) for n in top if n.name != name)
        helpers += here
        worst = max(worst, (name, here), key=lambda pair: pair[1])
    longest = max(lines, key=lines.__getitem__)
    return {
        "verbs: median file, longest": f"{median(lines.values()):.0f}, {lines[longest]} ({longest})",
        "lines of CLI helpers, most": f"{helpers}, {worst[1]} ({worst[0]})",
    }


def ways_of(tree: Path, modules: dict[str, Module]) -> dict[str, list[str]]:
    """Return what one thing is wrapped in along each way of data: its classes, and plain dicts and tuples.

    Raises:
        SystemExit: if something is named that the tree has not.
    """
    page = tree / "docs" / "architecture.md"
    if page.exists():
        ways = ways_listed(page.read_text(encoding="utf-8"))
    else:
        ways = {way: line.split(" -> ") for way, line in WAYS_BEFORE.items()}
    known = defined_names(modules)
    for way, parts in ways.items():
        if lost := [part for part in parts if part not in known]:
            sys.exit(f"{way}: there is no {', '.join(lost)} in {tree}")
    return {way: [p for p in parts if p in PLAIN or _is_class(p)] for way, parts in ways.items()}


def _is_class(name: str) -> bool:
    return name[0].isupper() and "." not in name


def ways_listed(page: str) -> dict[str, list[str]]:
    """Return way -> what it passes, of the lines ``**way**: `a -> B -> c` `` of docs/architecture.md."""
    found = re.findall(r"^\*\*(.+?)\*\*: `(.+?)`", page, re.MULTILINE)
    return {way: [part.split("(")[0].strip() for part in line.split("->")] for way, line in found}


def defined_names(modules: dict[str, Module]) -> set[str]:
    """Return what a way may name: classes, functions, methods, aliases of types, and plain types."""
    named = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for module in modules.values() for node in ast.walk(module.tree)]
    found = {node.name for node in nodes if isinstance(node, named)}
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{method.name}" for method in node.body if isinstance(method, named)}
    for statement in (node for module in modules.values() for node in module.tree.body):
        if isinstance(statement, ast.Assign):
            found |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            found.add(statement.target.id)
    return found | PLAIN


def seconds(tree: Path, command: list[str], best_of: int = 1) -> float:
    """Return how long a command takes, in seconds: the best of a few runs."""
    took = []
    for _ in range(best_of):
        start = time.perf_counter()
        env = {**os.environ, "PYTHONPATH": str((tree / "src").resolve())}
        subprocess.run(command, cwd=tree, env=env, check=True, capture_output=True)
        took.append(time.perf_counter() - start)
    return min(took)


def timed(tree: Path, tests: bool) -> dict[str, str]:
    """Return seconds: of importing, of asking for help, and, if wanted, of both tiers of tests."""
    python = sys.executable
    quick = "[tool.pytest" in (text := (tree / "pyproject.toml").read_text()) and '"quick:' in text
    spread = ["-n", "2", "--dist", "loadgroup"] if quick else []
    found = {
        "seconds of import sayso": f"{seconds(tree, [python, '-c', 'import sayso'], 5):.2f}",
        "seconds of sayso --help": f"{seconds(tree, [python, '-m', 'sayso', '--help'], 5):.2f}",
    }
    if tests:
        fast = [python, "-m", "pytest", *spread, "-m", "quick and not slow"]
        found["seconds of make quick"] = f"{seconds(tree, fast):.0f}" if quick else "there is none"
        found["seconds of make test"] = f"{seconds(tree, [python, '-m', 'pytest', *spread]):.0f}"
    return found


def measure(tree: Path, *, tests: bool = False) -> dict[str, str]:
    """Return every row of the table."""
    modules = read_modules(tree / "src")
    total, untyped = typed_names(modules)
    twice = defined_twice(modules)
    rows = sizes(modules)
    rows["public names with types"] = _share(total - len(untyped), total)
    rows |= described(modules)
    rows["public names defined twice"] = str(len(twice))
    rows["import circles, when imported"] = str(len(circles(modules, [START])))
    rows["  and inside functions"] = str(len(circles(modules, [START, INNER])))
    rows["  and for types alone"] = str(len(circles(modules, [START, INNER, TYPING])))
    rows |= verbs(modules)
    rows |= {f"wrappings: {way}": str(len(parts)) for way, parts in ways_of(tree, modules).items()}
    return rows | timed(tree, tests)


def main() -> None:
    """Print the table, and the lists behind it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tree", type=Path, help="a checkout")
    parser.add_argument("--against", type=Path, help="an older checkout: its numbers come first")
    parser.add_argument("--time", action="store_true", help="run both tiers of the tests too (minutes)")
    parser.add_argument("--names", action="store_true", help="list the names behind the counts")
    options = parser.parse_args()
    trees = [tree for tree in (options.against, options.tree) if tree]
    tables = [measure(tree, tests=options.time) for tree in trees]
    heads = ["before", "after"][-len(trees) :]
    rows = [("", *heads)] + [(key, *(table.get(key, "") for table in tables)) for key in tables[-1]]
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for head, tree in zip(heads, trees, strict=True):
        print(f"\nways of data, {head}:")
        for way, parts in ways_of(tree, read_modules(tree / "src")).items():
            print(f"  {way}: {' -> '.join(parts)}")
    if options.names:
        _print_names(read_modules(options.tree / "src"))


def _print_names(modules: dict[str, Module]) -> None:
    print("\ndefined twice:")
    for name, at in defined_twice(modules).items():
        print(f"  {name}: {', '.join(at)}")
    print("without a type:", ", ".join(typed_names(modules)[1]) or "none")
    print("circles:", circles(modules, [START, INNER, TYPING]) or "none")
    stems = Counter(m.path.name for m in modules.values() if not m.is_face)
    print("file names in two folders:", ", ".join(sorted(n for n, k in stems.items() if k > 1)))


def _short(name: str) -> str:
    return name.removeprefix("sayso.")


def _share(some: int, all_: int) -> str:
    return f"{some} of {all_} ({some / max(all_, 1):.0%})"


if __name__ == "__main__":
    main()

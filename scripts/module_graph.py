"""The import graph of a source tree, read from its text: nothing of the tree is imported.

Three ways of importing are told apart: ``start`` (run when the module is imported), ``inner`` (inside a
function: run when it is called) and ``typing`` (under ``TYPE_CHECKING``: never run).
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

START, INNER, TYPING = "start", "inner", "typing"


@dataclass
class Module:
    """One file of Python: its syntax tree and what it imports."""

    name: str
    path: Path
    tree: ast.Module
    lines: int
    imports: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def is_face(self) -> bool:
        """Whether this is a package's ``__init__``."""
        return self.path.name == "__init__.py"


def read_modules(source: Path, package: str = "sayso") -> dict[str, Module]:
    """Read every module of ``source/package``, with its imports inside the package resolved.

    A name that a package's face hands on counts as an import of the module that defines it.
    """
    modules: dict[str, Module] = {}
    for path in sorted((source / package).rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        text = path.read_text(encoding="utf-8")
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules[name] = Module(name, path, ast.parse(text), text.count("\n"))
    handed = {name: face_table(module, modules) for name, module in modules.items() if module.is_face}
    for module in modules.values():
        for kind, target, names in _import_statements(module):
            for name in names or [""]:
                found = _resolve(target, name, modules, handed)
                if found and found != module.name:
                    module.imports[kind].add(found)
    return modules


def face_table(module: Module, modules: Iterable[str] = (), *, lazy: bool = True) -> dict[str, str]:
    """Return what a package's face offers: public name -> module that it takes it from.

    Args:
        module: the package's ``__init__``.
        modules: the tree's modules; one that is handed on stands for itself.
        lazy: count the table of ``exports(__name__, {...})`` beside the imports.
    """
    table = lazy_table(module) if lazy else {}
    for kind, target, names in _import_statements(module):
        if kind != INNER and target:
            table.update({name: target for name in names if name not in table})
    known = set(modules)
    return {name: f"{at}.{name}" if f"{at}.{name}" in known else at for name, at in table.items()}


def lazy_table(module: Module) -> dict[str, str]:
    """Return the literal table of ``__getattr__ = exports(__name__, {...})``; empty without one."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "exports":
            return dict(ast.literal_eval(node.args[1]))
    return {}


def typing_names(module: Module) -> dict[str, str]:
    """Return the names imported under ``TYPE_CHECKING`` -> module."""
    found = _import_statements(module)
    return {name: target for kind, target, names in found if kind == TYPING for name in names}


def listed_names(module: Module) -> list[str]:
    """Return the literal ``__all__``; empty without one."""
    for node in module.tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets
        ):
            return list(ast.literal_eval(node.value))
    return []


def circles(modules: dict[str, Module], kinds: Iterable[str] = (START, INNER)) -> list[list[str]]:
    """Return the sets of modules that import each other in a circle (strong components of two or more)."""
    graph = {
        name: set().union(*(m.imports[k] for k in kinds)) & modules.keys() for name, m in modules.items()
    }
    return sorted(sorted(part) for part in _components(graph) if len(part) > 1)


def _components(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    """Yield the strong components (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> Iterator[list[str]]:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                yield from visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            at = stack.index(node)
            yield stack[at:]
            del stack[at:]

    for node in graph:
        if node not in index:
            yield from visit(node)


def _import_statements(module: Module) -> list[tuple[str, str, list[str]]]:
    """Return (kind, imported module, imported names) of each import statement."""
    found: list[tuple[str, str, list[str]]] = []

    def walk(node: ast.AST, kind: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                found.extend((kind, alias.name, []) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                found.append((kind, _absolute(module, child), [a.name for a in child.names]))
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                for inner in child.body:
                    walk(ast.Module([inner], []), TYPING)
                for inner in child.orelse:
                    walk(ast.Module([inner], []), kind)
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                walk(child, TYPING if kind == TYPING else INNER)
            else:
                walk(child, kind)

    walk(module.tree, START)
    return found


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    keep = len(parts) - node.level + (1 if module.is_face else 0)
    return ".".join([*parts[:keep], *([node.module] if node.module else [])])


def _resolve(
    target: str, name: str, modules: dict[str, Module], handed: dict[str, dict[str, str]], depth: int = 4
) -> str | None:
    """Return the module of the tree that ``from target import name`` reads, through the faces."""
    if f"{target}.{name}" in modules:
        return f"{target}.{name}"
    if target in handed and name in handed[target] and depth:
        at = handed[target][name]
        found = at if at in modules and at.endswith(f".{name}") else None
        return found or (_resolve(at, name, modules, handed, depth - 1) if at != target else target)
    return target if target in modules else None

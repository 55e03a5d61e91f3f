"""What the site has besides the pages in this folder; mkdocs calls it (see mkdocs.yml).

Pages are made of the code: the Python reference, the HTTP interface, the recipes, the examples. The
results, the changes and how to contribute stand at the top of the repository and become pages too, and
links to files that are no pages lead to the part of the reference that they belong to.
"""

from __future__ import annotations

import importlib
import json
import os
import posixpath
import re
import tempfile
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from PIL import Image

import sayso
from sayso.export.notebooks import LectureNotebook, lecture_notebooks, notebook_json
from sayso.serve import create_app

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#\s]+)(#[^)]*)?\)")
AT_THE_TOP = {
    "benchmarks/RESULTS.md": "results.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "THIRD_PARTY.md": "third_party.md",
}
PACKAGES = (
    ("sayso", "The front door"),
    ("sayso.index", "The searchable collection"),
    ("sayso.systems", "The systems of the lecture"),
    ("sayso.encoders", "Dual encoders"),
    ("sayso.generators", "Models that answer in words"),
    ("sayso.hub", "Model folders"),
    ("sayso.engine", "Training and extraction"),
    ("sayso.evaluation", "Protocols"),
    ("sayso.losses", "Losses"),
    ("sayso.solvers", "Solvers"),
    ("sayso.models", "Networks"),
    ("sayso.metrics", "Metrics"),
    ("sayso.data", "Data to learn from"),
    ("sayso.alignment", "Scripts and subtitles"),
    ("sayso.people", "Faces and tracks"),
    ("sayso.speech", "Speech"),
    ("sayso.media", "Videos and pictures"),
    ("sayso.text", "Captions and scripts"),
    ("sayso.export", "Files for other programs"),
    ("sayso.toyworld", "The toy world"),
)
SYSTEMS = (  # in the order of the lecture
    *("localize", "align_script", "name_actors", "instruction_steps", "crosstask", "corpus"),
    *("howto100m", "mil_nce", "clip", "zero_shot", "flamingo", "llava"),
)
MODULES = {"sayso.systems": SYSTEMS, "sayso.speech": ("recognizer", "speech_model")}
"""What of a package that names nothing itself has a part in the reference."""
SECTIONS = {
    "Start": ["index.md", "start.md", "start/find.md", "start/train.md", "start/lecture.md", "trouble.md"],
    "Guides": [
        "search.md",
        "dates.md",
        "finds.md",
        "page.md",
        "index_for_years.md",
        "speech.md",
        "curate.md",
        "config.md",
        "models.md",
        "offline.md",
        "evaluation.md",
    ],
    "Systems": [f"systems/{name}.md" for name in SYSTEMS],
    "Lecture": [f"lecture/{one.name}.md" for one in lecture_notebooks()],
    "Scale": ["scale.md", "solvers.md"],
    "Reference": ["cli.md", "http.md", "formats.md", "recipes.md", "examples.md"],
    "Parity and numbers": ["parity.md", "results.md", "field_reports.md"],
    "About": ["architecture.md", "contributing.md", "changelog.md", "security.md", "third_party.md"],
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Make the navigation: pages that are not there yet are left out."""
    made = set(AT_THE_TOP.values()) & {
        page for source, page in AT_THE_TOP.items() if (ROOT / source).exists()
    }
    made |= {"http.md", "recipes.md", "examples.md", *SECTIONS["Lecture"]}
    nav: list[Any] = []
    for title, pages in SECTIONS.items():
        there: list[Any] = [page for page in pages if page in made or (ROOT / "docs" / page).exists()]
        if title == "Reference":
            there.append({"Python": [{name: python_page(name)} for name, _ in PACKAGES]})
        nav.append({title: there})
    config.nav = nav
    if os.environ.get("SAYSO_DOCS_VERSIONS"):  # the site of one version among others: docs/versions.py
        config.extra["version"] = {"provider": "mike"}
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    for source, page in AT_THE_TOP.items():
        if (ROOT / source).exists():
            files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    for name, title in PACKAGES:
        files.append(File.generated(config, python_page(name), content=python(name, title)))
    for one in lecture_notebooks():
        files.append(File.generated(config, f"lecture/{one.name}.md", content=notebook_page(one)))
    for page, content in (("http.md", http()), ("recipes.md", recipes()), ("examples.md", examples())):
        files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Let links to what is no page lead to where the site has it; what it has not becomes plain code."""
    source = next(
        (top for top, made in AT_THE_TOP.items() if made == page.file.src_uri), f"docs/{page.file.src_uri}"
    )
    here = posixpath.dirname(page.file.src_uri)

    def lead(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        if ":" in target or target.startswith("/"):
            return found[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        wanted = page_of(path)
        if wanted is None:
            return text if "`" in text else f"`{text}`"
        return f"[{text}]({posixpath.relpath(wanted[0], here or '.')}{wanted[1] or anchor})"

    return LINK.sub(lead, markdown)


def page_of(path: str) -> tuple[str, str] | None:
    """Return the page, and the place in it, that shows a file of the repository; None if there is none."""
    folder, name = posixpath.split(path)
    package = ".".join(["sayso", *path.removeprefix("src/sayso/").split("/")[:1]])
    if folder == "examples" and name.endswith(".py"):
        return "examples.md", f"#{Path(name).stem}"
    if folder == "docs/lecture":
        return f"lecture/{Path(name).stem}.md", ""
    if path.startswith("docs/"):
        return path.removeprefix("docs/"), ""
    known = AT_THE_TOP | {"README.md": "index.md", "src/sayso/recipes": "recipes.md"}
    page = known.get(path) or known.get(folder)
    if path.startswith("src/sayso/serve"):
        page = "http.md"
    elif package in dict(PACKAGES):
        page = python_page(package)
    return (page, "") if page else None


def python_page(name: str) -> str:
    """Return where a package's reference stands."""
    return f"python/{name.removeprefix('sayso.')}.md"


def python(name: str, title: str) -> str:
    """Return the page of a package: what it is for, and each public name where it is defined."""
    package = importlib.import_module(name)
    first = (package.__doc__ or "").strip()
    lines = [f"# {name}: {title}", "", first, ""]
    for part in MODULES.get(name, ()):
        lines += python_module(f"{name}.{part}")
    for public in sorted(getattr(package, "__all__", ()), key=str.lower):
        value = getattr(package, public)
        module = getattr(value, "__module__", None)
        if module and module.startswith("sayso") and getattr(value, "__qualname__", None) == public:
            lines += [f"::: {module}.{public}", ""]
        elif getattr(value, "__name__", "").startswith("sayso."):
            inner = value.__name__
            described = (value.__doc__ or "").strip().partition("\n")[0]
            where = (
                f"[{inner}]({posixpath.basename(python_page(inner))})"
                if inner in dict(PACKAGES)
                else f"`{inner}`"
            )
            lines += [f"* {where}: {described}", ""]
    return "\n".join(lines)


def python_module(name: str) -> list[str]:
    """Return the part of a module: what it says of itself, and its public classes and functions."""
    module = importlib.import_module(name)
    said = (module.__doc__ or "").strip().partition("\n\n")[0]
    lines = [f"## {name}", "", " ".join(said.split()), ""]
    for public in sorted(getattr(module, "__all__", vars(module)), key=str.lower):
        value = getattr(module, public)
        where = str(getattr(value, "__module__", ""))
        if public.startswith("_") or getattr(value, "__qualname__", None) != public:
            continue
        if where == name or where.startswith(f"{name}."):
            lines += [f"::: {where}.{public}", "    options: {heading_level: 3}", ""]
    return lines


def notebook_page(notebook: LectureNotebook) -> str:
    """Return a notebook as a page: its text, its code, and the pictures that ``docs/pictures.py`` kept."""
    first, *others = json.loads(notebook_json(notebook.source))["cells"]
    lines = [
        "".join(first["source"]),
        "",
        f"`sayso lecture {notebook.number}` opens this page as a notebook.",
        "",
    ]
    shown = 0
    for cell in others:
        text = "".join(cell["source"])
        lines += [text, ""] if cell["cell_type"] == "markdown" else ["```python", text, "```", ""]
        if cell["cell_type"] == "code" and "plt.show()" in text:
            shown += 1
            picture = f"pictures/{notebook.name}-{shown}.webp"
            if (ROOT / "docs" / "lecture" / picture).exists():
                lines += [f"![What the code above shows]({picture})", ""]
    return "\n".join(lines)


def http() -> str:
    """Return the page of the HTTP interface, from its own description."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Image.new("RGB", (64, 64)).save(folder / "one.png")
        index = sayso.Index.open(folder / "one.index", "offline")
        index.add(folder / "one.png")
        described = create_app(index).openapi()
    lines = [
        "# The HTTP interface",
        "",
        "What `sayso serve` answers, made from its own OpenAPI description.",
        "",
    ]
    for path, ways in described["paths"].items():
        for method, way in ways.items():
            lines += [
                f"## `{method.upper()} {path}`",
                "",
                way.get("description") or way.get("summary", ""),
                "",
            ]
            rows = [parameter_row(one) for one in way.get("parameters", ())]
            if rows:
                lines += ["| parameter | in | type | what |", "| --- | --- | --- | --- |", *rows, ""]
    return "\n".join(lines)


def parameter_row(parameter: dict[str, Any]) -> str:
    """Return a parameter of a request as a row of a table."""
    schema = parameter.get("schema", {})
    kinds = [one.get("type", "") for one in schema.get("anyOf", [schema])]
    kind = " or ".join(kind for kind in kinds if kind and kind != "null")
    says = parameter.get("description") or schema.get("description") or ""
    return f"| `{parameter['name']}` | {parameter['in']} | {kind} | {' '.join(says.split())} |"


def recipes() -> str:
    """Return the page of the recipes that come with the package."""
    lines = [
        "# Recipes",
        "",
        "`sayso train SYSTEM --recipe NAME`; `--show-recipe` prints what would be used.",
        "",
    ]
    for path in sorted((ROOT / "src" / "sayso" / "recipes").rglob("*.toml")):
        lines += [f"## {path.stem}", "", "```toml", path.read_text(encoding="utf-8").strip(), "```", ""]
    return "\n".join(lines)


def examples() -> str:
    """Return the page of the examples."""
    lines = [
        "# Examples",
        "",
        "Each runs on data that it draws itself: `python examples/NAME.py FOLDER`.",
        "",
    ]
    for path in sorted((ROOT / "examples").glob("*.py")):
        lines += [f"## {path.stem}", "", "```python", path.read_text(encoding="utf-8").strip(), "```", ""]
    return "\n".join(lines)

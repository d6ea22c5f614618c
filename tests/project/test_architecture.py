"""Holds the code to the picture in docs/architecture.md, and to the house limits on size."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOTS = {"gradproof": ROOT / "checks" / "gradproof", "plainnet": ROOT / "core" / "plainnet"}

MODULE_LINES = 300
FUNCTION_LINES = 40

Sources = Mapping[str, str]  # module name -> source text
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def sources(package: str) -> Sources:
    folder = ROOTS[package]
    found = [path for path in sorted(folder.rglob("*.py")) if path.parent == folder or path.stem != "__init__"]
    return {
        ".".join(path.relative_to(folder).with_suffix("").parts): path.read_text(encoding="utf-8") for path in found
    }


def drawn_order(document: str) -> list[str]:
    """The rooms in the table under "The rooms", in order: ``case`` for the folder ``case/``, ``run`` for a module."""
    rows = document.split("## The rooms", 1)[1].splitlines()
    cells = [row.split("|")[1] for row in rows if row.startswith("| `")]
    return [name.rstrip("/") for cell in cells for name in re.findall(r"`([\w/]+)`", cell)]


def room_of(module: str) -> str:
    """The folder that a module lies in; a module that lies in none is a room of its own."""
    return module.partition(".")[0]


def imports(package: str, source: str) -> Iterator[str]:
    """Every name imported anywhere in the source: ``a.b`` both for ``import a.b`` and for ``from a import b``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = f"{package}.{base}".rstrip(".")
            yield from (f"{base}.{alias.name}" for alias in node.names)


def inner_imports(package: str, modules: Sources) -> dict[str, set[str]]:
    """For each module, those of the same package that it imports; "" stands for a name taken through the facade."""
    edges: dict[str, set[str]] = {}
    for module, source in modules.items():
        edges[module] = set()
        for name in imports(package, source):
            parts = name.split(".")
            if parts[0] != package or parts[1:] == ["__version__"]:
                continue
            candidates = [".".join(parts[1:end]) for end in (4, 3, 2)]
            edges[module].add(next((name for name in candidates if name in modules), ""))
    return edges


def back_edges(edges: Mapping[str, set[str]], order: list[str]) -> list[str]:
    """The imports of what is drawn after the importer's room, or of what is not drawn."""
    place = {room: i for i, room in enumerate(order)}
    return [
        f"{module} imports {target or 'the facade'}"
        for module, targets in edges.items()
        for target in sorted(targets)
        if module != "__init__" and not _is_allowed(module, target, place)
    ]


def _is_allowed(module: str, target: str, place: Mapping[str, int]) -> bool:
    own, other = room_of(module), room_of(target)
    is_inside = own == other and "." in module and own in place
    return is_inside or place.get(other, len(place)) < place.get(own, -1)


def cycles(edges: Mapping[str, set[str]]) -> list[str]:
    """The modules that reach themselves: take away, again and again, those that import nothing that is left."""
    left = {module: set(targets) for module, targets in edges.items()}
    while free := [module for module, targets in left.items() if not targets & left.keys()]:
        for module in free:
            del left[module]
    return sorted(left)


def outsiders(package: str, modules: Sources, forbidden: str, allowed: str = "") -> list[str]:
    return [
        module
        for module, source in modules.items()
        if module != allowed and any(name.split(".")[0] == forbidden for name in imports(package, source))
    ]


def too_long(module: str, source: str) -> Iterator[str]:
    if (lines := len(source.splitlines())) > MODULE_LINES:
        yield f"{module}: {lines} lines"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, FunctionNode) and (lines := length(node)) > FUNCTION_LINES:
            yield f"{module}.{node.name}: {lines} lines"


def length(function: FunctionNode) -> int:
    """Lines from ``def`` to the end, docstring aside."""
    first = function.body[0]
    docstring = 0 if ast.get_docstring(function) is None else (first.end_lineno or first.lineno) - first.lineno + 1
    return (function.end_lineno or function.lineno) - function.lineno + 1 - docstring


ORDER = drawn_order((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))


def test_every_room_is_drawn_once() -> None:
    rooms = {room_of(module) for module in sources("gradproof")} - {"__init__"}
    assert sorted(rooms - set(ORDER)) == [], "not drawn in docs/architecture.md"
    assert sorted(set(ORDER) - rooms) == [], "drawn in docs/architecture.md, but gone"
    assert len(ORDER) == len(rooms), "drawn twice in docs/architecture.md"


def test_no_module_imports_from_a_room_that_is_drawn_after_its_own() -> None:
    assert back_edges(inner_imports("gradproof", sources("gradproof")), ORDER) == []


@pytest.mark.parametrize("package", ROOTS)
def test_every_module_says_in_one_sentence_what_it_is_for(package: str) -> None:
    said = {module: ast.get_docstring(ast.parse(source)) or "" for module, source in sources(package).items()}
    first = {module: docstring.partition("\n\n")[0] for module, docstring in said.items()}
    assert [module for module, sentence in first.items() if not sentence.endswith((".", "?"))] == []


@pytest.mark.parametrize("package", ROOTS)
def test_no_import_runs_in_a_circle(package: str) -> None:
    edges = inner_imports(package, sources(package))
    del edges["__init__"]  # the facade imports all; who imports it back is caught as ""
    assert cycles(edges) == []
    assert [module for module, targets in edges.items() if "" in targets] == []


@pytest.mark.parametrize(("package", "other"), [("gradproof", "plainnet"), ("plainnet", "gradproof")])
def test_neither_package_imports_the_other(package: str, other: str) -> None:
    assert outsiders(package, sources(package), other) == []


@pytest.mark.parametrize(
    ("module", "package"),
    [("generate.generate", "hypothesis"), ("cli", "rich"), ("plugin", "pytest")],
    ids=lambda name: name,
)
def test_only_one_module_imports_a_heavy_dependency(module: str, package: str) -> None:
    assert outsiders("gradproof", sources("gradproof"), package, allowed=module) == []
    assert outsiders("gradproof", {module: sources("gradproof")[module]}, package) == [module]


def test_only_the_adapters_call_the_code_of_the_user() -> None:
    modules = sources("gradproof")
    callers = [name for name, source in modules.items() if "gradproof.guard.call" in imports("gradproof", source)]
    assert callers == ["subject.function_subjects", "subject.layer_subject"]


@pytest.mark.parametrize("package", ROOTS)
def test_functions_and_modules_stay_within_the_house_limits(package: str) -> None:
    assert [text for module, source in sources(package).items() for text in too_long(module, source)] == []


LITERAL = {
    "errors": "",
    "rooms.one": "from gradproof.errors import UsageError",
    "rooms.two": "from gradproof.rooms.one import UsageError",
    "values": "from gradproof import errors\nimport numpy as np",
    "case": "from gradproof.values import Verdict\nfrom gradproof import __version__",
}


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        pytest.param("values", "from gradproof.case import Case", "values imports case", id="from module"),
        pytest.param("values", "from gradproof import case", "values imports case", id="from package"),
        pytest.param("values", "import gradproof.case as c", "values imports case", id="import"),
        pytest.param("values", "from .case import Case", "values imports case", id="relative"),
        pytest.param("values", "def f():\n    import gradproof.case", "values imports case", id="in a function"),
        pytest.param("case", "from gradproof import Case", "case imports the facade", id="through the facade"),
        pytest.param("case", "from gradproof.case import Case", "case imports case", id="itself"),
        pytest.param("stray", "from gradproof.errors import UsageError", "stray imports errors", id="not drawn"),
        pytest.param("rooms.one", "from gradproof.case import Case", "rooms.one imports case", id="out of a folder"),
        pytest.param("errors", "from gradproof.rooms.two import x", "errors imports rooms.two", id="into a folder"),
    ],
)
def test_a_back_edge_is_seen(module: str, source: str, complaint: str) -> None:
    order = ["errors", "rooms", "values", "case"]
    assert back_edges(inner_imports("gradproof", LITERAL), order) == []
    assert complaint in back_edges(inner_imports("gradproof", {**LITERAL, module: source}), order)


def test_a_cycle_is_seen() -> None:
    edges = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set[str]()}
    assert cycles(edges) == ["a", "b", "c"]
    assert cycles({**edges, "c": {"d"}}) == []


def test_an_import_of_a_forbidden_package_is_seen() -> None:
    modules = {"generate": "import hypothesis", "check": "from hypothesis import given", "case": "hypothesis = 1"}
    assert outsiders("gradproof", modules, "hypothesis", allowed="generate") == ["check"]


def test_what_is_too_long_is_seen() -> None:
    fits = "def f():\n    '''Doc.\n\n    More.\n    '''\n" + "    x = 1\n" * (FUNCTION_LINES - 1)
    assert list(too_long("m", fits)) == []
    assert list(too_long("m", fits + "    x = 1\n")) == ["m.f: 41 lines"]
    assert list(too_long("m", "x = 1\n" * MODULE_LINES)) == []
    assert list(too_long("m", "x = 1\n" * (MODULE_LINES + 1))) == [f"m: {MODULE_LINES + 1} lines"]

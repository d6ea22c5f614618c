"""Reads which layers, pairs and losses a folder of source defines; it imports nothing and asks gradproof nothing.

So the denominators of the field are counted by another means than the tool under measurement: by names, in the syntax.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

FORWARDS = frozenset(
    (
        *("forward", "forward_pass", "forward_prop", "forward_propagate", "forward_propagation", "fprop"),
        *("feed_forward", "feedforward", "propagate", "call", "__call__"),
    )
)
BACKWARDS = frozenset(
    (
        *("backward", "backward_pass", "backward_prop", "backward_propagate", "backward_propagation", "bprop"),
        *("back_propagate", "back_propagation", "backprop", "backpropagate", "backpropagation", "grad", "gradient"),
    )
)
SKIPPED = frozenset({"__pycache__", ".git", "node_modules", "site-packages", "venv", ".ipynb_checkpoints"})
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Classes = dict[str, list[tuple[str, ast.ClassDef]]]


@dataclass(frozen=True)
class Unit:
    """One class, pair of functions or loss. abstract: its forward or its backward is only a promise."""

    file: str  # relative to the folder of the census
    name: str  # of the class, or of the forward function
    kind: str  # "class", "pair", "loss"
    abstract: bool = False

    @property
    def key(self) -> str:
        """``file::name``, which names it within its folder."""
        return f"{self.file}::{self.name}"


def census(root: Path) -> list[Unit]:
    """Every unit of the .py files below ``root``, file by file."""
    trees = {str(file.relative_to(root)): tree for file in _files(root) if (tree := _parsed(file)) is not None}
    classes: Classes = {}
    for file, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                classes.setdefault(node.name, []).append((file, node))
    return [unit for file, tree in trees.items() for unit in (*_layers(file, tree, classes), *_functions(file, tree))]


def _files(root: Path) -> list[Path]:
    return sorted(file for file in root.rglob("*.py") if SKIPPED.isdisjoint(file.relative_to(root).parts))


def _parsed(file: Path) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # escapes in the strings of old code
            return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return None


def _layers(file: str, tree: ast.Module, classes: Classes) -> Iterator[Unit]:
    for name, node in {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}.items():
        methods = _methods(file, node, classes, frozenset())
        forward = next((methods[n] for n in sorted(FORWARDS) if n in methods and not _promise(methods[n])), None)
        backward = next((methods[n] for n in sorted(BACKWARDS) if n in methods and not _promise(methods[n])), None)
        if methods.keys() & FORWARDS and methods.keys() & BACKWARDS:
            yield Unit(file, name, "class", forward is None or backward is None)


def _methods(file: str, node: ast.ClassDef, classes: Classes, seen: frozenset[str]) -> dict[str, FunctionNode]:
    """The methods of a class by name, inherited ones included; a base is found by its name, first in the same file."""
    found: dict[str, FunctionNode] = {}
    for base in reversed(node.bases):
        name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
        candidates = sorted(classes.get(name, ()), key=lambda candidate: candidate[0] != file)
        if candidates and name not in seen and candidates[0][1] is not node:
            found |= _methods(*candidates[0], classes, seen | {name})
    return found | {n.name: n for n in node.body if isinstance(n, FunctionNode)}


def _promise(function: FunctionNode) -> bool:
    """Whether the body does nothing, or only raises."""
    body = [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return all(isinstance(s, (ast.Pass, ast.Raise)) for s in body)


def _functions(file: str, tree: ast.Module) -> Iterator[Unit]:
    functions = {n.name: n for n in tree.body if isinstance(n, FunctionNode)}
    for name, node in functions.items():
        if "test" in re.split(r"[^a-z]", name.lower()):
            continue
        other = name.replace("forward", "backward").replace("fwd", "bwd")
        halves = (other,) if other != name else (f"{name}_backward",)
        if any(half in functions for half in halves):
            yield Unit(file, name, "pair", _promise(node) or _promise(functions[halves[0]]) or _unfinished(node))
        elif "loss" in name.lower() and _returns_gradient(node):
            yield Unit(file, name, "loss", _unfinished(node))


def _returns_gradient(function: FunctionNode) -> bool:
    """Whether some return gives two values, the second of which is called a gradient."""
    returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    pairs = [value.elts for value in returned if isinstance(value, ast.Tuple) and len(value.elts) == 2]
    return any(_called(second).lower().startswith(("d", "grad")) for _, second in pairs)


def _called(node: ast.expr) -> str:
    names: Iterable[str] = (n.id for n in ast.walk(node) if isinstance(n, ast.Name))
    return next(iter(names), "")


def _unfinished(function: FunctionNode) -> bool:
    """An exercise that nobody has done: what it returns was only ever set to None."""
    returned = {n.id for r in ast.walk(function) if isinstance(r, ast.Return) and r.value for n in _names(r.value)}
    values = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and returned & {n.id for t in node.targets for n in _names(t)}
    ]
    return bool(values) and all(
        (isinstance(v, ast.Constant) and v.value is None)
        or (isinstance(v, ast.Tuple) and all(isinstance(e, ast.Constant) and e.value is None for e in v.elts))
        for v in values
    )


def _names(node: ast.expr) -> Iterator[ast.Name]:
    return (n for n in ast.walk(node) if isinstance(n, ast.Name))

"""The source of a check file that declares what was inferred; it infers and runs nothing."""

from __future__ import annotations

import ast
import keyword
import re
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import FunctionType

from gradproof.case.case import Case
from gradproof.collect.collect import Item
from gradproof.collect.load import Source
from gradproof.collect.places import shown
from gradproof.infer.inference import Inference

WIDTH = 100  # columns of a comment
# the public names that a declaration may use
HELPERS = frozenset(
    {"Case", "Convention", "Settings", "arrays", "constant", "floats", "just"}
    | {"labels", "one_hot", "positive", "probabilities", "size", "sizes"}
)


def check_file(found: Sequence[Item]) -> str:
    """Python source with a Case for each item; as a comment, the reason where an item has none.

    For a .py file it is a whole check file, to be put into the folder that its first line names. For a notebook it is a
    cell, to be put at the notebook's end. Items of several files make one check file.
    """
    notebooks = all(item.source.file.suffix == ".ipynb" for item in found)
    names = _variables(found)
    blocks = [_block(name, item) for name, item in zip(names, found, strict=True)]
    imports = [f"from gradproof import {', '.join(_helpers(found))}"]
    if not notebooks:
        imports += ["", *_imports(found)]
    return "\n".join([f"# {_head(found, notebooks)}", *imports, "", *blocks]).rstrip()


def _head(found: Sequence[Item], notebooks: bool) -> str:
    files = ", ".join(dict.fromkeys(shown(item.source.file) for item in found))
    if notebooks:
        return f"The Cases of {files}, as they were inferred: correct them, and run them in a last cell."
    folder = shown(root(found[0].source)) if found else "."
    where = "the folder in which you stand" if folder == "." else folder
    return f"The Cases of {files}, as they were inferred: correct them, and save them as a check_*.py in {where}."


def root(source: Source) -> Path:
    """The folder from which the modules of a file are imported."""
    return source.file.resolve().parents[_depth(source)]


def _depth(source: Source) -> int:
    """How many folders above the file belong to the module's dotted name."""
    parents = source.file.resolve().parents
    outer = [depth for depth, folder in enumerate(parents) if folder in source.place.roots]
    return max([source.place.depth, *outer])


def _imports(found: Iterable[Item]) -> list[str]:
    modules: dict[str, list[str]] = {}
    for item in found:
        if item.case is not None and item.inferred:
            path = item.source.file.resolve()
            folders = [folder.name for folder in reversed(path.parents[: _depth(item.source)])]
            modules.setdefault(".".join([*folders, path.stem]), []).extend(_parts(item))
    return [f"from {module} import {', '.join(sorted(set(names)))}" for module, names in modules.items()]


def _parts(item: Item) -> list[str]:
    if item.case is None:
        return []
    return [part.__name__ for part in (item.case.subject, item.case.backward) if isinstance(part, (type, FunctionType))]


def _helpers(found: Iterable[Item]) -> list[str]:
    """The names of gradproof that the declarations use."""
    used = {"Case"}
    for item in found:
        for case in _cases(item):
            nodes = ast.walk(ast.parse(case.declaration()))
            used |= {node.id for node in nodes if isinstance(node, ast.Name)} & HELPERS
    return sorted(used)


def _cases(item: Item) -> list[Case]:
    return [item.case] if item.case is not None and item.inferred else []


def _variables(found: Iterable[Item]) -> list[str]:
    """A variable for each item: its name in lower case, unlike any name that is imported."""
    items = list(found)
    taken = {part for item in items for part in _parts(item)}
    names: list[str] = []
    for item in items:
        plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", item.name.replace("@", "_")).lower()
        plain = f"{plain}_case" if plain in taken or keyword.iskeyword(plain) else plain
        name, number = plain, 1
        while name in taken:
            number += 1
            name = f"{plain}_{number}"
        taken.add(name)
        names.append(name)
    return names


def _block(variable: str, item: Item) -> str:
    """The declaration of one item, or a comment."""
    if item.case is None:
        return _comment(f"{item.title or item.name}: {item.problem}")
    if not item.inferred:
        return _comment(f"{item.name} is declared already")
    if item.source.namespace is not None:
        return _comment(f"{item.title}, which a later cell defines again, was checked as {item.case.declaration()}")
    remarks = [] if item.inference is None else _remarks(item.inference)
    return "\n".join([*map(_comment, remarks), f"{variable} = {item.case.declaration()}"])


def _remarks(found: Inference) -> list[str]:
    """What the declaration alone does not say."""
    others = [f"this runs as well: {other.declaration()}" for other in found.others]
    implied = [] if found.implied is None else [f"{found.implied.text}: no Case says so by itself"]
    return [*found.doubts, *others, *implied]


def _comment(text: str) -> str:
    lines = [piece for line in text.splitlines() for piece in textwrap.wrap(line, WIDTH) or [""]]
    return "\n".join(f"# {line}".rstrip() for line in lines)

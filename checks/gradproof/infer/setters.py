"""What could set an attribute of an object: its class, a base, a subclass, code beside it; it reads sources alone."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gradproof.convention.attributes import Use, events_of, methods_of
from gradproof.source.source import parsed

FILES = 60  # of one folder that are read for what they set
LARGEST = 400_000  # bytes of a file that is read


def may_be_set(cls: type, name: str) -> bool:
    """Whether anything could set this attribute of objects of ``cls``."""
    return setter_of(cls, name) is not None or set_elsewhere(cls, name) is not None


def setter_of(cls: type, name: str) -> str | None:
    """A method of the class, of a base or of a subclass that sets the attribute, as ``Affine.build``."""
    for owner in (cls, *subclasses(cls)):
        if any(name in vars(base) for base in owner.__mro__[:-1]):
            return owner.__name__
        for method, function in methods_of(owner).items():
            if sets(function, name):
                return f"{owner.__name__}.{method}"
    return None


def subclasses(cls: type) -> Iterator[type]:
    """The classes that extend it, and those that extend these."""
    found: list[type] = type.__subclasses__(cls)
    for inner in found:
        yield inner
        yield from subclasses(inner)


def sets(function: Any, name: str) -> bool:
    """Whether it sets the attribute before it reads it, or sets attributes whose names are computed."""
    first = next((e.use for e in events_of(function) if e.name == name and e.use is not Use.TESTED), None)
    return first in (Use.SET, Use.SET_EMPTY) or sets_any(function)


def sets_any(function: Any) -> bool:
    """Whether a function sets attributes whose names are computed."""
    code = function.__code__
    return "setattr" in code.co_names or ("__dict__" in code.co_names and "update" in code.co_names)


def set_elsewhere(cls: type, name: str) -> str | None:
    """The place in the files of a class, and in those beside them, that sets the attribute of another object."""
    for file, text in _files(cls):
        line = _line_that_sets(parsed(text), name) if name in text or "setattr" in text else None
        if line is not None:
            return f"{Path(file).name}:{line}"
    return None


def _files(cls: type) -> Iterator[tuple[str, str]]:
    """The files that define a class and its bases, then the others of their folders, with their texts."""
    functions = [f for f in methods_of(cls).values() if hasattr(f, "__code__")]
    own = list(dict.fromkeys(f.__code__.co_filename for f in functions))
    yield from ((file, "".join(linecache.getlines(file))) for file in own)
    folders = dict.fromkeys(Path(file).parent for file in own if Path(file).is_file())
    for folder in folders:
        for path in sorted(folder.glob("*.py"))[:FILES]:
            text = None if str(path) in own else _text(path)
            if text is not None:
                yield str(path), text


def _text(path: Path) -> str | None:
    """What stands in a file; None where it is too large or cannot be read."""
    try:
        is_small = path.stat().st_size <= LARGEST
        return path.read_text(encoding="utf-8", errors="replace") if is_small else None
    except OSError:
        return None


def _line_that_sets(tree: ast.Module, name: str) -> int | None:
    """The line that sets the attribute of an object that is not the method's own."""
    own: dict[int, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            own |= {id(inner): method.args.args[0].arg for method in _methods(node) for inner in ast.walk(method)}
    for node in ast.walk(tree):
        holder = _holder_set(node, name)
        if holder is not None and not (isinstance(holder, ast.Name) and holder.id == own.get(id(node))):
            return int(getattr(node, "lineno", 0))
    return None


def _methods(node: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    return (part for part in node.body if isinstance(part, ast.FunctionDef) and part.args.args)


def _holder_set(node: ast.AST, name: str) -> ast.expr | None:
    """The object whose attribute this node sets: of this name, or of one that is computed."""
    match node:
        case ast.Attribute(value=holder, attr=attr, ctx=ast.Store()) if attr == name:
            return holder
        case ast.Call(func=ast.Name(id="setattr"), args=[holder, ast.Constant(value=str(known)), *_]):
            return holder if known == name else None
        case ast.Call(func=ast.Name(id="setattr"), args=[holder, _, _]):
            return holder
        case _:
            return None

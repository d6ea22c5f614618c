"""Whether an exception is a layer's own fault, whatever it is called with; else what to write so that it is avoided.

A missing attribute is the layer's own only where nothing could have set it: no method of its class, of a base or of a
subclass, and no code of the same folder. It reads sources; it runs nothing.
"""

from __future__ import annotations

import ast
import builtins
import linecache
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gradproof.convention.attributes import Use, definition_of, events_of, methods_of
from gradproof.source.source import parsed
from gradproof.values import LayerError

FILES = 60  # of one folder that are read for what they set
LARGEST = 400_000  # bytes of a file that is read
_ATTRIBUTE = re.compile(r"'(\w+)' object has no attribute '(\w+)'|type object '(\w+)' has no attribute '(\w+)'")
_READ = re.compile(r"\b\w+\.(\w+)")
_NAME = re.compile(r"name '(\w+)' is not defined")
_REMOVED = re.compile(r"deprecated|removed|expired", re.IGNORECASE)  # by NumPy, which says so: an older one runs it
# nothing, which may be set from outside, and the optimizer that stands for the author's
_OURS = re.compile(r"'NoneType'|'Descent'|'_Method'")


def is_own_fault(error: LayerError, subject: Any) -> bool:
    """Whether no other arguments and no preparation could have avoided the exception.

    subject: the class, function or pair of functions that raised. A module that is not installed, and a method that is
    left to subclasses, are no faults. What came back before and raises the second time is one.
    """
    if error.again:
        return True
    match error.kind:
        case "RecursionError":
            return True
        case "NameError":
            named = _NAME.search(error.message)
            return named is not None and not _may_be_defined(named[1], subject)
        case "AttributeError":
            return _is_never_set(error, subject)
        case "TypeError":
            return _is_always_none(error, subject)
        case _:
            return False


def may_be_avoided(error: LayerError, subject: Any) -> bool:
    """Whether something other than the arguments may avoid it, wherever it is raised: an object that is wired later.

    What is None may be set from outside; what is not installed, or is left to subclasses, is no fault.
    """
    match error.kind:
        case "ImportError" | "ModuleNotFoundError" | "NotImplementedError":
            return True
        case "NameError":
            return not is_own_fault(error, subject)
        case "TypeError":
            return _OURS.search(error.message) is not None and not is_own_fault(error, subject)
        case "AttributeError":
            missing = _missing(error)
            of_nothing = _OURS.search(error.message) is not None
            owner = None if missing is None else _class_named(missing[0], subject)
            return of_nothing or (owner is not None and not is_own_fault(error, subject))
        case _:
            return False


def _is_never_set(error: LayerError, subject: Any) -> bool:
    missing = _missing(error)
    if missing is None:
        return error.message.startswith("module ") and _REMOVED.search(error.message) is None
    owner = _class_named(missing[0], subject)
    return owner is not None and not may_be_set(owner, missing[1])


def _is_always_none(error: LayerError, subject: Any) -> bool:
    """Whether the line that raised reads an attribute that the constructor sets to None, and that nothing else sets."""
    if "NoneType" not in error.message or not isinstance(subject, type):
        return False
    constructor = methods_of(subject).get("__init__")
    empty = [name for name in dict.fromkeys(_READ.findall(error.text)) if _is_made_none(constructor, name)]
    return bool(empty) and not any(_is_filled(subject, name) for name in empty)


def _is_made_none(constructor: Any, name: str) -> bool:
    """Whether a constructor writes None to the attribute itself: an argument that is None by default may be given."""
    definition = None if constructor is None else definition_of(constructor)
    lines = [] if definition is None else [node for node in ast.walk(definition) if isinstance(node, ast.Assign)]
    values = [line.value for line in lines if any(_is_attribute(target, name) for target in line.targets)]
    return bool(values) and all(isinstance(value, ast.Constant) and value.value is None for value in values)


def _is_attribute(target: ast.expr, name: str) -> bool:
    return isinstance(target, ast.Attribute) and target.attr == name


def _is_filled(cls: type, name: str) -> bool:
    """Whether anything sets the attribute to more than None: a method, or other code beside the class."""
    every = [method for owner in (cls, *_subclasses(cls)) for method in methods_of(owner).values()]
    events = [event for method in every for event in events_of(method)]
    is_set = any(event.use is Use.SET and event.name == name for event in events) or any(map(_sets_any, every))
    return is_set or _set_elsewhere(cls, name) is not None


def _missing(error: LayerError) -> tuple[str, str] | None:
    """The name of the class and of the attribute that it lacks."""
    found = _ATTRIBUTE.match(error.message)
    return None if found is None else (found[1] or found[3], found[2] or found[4])


def _class_named(name: str, subject: Any) -> type | None:
    """The author's class of this name: the subject, a base, or one that its module knows; None for one of Python's."""
    for cls in subject.__mro__[:-1] if isinstance(subject, type) else ():
        if cls.__name__ == name:
            return cls
    if hasattr(builtins, name):
        return None
    for part in _parts(subject):
        found = vars(sys.modules.get(part.__module__, builtins)).get(name)
        if isinstance(found, type) and found.__module__.split(".")[0] not in ("numpy", "gradproof"):
            return found
    return None


def _parts(subject: Any) -> tuple[Any, ...]:
    return subject if isinstance(subject, tuple) else (subject,)


def may_be_set(cls: type, name: str) -> bool:
    """Whether anything could set this attribute of objects of ``cls``."""
    return setter_of(cls, name) is not None or _set_elsewhere(cls, name) is not None


def setter_of(cls: type, name: str) -> str | None:
    """A method of the class, of a base or of a subclass that sets the attribute, as ``Affine.build``."""
    for owner in (cls, *_subclasses(cls)):
        if any(name in vars(base) for base in owner.__mro__[:-1]):
            return owner.__name__
        for method, function in methods_of(owner).items():
            if _sets(function, name):
                return f"{owner.__name__}.{method}"
    return None


def _subclasses(cls: type) -> Iterator[type]:
    found: list[type] = type.__subclasses__(cls)
    for inner in found:
        yield inner
        yield from _subclasses(inner)


def _sets(function: Any, name: str) -> bool:
    """Whether it sets the attribute before it reads it, or sets attributes whose names are computed."""
    first = next((e.use for e in events_of(function) if e.name == name and e.use is not Use.TESTED), None)
    return first in (Use.SET, Use.SET_EMPTY) or _sets_any(function)


def _sets_any(function: Any) -> bool:
    code = function.__code__
    return "setattr" in code.co_names or ("__dict__" in code.co_names and "update" in code.co_names)


def _set_elsewhere(cls: type, name: str) -> str | None:
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
    beside = [path for folder in folders for path in sorted(folder.glob("*.py"))[:FILES] if str(path) not in own]
    for path in beside:
        try:
            if path.stat().st_size <= LARGEST:
                yield str(path), path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue


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


def _may_be_defined(name: str, subject: Any) -> bool:
    """Whether the module defines the global name on some way that was not taken, as under ``if __name__ ==``."""
    for part in _parts(subject):
        functions = methods_of(part).values() if isinstance(part, type) else (part,)
        files = {f.__code__.co_filename for f in functions if hasattr(f, "__code__")}
        trees = [parsed("".join(linecache.getlines(file))) for file in files]
        if any(_defines(tree, name) for tree in trees):
            return True
    return False


def _defines(tree: ast.Module, name: str) -> bool:
    for node in _module_level(tree):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store):
            return True
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return True
        if isinstance(node, ast.alias) and (node.asname or node.name.split(".")[0]) in (name, "*"):
            return True
    return any(isinstance(node, ast.Global) and name in node.names for node in ast.walk(tree))


def _module_level(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            yield from _module_level(child)


def remedy(error: LayerError, subject: Any) -> str | None:
    """What to write so that what an object lacks is there; None where nothing is known of it."""
    missing = _missing(error) if error.kind == "AttributeError" else None
    owner = None if missing is None else _class_named(missing[0], subject)
    if missing is None or owner is None:
        return None
    setter, name = setter_of(owner, missing[1]), missing[1]
    if setter is not None and setter.split(".")[0] != owner.__name__:
        return f"{setter.split('.')[0]} sets {name}: check that class instead"
    method = "" if setter is None else setter.partition(".")[2]
    if method and method not in ("forward", "backward", "__init__"):
        return (
            f"{setter} sets {name}: declare a Case with its arguments and "
            f'settings=Settings(convention=Convention(prepare=("{method}",)))'
        )
    place = _set_elsewhere(owner, name)
    told = "" if place is None else f", as {place} does"
    return f"build one object, set its {name}{told}, and write check(layer, x) with an input of yours"

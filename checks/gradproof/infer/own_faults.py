"""Whether an exception is a layer's own fault, whatever it is called with; else what to write so that it is avoided.

A missing attribute is the layer's own only where nothing could have set it. It reads sources; it runs nothing.
"""

from __future__ import annotations

import ast
import builtins
import linecache
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from gradproof.convention.argument_names import role_of
from gradproof.convention.attributes import Use, definition_of, events_of, methods_of
from gradproof.convention.calling import arguments
from gradproof.convention.convention import convention_for
from gradproof.infer.setters import may_be_set, set_elsewhere, sets, sets_any, setter_of, subclasses
from gradproof.source.source import parsed
from gradproof.values import LayerError

_ATTRIBUTE = re.compile(r"'(\w+)' object has no attribute '(\w+)'|type object '(\w+)' has no attribute '(\w+)'")
_READ = re.compile(r"\b\w+\.(\w+)")
_WORD = re.compile(r"(?<!\.)\b[a-z]+\b(?!\()")  # a name that is not called
_NAME = re.compile(r"name '(\w+)' is not defined")
_REFUSED = re.compile(r"(\w+)\.(\w+)\(\) got an unexpected keyword argument")
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
            tests = (_is_always_none, _is_of_a_builtin, _is_of_the_layer, _is_refused_by_a_part)
            return any(is_it(error, subject) for is_it in tests)
        case _:
            return False


def may_be_avoided(error: LayerError, subject: Any) -> bool:
    """Whether something other than the arguments may avoid it, wherever it is raised: an object that is wired later.

    What is None may be set from outside, and what holds no layers yet may be given some; what is not installed, or is
    left to subclasses, is no fault.
    """
    match error.kind:
        case "ImportError" | "ModuleNotFoundError" | "NotImplementedError":
            return True
        case "NameError":
            return not is_own_fault(error, subject)
        case "IndexError":
            return _is_avoidable_index(error, subject)
        case "TypeError":
            return _OURS.search(error.message) is not None and not is_own_fault(error, subject)
        case "AttributeError":
            of_nothing = _OURS.search(error.message) is not None
            return of_nothing or (_owner(error, subject) is not None and not is_own_fault(error, subject))
        case _:
            return False


def _is_avoidable_index(error: LayerError, subject: Any) -> bool:
    """Whether labels may be meant where a float indexes, or layers where a list of them is empty."""
    if "must be of integer" in error.message:
        return _is_of_an_argument(error, subject)
    return isinstance(subject, type) and "list index" in error.message and _is_of_an_empty_list(error, subject)


def _owner(error: LayerError, subject: Any) -> type | None:
    """The author's class that lacks an attribute; None where the exception is of another kind, or another's class."""
    missing = _missing(error)
    return None if missing is None else _class_named(missing[0], subject)


def _is_never_set(error: LayerError, subject: Any) -> bool:
    missing = _missing(error)
    if missing is None:
        return error.message.startswith("module ") and _REMOVED.search(error.message) is None
    owner = _class_named(missing[0], subject)
    return owner is not None and not may_be_set(owner, missing[1])


def _is_of_a_builtin(error: LayerError, _subject: Any) -> bool:
    """Whether the line that raised takes a function of Python's own for an array: ``input`` for ``input_``."""
    words = dict.fromkeys(_WORD.findall(error.text))
    return "builtin_function_or_method" in error.message and any(hasattr(builtins, word) for word in words)


def _is_of_the_layer(error: LayerError, subject: Any) -> bool:
    """Whether the layer itself stands in arithmetic: ``self,out`` for ``self.out``."""
    is_operand = "unsupported operand" in error.message and isinstance(subject, type)
    return is_operand and f"'{subject.__name__}'" in error.message


def _is_refused_by_a_part(error: LayerError, subject: Any) -> bool:
    """Whether a part that the constructor makes is called with an argument that its method does not take."""
    refused = _REFUSED.match(error.message)
    if refused is None or not isinstance(subject, type):
        return False
    constructor = methods_of(subject).get("__init__")
    part, method = refused.groups()
    called = re.findall(rf"\bself\.(\w+)\.{method}\(", error.text)
    made_of = (f"{part}()", f"{part}(self)")
    return any(_is_made(constructor, name, made_of) for name in called)


def _is_of_an_argument(error: LayerError, subject: Any) -> bool:
    """Whether the line that raised reads an argument of backward whose name does not say that it is a gradient."""
    taken = {name for backward in _backwards(subject) for name, _ in arguments(backward) if role_of(name) != "dout"}
    return any(name in taken for name, _ in error.operands)


def _backwards(subject: Any) -> list[Any]:
    """The backward of a class and those of its bases; of functions the last."""
    if not isinstance(subject, type):
        return [_parts(subject)[-1]]
    name = convention_for(subject, subject.__name__, None).backward
    return [vars(cls)[name] for cls in subject.__mro__ if name in vars(cls)]


def _is_of_an_empty_list(error: LayerError, subject: type) -> bool:
    """Whether the line that raised reads a list that the constructor makes empty, and that neither pass fills."""
    convention = convention_for(subject, subject.__name__, None)
    passes = [methods_of(subject).get(name) for name in (convention.forward, convention.backward)]
    own = [method for method in passes if method is not None]
    for name in _read_and_made(error, subject, ("[]", "list()")):
        if not any(_fills(method, name) for method in own):
            return True
    return False


def _read_and_made(error: LayerError, subject: type, sources: Sequence[str]) -> list[str]:
    """The attributes that the line that raised reads and that the constructor makes one of these."""
    constructor = methods_of(subject).get("__init__")
    read = dict.fromkeys(_READ.findall(error.text))
    return [name for name in read if _is_made(constructor, name, sources)]


def _fills(method: Any, name: str) -> bool:
    """Whether a method sets the attribute, or adds to the list that it holds."""
    added = re.compile(rf"\.{name}\s*(\+=|\.(append|extend|insert)\b)")
    definition = definition_of(method)
    is_added = definition is not None and added.search(ast.unparse(definition)) is not None
    return is_added or sets(method, name)


def _is_always_none(error: LayerError, subject: Any) -> bool:
    """Whether the line that raised reads an attribute that the constructor sets to None, and that nothing else sets."""
    if "NoneType" not in error.message or not isinstance(subject, type):
        return False
    empty = _read_and_made(error, subject, ("None",))
    return bool(empty) and not any(_is_filled(subject, name) for name in empty)


def _is_made(constructor: Any, name: str, sources: Sequence[str]) -> bool:
    """Whether a constructor makes the attribute one of these: an argument that is None by default may be given."""
    definition = None if constructor is None else definition_of(constructor)
    if definition is None:
        return False
    lines = [node for node in ast.walk(definition) if isinstance(node, ast.Assign)]
    values = [line.value for line in lines if any(_is_attribute(target, name) for target in line.targets)]
    return bool(values) and all(ast.unparse(value) in sources for value in values)


def _is_attribute(target: ast.expr, name: str) -> bool:
    return isinstance(target, ast.Attribute) and target.attr == name


def _is_filled(cls: type, name: str) -> bool:
    """Whether anything sets the attribute to more than None: a method, or other code beside the class."""
    every = [method for owner in (cls, *subclasses(cls)) for method in methods_of(owner).values()]
    uses = {(event.use, event.name) for method in every for event in events_of(method)}
    is_set = (Use.SET, name) in uses or any(map(sets_any, every))
    return is_set or set_elsewhere(cls, name) is not None


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
    if any(_may_define(node, name) for node in _module_level(tree)):
        return True
    return any(isinstance(node, ast.Global) and name in node.names for node in ast.walk(tree))


def _may_define(node: ast.AST, name: str) -> bool:
    """Whether a piece of a module gives something the name, or imports everything from a module that is not there."""
    match node:
        case ast.Name(id=own, ctx=ast.Store()) | ast.FunctionDef(name=own) | ast.ClassDef(name=own):
            return own == name
        case ast.ImportFrom(names=[ast.alias(name="*")], module=module):
            return not _is_imported(module)
        case ast.alias(name=imported, asname=own):
            return (own or imported.split(".")[0]) == name
        case _:
            return False


def _is_imported(module: str | None) -> bool:
    """Whether a module from which everything is imported is there: what it has is then defined."""
    known = f".{module}"
    return module is not None and any(f".{name}".endswith(known) for name in sys.modules)


def _module_level(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            yield from _module_level(child)


def remedy(error: LayerError, subject: Any) -> str | None:
    """What to write so that what an object lacks is there; None where nothing is known of it."""
    missing = _missing(error) if error.kind == "AttributeError" else None
    owner = _owner(error, subject)
    if missing is None or owner is None:
        return None
    _, name = missing
    setter = setter_of(owner, name)
    cls, _, method = ("", "", "") if setter is None else setter.partition(".")
    if setter is not None and cls != owner.__name__:
        return f"{cls} sets {name}: check that class instead"
    if method and method not in ("forward", "backward", "__init__"):
        return (
            f"{setter} sets {name}: declare a Case with its arguments and "
            f'settings=Settings(convention=Convention(prepare=("{method}",)))'
        )
    place = set_elsewhere(owner, name)
    example = "" if place is None else f", as {place} does"
    return f"build one object, set its {name}{example}, and write check(layer, x) with an input of yours"

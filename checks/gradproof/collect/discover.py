"""The subjects among the names of a module: classes with a forward, pairs of functions, losses; it runs none."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from gradproof.collect import scan, suggestions
from gradproof.collect.lost_statements import LostStatement
from gradproof.convention import function_names
from gradproof.convention.attributes import definition_of
from gradproof.convention.convention import FORWARDS, convention_of
from gradproof.convention.templates import only_promises, refuses
from gradproof.findings import Finding
from gradproof.nodes.conventions import is_machinery, operation_of, operations_of
from gradproof.nodes.engine import engine_of
from gradproof.nodes.library import is_node_class, library_of
from gradproof.nodes.operation import Operation


@dataclass(frozen=True, eq=False)
class Found:
    """One subject: a class, a pair (forward, backward), or one function; ``problem`` says why it cannot be checked."""

    name: str
    target: Any
    problem: str | None = None

    @property
    def parts(self) -> tuple[Any, ...]:
        """The classes and functions that it is made of."""
        return self.target if isinstance(self.target, tuple) else (self.target,)


def subjects(names: Mapping[str, Any], own: Callable[[Any], bool]) -> list[Found]:
    """The subjects among ``names`` that are the author's own, in the order of their definition.

    A class that has a forward and no backward is one that cannot be checked. Abstract bases and protocols are none:
    they promise a forward, they do not have one.
    """
    own_classes = _classes(names, own)
    functions = _functions(names, own)
    by_function = {name: operation_of(function) for name, function in functions.items()}
    plain = {name: function for name, function in functions.items() if by_function[name] is None}
    of_functions = [operation for operation in by_function.values() if operation is not None]
    operations = _operations(own_classes, of_functions)
    nodes = [Found(each.name, (each.forward, each.backward)) for each in operations]
    layers = [Found(cls.__name__, cls, _problem(cls)) for cls in _layers(own_classes) if not is_abstract(cls)]
    return [*nodes, *layers, *_of_functions(plain)]


def _operations(own_classes: Sequence[type], of_functions: Sequence[Operation]) -> list[Operation]:
    """The operations that classes are, those of functions, and the backward of each class of nodes, tried on them."""
    of_classes = [operation for cls in own_classes for operation in operations_of(cls)]
    operations = [*of_classes, *of_functions]
    engines = [engine_of(cls, operations) for cls in own_classes if is_node_class(cls)]
    return [*operations, *(engine for engine in engines if engine is not None)]


def _layers(own_classes: Sequence[type]) -> list[type]:
    """The classes with a forward that belong to no autograd library."""
    return [cls for cls in own_classes if _is_layer(cls) and not _is_of_library(cls)]


def left_out(names: Mapping[str, Any], own: Callable[[Any], bool]) -> list[Finding]:
    """A note for each class that only promises, and each half of a pair whose other half is missing."""
    abstract = [cls.__name__ for cls in _layers(_classes(names, own)) if is_abstract(cls)]
    advice = "write a class on it that has its forward and backward: that one is checked"
    notes = [_note(name, "is abstract or a protocol: left out", advice) for name in abstract]
    return [*notes, *_halves(_functions(names, own))]


def _halves(functions: Mapping[str, FunctionType]) -> Iterator[Finding]:
    """A note for each function that by its name is half of a pair, where the other half is missing."""
    known = {part.__name__ for one in _of_functions(functions) for part in one.parts}
    for name, function in functions.items():
        is_backward = function_names.is_backward(name)
        other = function_names.forward_expected(name) if is_backward else function_names.backward_expected(name)
        if other and name not in known:
            yield _half(function, other)


def lost(failures: Iterable[LostStatement]) -> list[Found]:
    """The subjects and Cases that the module was to define and does not, each with the reason."""
    named = ((failure, scan.checked_name(failure.statement.node)) for failure in failures)
    return [Found(name, None, failure.problem(name)) for failure, name in named if name is not None]


def lost_notes(failures: Iterable[LostStatement]) -> list[Finding]:
    """A note for each other class with a forward that the module was to define and does not."""
    found: list[Finding] = []
    for failure in failures:
        node = failure.statement.node
        if isinstance(node, ast.ClassDef) and scan.has_forward(node) and scan.checked_name(node) is None:
            found.append(_note(node.name, f"left out: {failure.absence(node.name).because}"))
    return found


def is_abstract(cls: Any) -> bool:
    """Whether a class is a base that leaves forward to others."""
    forward = _method(cls, forward=True)
    is_declared = inspect.isabstract(cls) or bool(getattr(cls, "_is_protocol", False))
    return is_declared or only_promises(forward) or any(map(refuses, _always_called(cls, forward)))


def _always_called(cls: type, method: Any) -> list[Any]:
    """The class's own methods that the statements of ``method`` call, whatever it is given."""
    definition = definition_of(method)
    if definition is None or not definition.args.args:
        return []
    always = [part for part in definition.body if isinstance(part, (ast.Return, ast.Assign, ast.Expr))]
    names = _methods_called(definition.args.args[0].arg, always)
    return [getattr(cls, name) for name in names if hasattr(cls, name)]


def _methods_called(own: str, statements: Sequence[ast.stmt]) -> list[str]:
    """The names of the methods of ``own``, the name of an object, that these statements call."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    return [f.attr for f in called if isinstance(f, ast.Attribute) and ast.unparse(f.value) == own]


def _is_of_library(cls: type) -> bool:
    """Whether a class is an operation of an autograd library, or what its operations are made of."""
    return bool(operations_of(cls)) or is_machinery(cls)


def _classes(names: Mapping[str, Any], own: Callable[[Any], bool]) -> list[type]:
    return list(dict.fromkeys(value for value in names.values() if isinstance(value, type) and own(value)))


def _functions(names: Mapping[str, Any], own: Callable[[Any], bool]) -> dict[str, FunctionType]:
    found = {value: None for value in names.values() if isinstance(value, FunctionType) and own(value)}
    return {function.__name__: function for function in found}


def _is_layer(cls: type) -> bool:
    return convention_of(cls) is not None or callable(getattr(cls, "forward", None))


def _problem(cls: type) -> str | None:
    library = library_of(cls) if convention_of(cls) is None else None
    if library is not None:
        node = library.node
        return (
            f"{cls.__name__} has no backward of its own: it is made of operations of {node.__name__}, which are judged "
            f"where they are defined: run gradproof on the file of {node.__module__}"
        )
    if convention_of(cls) is None or only_promises(_method(cls, forward=False)):
        convention = convention_of(cls)
        forward = "forward" if convention is None else convention.forward
        others = [name for name in suggestions.public_methods(cls) if name not in FORWARDS]
        methods = (forward, others[0] if others else suggestions.UNKNOWN)
        return (
            f"{cls.__name__} has no backward: nothing to check. Where it has another name, declare it in a "
            f"check_*.py:\n{suggestions.declaration(cls, methods=methods)}"
        )
    return None


def _method(cls: type, *, forward: bool) -> Any:
    convention = convention_of(cls)
    names = ("forward", "backward") if convention is None else (convention.forward, convention.backward)
    return getattr(cls, names[0] if forward else names[1], None)


def _of_functions(functions: Mapping[str, FunctionType]) -> list[Found]:
    """Pairs, functions that return their backward, and losses that return their gradient; each under its own name."""
    definitions = {name: definition_of(function) for name, function in functions.items()}
    found: dict[str, Found] = {}
    for name, backward in functions.items():
        half = scan.pair_of(name, definitions)
        if half is not None:
            title = _title(name, half)
            title = title if title not in found else name
            found[title] = Found(title, (functions[half], backward))
    paired = {part.__name__ for pair in found.values() for part in pair.parts}
    for name, definition in definitions.items():
        if name not in paired and _stands_alone(definition):
            found[name] = Found(name, functions[name])
    return list(found.values())


def _stands_alone(definition: ast.FunctionDef | None) -> bool:
    """Whether one function is a subject: it returns its backward, or is a loss that returns its gradient."""
    return definition is not None and (scan.is_closure(definition) or scan.is_loss(definition))


def _title(backward: str, forward: str) -> str:
    """What a pair is called: by what the names of its two halves have in common."""
    return function_names.stem(backward) if function_names.is_backward(backward) else _without(forward)


def _without(forward: str) -> str:
    for word in ("_forward", "_fwd"):
        forward = forward.removesuffix(word)
    return forward


def _half(function: FunctionType, other: str) -> Finding:
    """A note on one half of a pair: where the other has another name, a Case says so."""
    unknown = suggestions.UNKNOWN
    is_backward = function_names.is_backward(function.__name__)
    declared = suggestions.declaration(*((unknown, function) if is_backward else (function, unknown)))
    advice = f"where it has another name than {other}, declare it in a check_*.py:\n{declared}"
    return _note(function.__name__, f"has no {other}: not checked", advice)


def _note(name: str, headline: str, advice: str | None = None) -> Finding:
    lines = () if advice is None else (("what to do", advice),)
    return Finding("GP306", name, headline, severity="note", remarks=lines)

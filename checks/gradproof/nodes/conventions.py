"""The ways to write an operation of an autograd library, one row each; it runs none of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from gradproof.nodes import closures, contexts, function_classes, gradients
from gradproof.nodes.engine import engine_of
from gradproof.nodes.library import BACKWARDS, is_node_class
from gradproof.nodes.operation import Forward, Operation
from gradproof.standins.spaces import functions_of

# what finds the operations of a class, the surest first; what says that a class is only the base of operations
CONVENTIONS: tuple[Callable[[type], Iterable[Operation]], ...] = (
    contexts.operations,
    gradients.operations,
    function_classes.operations,
    closures.operations,
)
BASES: tuple[Callable[[type], bool], ...] = (
    contexts.is_base,
    gradients.is_base,
    function_classes.is_base,
    closures.is_base,
)


@functools.lru_cache(maxsize=1024)
def operations_of(cls: type) -> tuple[Operation, ...]:
    """The operations that a class is or has; none for an ordinary layer."""
    return next((found for convention in CONVENTIONS if (found := tuple(convention(cls)))), ())


@functools.lru_cache(maxsize=1024)
def is_machinery(cls: type) -> bool:
    """Whether a class belongs to an autograd library and is no operation itself: its nodes, the base of operations."""
    return any(is_base(cls) for is_base in BASES)


def operation_of(subject: Any) -> Operation | None:
    """The one operation that a class or a method is, or of which a function is the forward; None elsewhere."""
    if isinstance(subject, Forward):
        return subject.operation
    if isinstance(subject, FunctionType):
        return _of_function(subject)
    found = operations_of(subject) if isinstance(subject, type) else ()
    return found[0] if len(found) == 1 and found[0].owner is subject else None


@functools.lru_cache(maxsize=1024)
def _of_function(function: FunctionType) -> Operation | None:
    owner = function.__globals__.get(function.__qualname__.partition(".")[0])
    found = operations_of(owner) if isinstance(owner, type) else ()
    method = next((operation for operation in found if operation.owner is function), None)
    if method is None and isinstance(owner, type) and function.__name__ in BACKWARDS and is_node_class(owner):
        return _engine_beside(owner)
    return method or (closures.operation_of_function(function) if function.__qualname__.isidentifier() else None)


def _engine_beside(cls: type) -> Operation | None:
    """The backward of a class of nodes, on the operations of its module."""
    function = next(functions_of(cls))
    beside = [value for value in function.__globals__.values() if isinstance(value, type)]
    return engine_of(cls, [operation for value in beside for operation in operations_of(value)])


def as_functions(subject: Any, backward: Any) -> tuple[Any, Any]:
    """The pair of functions on arrays that an operation is; what is none, as it came."""
    operation = operation_of(subject) if backward is None else None
    return (subject, backward) if operation is None else (operation.forward, operation.backward)

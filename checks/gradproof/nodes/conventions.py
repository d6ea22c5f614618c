"""The ways to write an operation of an autograd library, one row each; it runs none of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from gradproof.nodes import functions
from gradproof.nodes.library import is_node_class
from gradproof.nodes.operation import Forward, Operation

# what finds the operations of a class, the surest first; what says that a class is only the base of operations
CONVENTIONS: tuple[Callable[[type], Iterable[Operation]], ...] = (functions.operations,)
BASES: tuple[Callable[[type], bool], ...] = (functions.is_base,)


@functools.lru_cache(maxsize=1024)
def operations_of(cls: type) -> tuple[Operation, ...]:
    """The operations that a class is or has; none for an ordinary layer."""
    return next((found for convention in CONVENTIONS if (found := tuple(convention(cls)))), ())


@functools.lru_cache(maxsize=1024)
def is_machinery(cls: type) -> bool:
    """Whether a class belongs to an autograd library and is no operation itself: its nodes, the base of operations."""
    return is_node_class(cls) or any(is_base(cls) for is_base in BASES)


def operation_of(subject: Any) -> Operation | None:
    """The one operation that a class or a method is, or of which a function is the forward; None elsewhere."""
    if isinstance(subject, Forward):
        return subject.operation
    found = operations_of(subject) if isinstance(subject, type) else ()
    return found[0] if len(found) == 1 and found[0].owner is subject else None


def as_functions(subject: Any, backward: Any) -> tuple[Any, Any]:
    """The pair of functions on arrays that an operation is; what is none, as it came."""
    operation = operation_of(subject) if backward is None else None
    return (subject, backward) if operation is None else (operation.forward, operation.backward)

"""Which modules of the user a subject's code sees: their global names; it changes none of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

MOST = 64  # modules of the user that are followed from the subject's own

Namespace = dict[str, Any]


def namespaces(subject: Any) -> list[Namespace]:
    """The global names that the code of a class or function sees, and those of the user's code that they name."""
    found: dict[int, Namespace] = {}
    queue = list(_globals_of(subject))
    while queue and len(found) < MOST:
        space = queue.pop(0)
        if id(space) in found or not _is_users(space):
            continue
        found[id(space)] = space
        for value in list(space.values()):
            queue.extend(_named_by(value, space))
    return list(found.values())


def functions_of(subject: Any) -> Iterator[FunctionType]:
    """A function itself; of a class its methods, and those of its bases."""
    for cls in subject.__mro__ if isinstance(subject, type) else ():
        for method in vars(cls).values():
            function = getattr(method, "__func__", method)
            if isinstance(function, FunctionType):
                yield function
    if isinstance(subject, FunctionType):
        yield subject


def _named_by(value: Any, space: Namespace) -> Iterator[Namespace]:
    if isinstance(value, (type, FunctionType)):
        yield from _globals_of(value)
    elif isinstance(value, ModuleType) and _is_beside(value, space):
        yield vars(value)


def _globals_of(subject: Any) -> Iterator[Namespace]:
    for function in functions_of(subject):
        yield function.__globals__


def _is_users(space: Namespace) -> bool:
    """Whether a module is neither the standard library's nor one of those that this package runs on."""
    root = str(space.get("__name__", "")).split(".")[0]
    return root not in sys.stdlib_module_names and root not in ("numpy", "scipy", "gradproof")


def _is_beside(module: ModuleType, space: Namespace) -> bool:
    """Whether a module that is named is the user's own, and no library that was installed."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return False
    same_package = module.__name__.split(".")[0] == str(space.get("__name__", "")).split(".")[0]
    return same_package or not ("site-packages" in file or "dist-packages" in file)

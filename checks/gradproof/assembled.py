"""Puts together what every module of a folder declares, in the order that the declarations give; it knows none of them.

A new module is found because it is there: it need not be listed. Nothing hangs on the order in which they are imported.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Protocol, TypeVar


class Placed(Protocol):
    """What has a place among others of its kind."""

    @property
    def place(self) -> int:
        """The lower comes first; no two share one."""
        ...


T = TypeVar("T", bound=Placed)


def modules_of(package: str) -> Iterator[ModuleType]:
    """The modules of a package, imported, by their names."""
    for module in pkgutil.iter_modules(import_module(package).__path__, f"{package}."):
        yield import_module(module.name)


def assembled(package: str, kind: type[T], name: str) -> tuple[T, ...]:
    """What the modules of a package hold under ``name``, each a tuple of ``kind``, by their places.

    Raises ValueError where two have the same place, or one is something else.
    """
    found: list[T] = []
    for module in modules_of(package):
        for one in getattr(module, name):
            if not isinstance(one, kind):
                raise ValueError(f"expected a {kind.__name__} in {name} of {module.__name__}, got {one!r}")
            found.append(one)
    places = [one.place for one in found]
    if len(set(places)) < len(places):
        raise ValueError(f"expected a place for each of {package}, got {sorted(places)}")
    return tuple(sorted(found, key=lambda one: one.place))

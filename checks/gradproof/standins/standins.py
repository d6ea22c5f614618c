"""Puts objects of ours in the place of a library in the user's modules, and the library back; it knows no layers.

One object stands for one of theirs everywhere at once: under each global name, in the attributes of classes and in the
defaults of functions. So ``xp is np`` holds where it held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType, TracebackType
from typing import Any

from gradproof.standins.spaces import Namespace, functions_of

_ABSENT: Any = object()  # a name that the namespace does not hold
InsteadOf = Callable[[Any], Any]  # what stands for a value; None where the value stays


class ModuleStandIn(ModuleType):
    """A module of theirs, some members of which are others: ``member(name, value)`` says which."""

    def __init__(self, module: ModuleType, member: Callable[[str, Any], Any]) -> None:
        super().__init__(module.__name__)
        self.__dict__["_theirs"], self.__dict__["_member"] = module, member

    def __getattr__(self, name: str) -> Any:
        return self._member(name, getattr(self._theirs, name))

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._theirs, name, value)

    def __deepcopy__(self, memo: object) -> ModuleStandIn:
        return self


@dataclass(frozen=True, eq=False)
class _Place:
    """Where one value of theirs is replaced: in a dict, or as an attribute."""

    holder: Any
    name: str
    theirs: Any
    ours: Any

    def put(self, value: Any) -> None:
        if not isinstance(self.holder, dict):
            setattr(self.holder, self.name, value)
        elif value is _ABSENT:
            self.holder.pop(self.name, None)
        else:
            self.holder[self.name] = value

    def holds(self) -> Any:
        if isinstance(self.holder, dict):
            return self.holder.get(self.name, _ABSENT)
        return getattr(self.holder, self.name, _ABSENT)


class StandIns:
    """A context in which the user's modules see our objects; outside of it they see theirs.

    builtins: names that a module does not define itself, and which mean something else meanwhile.
    """

    def __init__(
        self, spaces: Iterable[Namespace], instead_of: InsteadOf, builtins: Mapping[str, Any] | None = None
    ) -> None:
        self._places: list[_Place] = []
        added = builtins or {}
        for space in spaces:
            self._places += _in_namespace(space, instead_of)
            self._places += [_Place(space, k, _ABSENT, v) for k, v in added.items() if k not in space]

    def __enter__(self) -> StandIns:
        for place in self._places:
            place.put(place.ours)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, where: TracebackType | None
    ) -> None:
        for place in reversed(self._places):
            if place.holds() is place.ours:
                place.put(place.theirs)


def _in_namespace(space: Namespace, instead_of: InsteadOf) -> list[_Place]:
    """The places of one module: its global names, and what its own classes and functions keep."""
    found: list[_Place] = []
    for name, value in list(space.items()):
        ours = instead_of(value)
        if ours is not None:
            found.append(_Place(space, name, value, ours))
        elif getattr(value, "__module__", None) == space.get("__name__", ""):
            found += _kept_by(value, instead_of)
    return found


def _kept_by(value: Any, instead_of: InsteadOf) -> list[_Place]:
    """What a class holds itself, and the defaults of arguments."""
    found: list[_Place] = []
    if isinstance(value, type):
        for name, held in list(vars(value).items()):
            if isinstance(held, ModuleType) and (ours := instead_of(held)) is not None:
                found.append(_Place(value, name, held, ours))
    for function in functions_of(value):
        found += _defaults(function, instead_of)
    return found


def _defaults(function: FunctionType, instead_of: InsteadOf) -> list[_Place]:
    """The defaults that stand for a module: ``def forward(x, xp=np)``."""
    theirs = function.__defaults__ or ()
    if not any(isinstance(value, ModuleType) for value in theirs):
        return []
    ours = tuple(_replaced(value, instead_of) for value in theirs)
    return [_Place(function, "__defaults__", theirs, ours)]


def _replaced(value: Any, instead_of: InsteadOf) -> Any:
    ours = instead_of(value) if isinstance(value, ModuleType) else None
    return value if ours is None else ours

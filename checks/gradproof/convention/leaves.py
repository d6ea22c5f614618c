"""Walks an object: every array, number and None that it holds, by its path; not what any of them is for."""

from __future__ import annotations

import enum
import functools
import inspect
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from gradproof import guard
from gradproof.convention import namings

DEPTH = 8  # attributes and containers between the object and an array: a net of blocks of layers has about 6
MOST = 4096  # containers that are opened; a net of a hundred layers has about 1000
LONG = 256  # a list longer than this holds data, unless its first part is an object or an array

# These may be properties: params and grads are the book's, and a net reads them as attributes.
LISTED = ("params", "grads", "parameters", "gradients")
METHODS = namings.methods()  # what they return stands at a step of its own: get_params()
CALL = "()"
_CLOSED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType, str, bytes, np.random.Generator)
_NUMBERS = (int, float, np.generic, type(None))
_LEAVES = (np.ndarray, *_NUMBERS)


class Step(NamedTuple):
    """One step of a path: an attribute's name, or the key of a dict, list or tuple."""

    key: Any
    attribute: bool


Path = tuple[Step, ...]


class Missing:
    """What stands at a path that leads nowhere (any more)."""


MISSING = Missing()


def leaves(thing: object) -> dict[Path, Any]:
    """Every array, number and None that can be reached, the shortest paths first; a container is entered once."""
    return {path: value for path, value in _walk(thing) if isinstance(value, _LEAVES)}


def lists(thing: object) -> list[list[Any]]:
    """Every list that can be reached."""
    return list(lists_at(thing).values())


def lists_at(thing: object) -> dict[Path, list[Any]]:
    """Every list that can be reached, by its path."""
    return {path: value for path, value in _walk(thing) if isinstance(value, list)}


def objects(thing: object) -> dict[Path, Any]:
    """Every object that can be reached and is no array, number or container, by its path."""
    plain = (*_LEAVES, *_CLOSED, list, tuple, dict)
    return {path: value for path, value in _walk(thing) if not isinstance(value, plain)}


def _walk(thing: object) -> list[tuple[Path, Any]]:
    found: list[tuple[Path, Any]] = [((), thing)]
    opened: dict[int, Any] = {}  # by id; held, so that no id comes again while the walk lasts
    for i, (path, value) in enumerate(found):  # which grows as it is read
        if len(opened) == MOST:
            return found[:i]
        cls: object = type(value)
        kind = _kind_of(cls)
        if kind is _Kind.LEAF or len(path) == DEPTH or id(value) in opened:
            continue
        opened[id(value)] = value
        if kind is not _Kind.CLOSED:
            step = _attribute_step if kind is _Kind.OBJECT else _key_step
            found += [((*path, step(key)), part) for key, part in _parts(value, kind)]
    return found


@functools.lru_cache(maxsize=1024)
def _attribute_step(name: str) -> Step:
    return Step(name, True)


def _key_step(key: Any) -> Step:
    return Step(key, False)


class _Kind(enum.Enum):
    """What the walk makes of an object: a leaf is told and not opened; what is closed holds nothing of the layer."""

    LEAF, CLOSED, MAPPING, SEQUENCE, OBJECT = range(5)


@functools.lru_cache(maxsize=1024)
def _kind_of(cls: type) -> _Kind:
    kinds = {
        _Kind.LEAF: _LEAVES,
        _Kind.CLOSED: _CLOSED,
        _Kind.MAPPING: (Mapping,),
        _Kind.SEQUENCE: (list, tuple),
    }
    return next((kind for kind, classes in kinds.items() if issubclass(cls, classes)), _Kind.OBJECT)


def _parts(value: Any, kind: _Kind) -> Iterable[tuple[Any, Any]]:
    """What an object holds, by key."""
    if kind is _Kind.OBJECT:
        return _attributes(value).items()
    if kind is _Kind.MAPPING:
        return list(value.items())
    holds_data = len(value) > LONG and isinstance(value[0], _NUMBERS)
    return () if holds_data else enumerate(value)


def _attributes(value: Any) -> Mapping[str, Any]:
    cls: object = type(value)
    members = _members(cls)
    if members is _NO_MEMBERS:
        return dict(getattr(value, "__dict__", {}))
    found: dict[str, Any] = {name: getattr(value, name) for name in members.slots if hasattr(value, name)}
    found |= getattr(value, "__dict__", {})
    found |= {name: guard.read(value, name, MISSING) for name in members.properties}
    found |= {name + CALL: _handed_out(value, name) for name in members.methods}
    return {name: part for name, part in found.items() if part is not MISSING}


class _Members(NamedTuple):
    """What objects of a class hold beside what stands in their ``__dict__``, by name."""

    slots: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()


_NO_MEMBERS = _Members()


@functools.lru_cache(maxsize=1024)
def _members(cls: type) -> _Members:
    """Of a class, read once; the same object for all that have none."""
    declared: Iterable[Any] = itertools.chain.from_iterable(getattr(base, "__slots__", ()) for base in cls.__mro__)
    slots = tuple(name for name in declared if isinstance(name, str))
    properties = tuple(name for name in LISTED if isinstance(getattr(cls, name, None), property))
    methods = tuple(name for name in METHODS if is_asked_nothing(cls, name))
    return _Members(slots, properties, methods) if (*slots, *properties, *methods) else _NO_MEMBERS


@functools.lru_cache(maxsize=1024)
def is_asked_nothing(cls: object, name: str) -> bool:
    """Whether objects of the class have a method of this name that can be called without arguments."""
    method: Callable[..., Any] | None = getattr(cls, name, None)
    if not inspect.isfunction(method):
        return False
    try:
        inspect.signature(method).bind(None)
    except (TypeError, ValueError):
        return False
    return True


def _handed_out(thing: object, name: str) -> Any:
    """What such a method returns as a list, tuple or dict; MISSING where it raises, or returns something else."""
    try:
        result = guard.call(name, getattr(thing, name))
        result = guard.call(name, list, result) if isinstance(result, Iterator) else result
    except guard.SubjectError:
        return MISSING
    return result if isinstance(result, (list, tuple, Mapping)) else MISSING


def is_handed_out(path: Path) -> bool:
    """Whether a method of the object hands this out: it may be a copy."""
    return any(step.attribute and step.key.endswith(CALL) for step in path)


def is_property(thing: object, name: str) -> bool:
    """Whether reading this attribute runs code of the user."""
    return isinstance(getattr(type(thing), name, None), property)


def at(thing: object, path: Path) -> Any:
    """What stands at the path now; MISSING where it leads nowhere."""
    for step in path:
        try:
            thing = _attribute(thing, step.key) if step.attribute else thing[step.key]  # type: ignore[index]
        except (AttributeError, LookupError, TypeError):
            return MISSING
    return thing


def _attribute(thing: object, name: str) -> Any:
    if name.endswith(CALL):
        return _handed_out(thing, name.removesuffix(CALL))
    return guard.read(thing, name, MISSING) if is_property(thing, name) else getattr(thing, name)


def put(thing: object, path: Path, value: object) -> None:
    """Let the path lead to ``value``, which is of the kind that stood there; a tuple keeps what it has."""
    owner, last = at(thing, path[:-1]), path[-1]
    if last.attribute:
        setattr(owner, last.key, value)
    elif not isinstance(owner, tuple):
        owner[last.key] = value


def text(path: Path) -> str:
    """The path as it is written after ``self.``: ``layers[0].W``, ``params['W']``."""
    written = "".join(f".{step.key}" if step.attribute else f"[{step.key!r}]" for step in path)
    return written.removeprefix(".")


def path_of(written: str) -> Path:
    """The path that ``text`` writes so; a key is an integer or a string."""
    steps = re.findall(r"\[(-?\d+)\]|\[['\"](.*?)['\"]\]|([^.\[\]]+)", written)
    return tuple(
        Step(name, True) if name else Step(int(number), False) if number else Step(key, False)
        for number, key, name in steps
    )

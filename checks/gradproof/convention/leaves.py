"""Walks an object: every array, number and None that it holds, by its path; not what any of them is for."""

from __future__ import annotations

import functools
import inspect
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
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
    return {path: value for path, value in _walk(thing) if isinstance(value, (np.ndarray, *_NUMBERS))}


def lists(thing: object) -> list[list[Any]]:
    """Every list that can be reached."""
    return list(lists_at(thing).values())


def lists_at(thing: object) -> dict[Path, list[Any]]:
    """Every list that can be reached, by its path."""
    return {path: value for path, value in _walk(thing) if isinstance(value, list)}


def objects(thing: object) -> dict[Path, Any]:
    """Every object that can be reached and is no array, number or container, by its path."""
    plain = (np.ndarray, *_NUMBERS, *_CLOSED, list, tuple, dict)
    return {path: value for path, value in _walk(thing) if not isinstance(value, plain)}


def _walk(thing: object) -> Iterator[tuple[Path, Any]]:
    queue: deque[tuple[Path, Any]] = deque([((), thing)])
    seen: set[int] = set()
    while queue and len(seen) < MOST:
        path, value = queue.popleft()
        yield path, value
        if isinstance(value, (np.ndarray, *_NUMBERS)) or id(value) in seen or len(path) == DEPTH:
            continue
        seen.add(id(value))
        queue.extend(((*path, step), part) for step, part in _parts(value))


def _parts(value: Any) -> Iterator[tuple[Step, Any]]:
    if isinstance(value, _CLOSED):
        return
    if isinstance(value, Mapping):
        yield from ((Step(key, False), part) for key, part in list(value.items()))
    elif isinstance(value, (list, tuple)):
        if len(value) <= LONG or not isinstance(value[0], _NUMBERS):
            yield from ((Step(i, False), part) for i, part in enumerate(value))
    else:
        yield from ((Step(name, True), part) for name, part in _attributes(value).items())


def _attributes(value: Any) -> dict[str, Any]:
    slots = [name for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ()) if isinstance(name, str)]
    found: dict[str, Any] = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    found |= getattr(value, "__dict__", {})
    found |= {name: guard.read(value, name, MISSING) for name in LISTED if is_property(value, name)}
    kind: object = type(value)
    found |= {name + CALL: _handed_out(value, name) for name in METHODS if is_asked_nothing(kind, name)}
    return {name: part for name, part in found.items() if part is not MISSING}


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

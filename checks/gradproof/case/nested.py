"""Arguments that are dicts of arrays: each of their arrays is a tensor of its own, named ``parameters['W']``.

A Case, an example and a subject hold them flat, by these names; only the call itself gets the dict. It draws nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gradproof.case.specs import Spec, as_spec
from gradproof.convention.gradnames import key_of
from gradproof.errors import UsageError


@dataclass(frozen=True)
class Arrays:
    """A dict argument: what stands under each of its keys."""

    parts: Mapping[str, Any]


def arrays(parts: Mapping[str, Any]) -> Arrays:
    """A dict whose values are arrays, each a shape or another declaration: ``arrays({"W": "d h", "b": "h"})``.

    The gradient of each float array in it is checked, as that of ``parameters['W']``. A number passes through.
    Raises UsageError for anything but a dict with strings as keys, for an empty one, and for a malformed shape.
    """
    given: Any = parts
    if not isinstance(given, Mapping) or not given or not all(isinstance(key, str) for key in given):
        raise UsageError(
            f"arrays: expected a dict of shapes by key, got {given!r} (type {type(given).__name__}); "
            'write arrays({"W": "d h", "b": "h"})'
        )
    for key, value in parts.items():
        as_spec(key, value)
    return Arrays(dict(parts))


def part_name(argument: str, key: str) -> str:
    """The name of what stands under ``key`` in the dict ``argument``."""
    return f"{argument}[{key!r}]"


def flattened(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with each dict of arrays replaced by its parts."""
    found: dict[str, Any] = {}
    for name, value in arguments.items():
        if isinstance(value, Arrays):
            found |= {part_name(name, key): part for key, part in value.parts.items()}
        else:
            found[name] = value
    return found


@functools.lru_cache(maxsize=256)  # asked before every forward, always of the same names
def owners(names: tuple[str, ...]) -> tuple[str, ...]:
    """The arguments that these names stand for, each once."""
    return tuple(dict.fromkeys(_owner(name) for name in names))


@functools.lru_cache(maxsize=256)  # asked at every call, always of the same names
def _are_arguments(names: tuple[str, ...]) -> bool:
    """Whether each of the names is an argument, and none a part of one."""
    return len(owners(names)) == len(names) and not any("[" in name for name in names)


def _owner(name: str) -> str:
    part = key_of(name)
    return name if part is None else part[0]


def nested(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values as the arguments that a call takes: parts of a dict stand in one, made anew."""
    if _are_arguments(tuple(values)):
        return values
    found: dict[str, Any] = {}
    for name, value in values.items():
        part = key_of(name)
        if part is None:
            found[name] = value
        else:
            found.setdefault(part[0], {})[part[1]] = value
    return found


def sources(specs: Mapping[str, Spec]) -> Iterable[str]:
    """Each argument as it is written in a Case: ``x="n d"``, ``parameters=arrays({"W": "d h"})``."""
    for owner in owners(tuple(specs)):
        if owner in specs:
            yield f"{owner}={specs[owner].source()}"
            continue
        keys = {name: part[1] for name in specs if (part := key_of(name)) is not None and part[0] == owner}
        written = ", ".join(f"{_quoted(key)}: {specs[name].source()}" for name, key in keys.items())
        yield f"{owner}=arrays({{{written}}})"


def _quoted(key: str) -> str:
    return f'"{key}"' if '"' not in key and "\\" not in key else repr(key)

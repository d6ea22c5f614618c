"""The grammar of shape strings such as "n d", "*batch d" and "n h+k-1"; it knows no arrays and draws nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from gradproof.columns import columns
from gradproof.errors import UsageError

Dims = Mapping[str, int | tuple[int, ...]]

_INTEGER = re.compile(r"[0-9]+")
_GRAMMAR = (
    'a shape is dims separated by spaces: names, integers, sums and products without spaces: "n d", "n 4*h", "*batch d"'
)


@dataclass(frozen=True)
class Term:
    """A signed product of an integer and named dims: ``4*h`` is ``Term(4, ("h",))``."""

    coefficient: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Size:
    """The size of one axis: a sum of terms."""

    text: str
    terms: tuple[Term, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The named dims in the order of their first use."""
        return tuple(dict.fromkeys(name for term in self.terms for name in term.names))

    @property
    def is_difference(self) -> bool:
        """Whether something is taken off."""
        return any(term.coefficient < 1 for term in self.terms)

    def resolve(self, dims: Dims) -> int:
        """The size for the given dims; it may be below 1. Raises UsageError where a name has no integer size."""
        total = 0
        for term in self.terms:
            total += term.coefficient * math.prod(_integer(self.text, dims, name) for name in term.names)
        return total


@dataclass(frozen=True)
class Star:
    """Any number of axes under one name: ``*batch``."""

    name: str


@dataclass(frozen=True)
class Shape:
    """A parsed shape string; ``axes`` from left to right."""

    text: str
    axes: tuple[Size | Star, ...]

    @property
    def sizes(self) -> tuple[Size, ...]:
        """The axes that are not starred."""
        return tuple(axis for axis in self.axes if isinstance(axis, Size))

    @property
    def names(self) -> tuple[str, ...]:
        """The plain dim names in the order of their first use."""
        return tuple(dict.fromkeys(name for size in self.sizes for name in size.names))

    @property
    def starred(self) -> str | None:
        """The name behind the star, if there is one."""
        return next((axis.name for axis in self.axes if isinstance(axis, Star)), None)

    def resolve(self, dims: Dims) -> tuple[int, ...]:
        """The shape for the given dims, where a starred name maps to a tuple of ints.

        Raises UsageError where a name is missing or has a value of the wrong kind.
        """
        shape: list[int] = []
        for axis in self.axes:
            if isinstance(axis, Star):
                value = dims.get(axis.name)
                if not isinstance(value, tuple):
                    raise UsageError(
                        f'shape "{self.text}": *{axis.name} needs a tuple of sizes, got {axis.name}={value!r}'
                    )
                shape.extend(value)
            else:
                shape.append(axis.resolve(dims))
        return tuple(shape)


def parse(text: str) -> Shape:
    """The shape that ``text`` says; the empty string is the shape of a scalar (0-d).

    Raises UsageError that quotes the string and marks the place where it stops making sense.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # users are not type-checked
        raise UsageError(f"expected a shape string, got {text!r} (type {type(text).__name__}): {_GRAMMAR}")
    axes: list[Size | Star] = []
    for token in re.finditer(r"\S+", text):
        start = token.start()
        if token.group().startswith("*"):
            if any(isinstance(axis, Star) for axis in axes):
                _refuse(text, start, "a shape has at most one starred name")
            axes.append(_star(text, start, token.group()))
        else:
            axes.append(_size(text, start, token.end()))
    return Shape(text, tuple(axes))


def parse_size(text: str | int) -> Size:
    """One size, such as "h" or "4*h" or 10. Raises UsageError as :func:`parse` does."""
    shape = parse(str(text) if type(text) is int else text)  # type: ignore[arg-type]
    if len(shape.sizes) != 1 or len(shape.axes) != 1:
        raise UsageError(f'expected one size, got "{text}": write one dim name, integer or sum, such as "h" or "4*h"')
    return shape.sizes[0]


def _star(text: str, start: int, token: str) -> Star:
    name = token[1:]
    if name.startswith("*"):
        _refuse(text, start + 1, f'one star is enough: "*{name.strip("*") or "batch"}"')
    if not name.isidentifier():
        _refuse(text, start + 1 + len(_name_at(name, 0)), 'a star is followed by one name, such as "*batch"')
    return Star(name)


def _name_at(text: str, position: int) -> str:
    """The longest name that begins there, in any alphabet: what Python takes for one."""
    end = position
    while end < len(text) and text[position : end + 1].isidentifier():
        end += 1
    return text[position:end]


def _atom_at(text: str, position: int) -> str:
    """The name or the integer that begins there; the empty string where neither does."""
    digits = _INTEGER.match(text, position)
    return _name_at(text, position) if digits is None else digits.group()


def _size(text: str, position: int, end: int) -> Size:
    """One token: atoms joined by +, - and *; a product binds tighter than a sum."""
    start, terms, sign = position, [], 1
    coefficient, names = 1, list[str]()
    while True:
        atom = _atom_at(text, position)
        if not atom:
            _refuse(text, position, _expected_atom(text, position, end))
        if atom.isdigit():
            coefficient *= int(atom)
        else:
            names.append(atom)
        position += len(atom)
        if position < end and text[position] == "*":
            position += 1
            continue
        terms.append(Term(sign * coefficient, tuple(names)))
        if position == end:
            return Size(text[start:end], tuple(terms))
        if text[position] not in "+-":
            _refuse(text, position, _expected_operator(text, position, atom))
        sign, coefficient, names = (1 if text[position] == "+" else -1), 1, []
        position += 1


def _expected_atom(text: str, position: int, end: int) -> str:
    """The advice where a name or an integer should stand."""
    if position == end:
        return f'something is missing after "{text[position - 1]}"; a sum is written without spaces: "h+k-1"'
    if text.startswith("...", position):
        return 'any number of axes is written "*batch"'
    if text[position] in "+-*":
        return 'a name or an integer belongs here; a sum is written without spaces: "h+k-1"'
    return _separator_advice(text, position)


def _expected_operator(text: str, position: int, atom: str) -> str:
    """The advice where an operator or a space should stand."""
    name = _name_at(text, position)
    if name and atom.isdigit():
        return f'did you mean "{atom}*{name}"?'
    if text[position] == "/":
        return "a size is a sum, difference or product of dims; name the quotient and multiply instead"
    return _separator_advice(text, position)


def _separator_advice(text: str, position: int) -> str:
    if not text[position].isascii() and text[position].isalnum():
        return "a dim is a name as in Python, or an integer of the digits 0-9"
    spaced = " ".join(re.findall(r"[\w+*-]+", text))
    if spaced and _is_shape(spaced):
        return f'write dims separated by spaces: "{spaced}"'
    return _GRAMMAR


def _is_shape(text: str) -> bool:
    return all(re.fullmatch(r"\*?[^\W\d]\w*|[^\W\d]\w*([+*-]\w+)*|[0-9]+", token) for token in text.split())


def _refuse(text: str, position: int, advice: str) -> NoReturn:
    lead = 'shape "'
    before = " " * columns(f"{lead}{text[:position]}")
    raise UsageError(f'{lead}{text}" is malformed here:\n    {lead}{text}"\n    {before}^\n{advice}')


def _integer(text: str, dims: Dims, name: str) -> int:
    value = dims.get(name)
    if not isinstance(value, int):
        raise UsageError(f'size "{text}": {name} needs an integer size, got {name}={value!r}')
    return value

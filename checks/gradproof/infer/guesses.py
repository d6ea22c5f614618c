"""What an argument may be, in terms of dims that are not yet known; it tries nothing and judges nothing."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

from gradproof.case.limits import SIZES
from gradproof.case.shapes import parse, parse_size
from gradproof.case.specs import Floats, Labels, Literal, OneHot, SizeArgument, Sizes, Spec
from gradproof.infer.roles import WEIGHTS, role_of

BATCH = "n"  # the dim that all arrays of a forward share: their first axis, unless something contradicts
_SUFFIX = "__"  # between what a dim is called and the argument that it belongs to
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SUM = re.compile(r"[+-]")


class Kind(Enum):
    """What sort of value an argument is."""

    ABSENT = auto()  # left to its default
    FLOATS = auto()
    CONSTANT = auto()  # floats without gradient
    LABELS = auto()
    ONE_HOT = auto()
    SIZE = auto()
    SIZES = auto()
    LITERAL = auto()


class Domain(Enum):
    """Where the entries of a float array lie."""

    REAL = auto()
    POSITIVE = auto()
    UNIT = auto()  # between 0 and 1


ARRAYS = frozenset({Kind.FLOATS, Kind.CONSTANT, Kind.LABELS, Kind.ONE_HOT})


@dataclass(frozen=True, eq=False)
class Guess:
    """One thing that an argument may be.

    axes: sizes in the grammar of shapes; below: the size that bounds labels, or counts the classes of one-hot rows;
    ranges: (least, most) of those dims that cannot take all sizes; cost: how far it departs from what the argument's
    name suggests (0: what one would write down first).
    """

    kind: Kind
    axes: tuple[str, ...] = ()
    below: str = ""
    value: Any = None
    text: str | None = None  # of a literal, where its repr is no source
    ranges: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, "tuple[int, int]"])
    cost: float = 0.0

    @property
    def rank(self) -> int | None:
        """The number of axes of an array; None for anything else."""
        return None if self.kind not in ARRAYS else len(self.axes) + (self.kind is Kind.ONE_HOT)

    def owned_by(self, argument: str) -> Guess:
        """The same guess with dims of its own, told from those of other arguments; the batch alone is shared."""

        def own(size: str) -> str:
            return _NAME.sub(lambda name: own_dim(name.group(), argument), size)

        used = {name for size in (*self.axes, self.below) for name in names_in(size)}
        ranges = {own(name): limits for name, limits in self.ranges.items() if name in used}
        return replace(self, axes=tuple(map(own, self.axes)), below=own(self.below), ranges=ranges)

    def spec(self, bound: Mapping[str, str], domain: Domain) -> Spec | None:
        """The declaration under the equations ``bound``; None where the argument is left to its default."""
        text = " ".join(resolved(axis, bound) for axis in self.axes)
        match self.kind:
            case Kind.ABSENT:
                return None
            case Kind.FLOATS if domain is Domain.REAL:
                return Floats(parse(text))
            case Kind.FLOATS:
                return Floats(parse(text), 0.0, None if domain is Domain.POSITIVE else 1.0, domain is Domain.POSITIVE)
            case Kind.CONSTANT:
                return Floats(parse(text), differentiable=False)
            case Kind.LABELS:
                return Labels(parse(text), parse_size(resolved(self.below, bound)))
            case Kind.ONE_HOT:
                return OneHot(parse(text), parse_size(resolved(self.below, bound)))
            case Kind.SIZE:
                return SizeArgument(parse_size(text))
            case Kind.SIZES:
                return Sizes(parse(text))
            case Kind.LITERAL:
                return Literal(self.value, text=self.text)


def own_dim(name: str, argument: str) -> str:
    """The dim ``name`` of one argument."""
    return name if name == BATCH else f"{name}{_SUFFIX}{argument}"


def called(dim: str) -> str:
    """What a dim is called, without the argument that it belongs to."""
    return dim.partition(_SUFFIX)[0]


def names_in(size: str) -> list[str]:
    """The dims in a size, in the order of their first use."""
    return list(dict.fromkeys(_NAME.findall(size)))


def resolved(size: str, bound: Mapping[str, str]) -> str:
    """A size with every bound dim replaced by what it is equal to."""
    while any(name in bound for name in names_in(size)):
        size = _NAME.sub(lambda name: bound.get(name.group(), name.group()), size)
    return size


def equated(bound: Mapping[str, str], dim: str, size: str) -> Mapping[str, str] | None:
    """``bound`` with the free ``dim`` equal to ``size``; None where that makes no sense in the grammar of sizes."""
    size = resolved(size, bound)
    if dim in bound or dim in names_in(size):
        return None
    within_product = any(f"*{dim}" in value or f"{dim}*" in value for value in bound.values())
    return None if within_product and _SUM.search(size) else {**bound, dim: size}


@dataclass(frozen=True, eq=False)
class Candidate:
    """One guess for each argument, and which dims are equal to which sizes.

    departures: what its guesses cost, and what its less likely equations cost; steps: how many repairs led here; least:
    sizes below which it does not run, of those free dims that have one.
    """

    guesses: Mapping[str, Guess]
    bound: Mapping[str, str] = field(default_factory=dict[str, str])
    domain: Domain = Domain.REAL
    departures: float = 0.0
    steps: int = 0
    least: Mapping[str, int] = field(default_factory=dict[str, int])

    def key(self) -> tuple[object, ...]:
        """Equal for candidates that are one and the same."""
        return (
            tuple((name, id(guess)) for name, guess in self.guesses.items()),
            repr(sorted(self.bound.items())),
            self.domain,
        )

    def specs(self) -> dict[str, Spec]:
        """The declaration of each argument that is not left to its default."""
        found = {name: guess.spec(self.bound, self.domain) for name, guess in self.guesses.items()}
        return {name: spec for name, spec in found.items() if spec is not None}

    def dims(self) -> list[str]:
        """The dims of all arguments in their order, bound ones too."""
        sizes = [size for guess in self.guesses.values() for size in (*guess.axes, guess.below)]
        return list(dict.fromkeys(name for size in sizes for name in names_in(size)))

    def ranges(self) -> dict[str, tuple[int, int]]:
        """The limits of the free dims that have any; of equal dims, what all their limits allow."""
        found = {resolved(dim, self.bound): (least, SIZES[1]) for dim, least in self.least.items()}
        for guess in self.guesses.values():
            for dim, (least, most) in guess.ranges.items():
                size = resolved(dim, self.bound)
                if _NAME.fullmatch(size):
                    low, high = found.get(size, SIZES)
                    found[size] = (max(low, least), max(max(low, least), min(high, most)))
        return found

    def changed(self, argument: str, guess: Guess) -> Candidate:
        """Another guess for one argument; equations that speak of dims that are gone are dropped."""
        guesses = {**self.guesses, argument: guess}
        departures = self.departures + guess.cost - self.guesses[argument].cost
        changed = replace(self, guesses=guesses, departures=departures, steps=self.steps + 1)
        left = set(changed.dims())
        kept = {dim: size for dim, size in self.bound.items() if dim in left and set(names_in(size)) <= left}
        return replace(changed, bound=kept)

    def equal(self, dim: str, size: str, cost: float = 0.0) -> Candidate | None:
        """The same with one more equation; None where it makes no sense."""
        bound = equated(self.bound, dim, size)
        if bound is None:
            return None
        return replace(self, bound=bound, departures=self.departures + cost, steps=self.steps + 1)

    def freer(self) -> Iterator[Candidate]:
        """The same with one equation less: a dim, or two together, apart from those that they were equal to.

        What bounds labels stays, for it would be any number that is small enough.
        """
        bounds = {guess.below for guess in self.guesses.values()}
        dims = [dim for dim in self.bound if dim not in bounds]
        for apart in (*((dim,) for dim in dims), *itertools.combinations(dims, 2)):
            sizes = {resolved(dim, self.bound) for dim in apart}
            if len(sizes) == 1:
                rest = {dim: resolved(size, self.bound) for dim, size in self.bound.items() if dim not in apart}
                yield replace(self, bound={**rest, **dict.fromkeys(apart[1:], apart[0])})

    def windowed(self) -> list[str]:
        """The free dims over which something may slide or loop: inner axes of inputs that no other array shares."""
        inner: list[str] = []
        others: list[str] = []
        for name, guess in self.guesses.items():
            axes = [resolved(axis, self.bound) for axis in guess.axes]
            data = guess.kind in ARRAYS and role_of(name, constructor=True) not in WEIGHTS
            whole = data or len(axes) > 2
            for place, axis in enumerate(axes):
                (inner if whole and place > 0 else others).append(axis)
        return [dim for dim in dict.fromkeys(inner) if _NAME.fullmatch(dim) and dim not in others]

    def has_weights_of(self, other: Candidate) -> bool:
        """Whether no weight is another guess than in ``other``: what a backward raises says nothing of the weights."""
        names = [name for name in self.guesses if role_of(name, constructor=True) in WEIGHTS]
        return all(self.guesses[name] is other.guesses[name] for name in names)

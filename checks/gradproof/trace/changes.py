"""What an argument may be, and what a use of it proposes, as data; it applies nothing and searches nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from gradproof.trace.polynomials import Polynomial


class What(Enum):
    """What sort of value an argument is."""

    UNKNOWN = auto()
    DEFAULT = auto()  # left to its default
    ARRAY = auto()
    CONSTANT = auto()  # floats without gradient
    LABELS = auto()
    ONE_HOT = auto()
    PROBABILITIES = auto()  # along the last axis
    SIZE = auto()
    SIZES = auto()
    VALUE = auto()
    PARTS = auto()  # a dict each of whose values is an argument of its own; its value is the tuple of the keys


DISTRIBUTIONS = frozenset({What.ONE_HOT, What.PROBABILITIES})  # over the classes of the last axis
ARRAYS = frozenset({What.ARRAY, What.CONSTANT, What.LABELS}) | DISTRIBUTIONS


@dataclass(frozen=True, eq=False)
class Kind:
    """What one argument is: ``rank`` counts the axes of an array, the classes of one-hot rows and a tuple's sizes."""

    what: What
    rank: int = 0
    value: Any = None
    text: str | None = None  # the value as source, where its repr is none

    @property
    def is_array(self) -> bool:
        """Whether it has axes and entries."""
        return self.what in ARRAYS

    @property
    def axes(self) -> int:
        """How many sizes it has, of axes or in a tuple."""
        if self.is_array or self.what is What.SIZES:
            return self.rank
        return 1 if self.what is What.SIZE else 0

    def key(self) -> object:
        """What tells it from others."""
        return self.what, self.rank, self.text or repr(self.value)


UNKNOWN, DEFAULT, SIZE = Kind(What.UNKNOWN), Kind(What.DEFAULT), Kind(What.SIZE)


def value(content: Any, text: str | None = None) -> Kind:
    """A value as it is."""
    return Kind(What.VALUE, value=content, text=text)


def array(rank: int) -> Kind:
    """A float array with a gradient."""
    return Kind(What.ARRAY, rank)


def labels(rank: int) -> Kind:
    """Integers below a dim of their own."""
    return Kind(What.LABELS, rank)


def sizes(count: int) -> Kind:
    """A tuple of sizes."""
    return Kind(What.SIZES, count)


@dataclass(frozen=True)
class Equal:
    """A dim is bound to a size."""

    dim: str
    size: Polynomial


@dataclass(frozen=True)
class Rank:
    """An argument has another number of axes."""

    argument: str
    rank: int


@dataclass(frozen=True)
class Become:
    """An argument is of another kind."""

    argument: str
    kind: Kind


@dataclass(frozen=True)
class Small:
    """Dims are small, as those of a window are."""

    dims: frozenset[str]


@dataclass(frozen=True)
class Multiple:
    """A dim is a multiple of a size."""

    dim: str
    of: Polynomial


@dataclass(frozen=True)
class Whole:
    """An axis is made far too large, so that every slice of it is whole; what slices leave over tells its size."""

    dim: str


@dataclass(frozen=True)
class Axes:
    """An argument has these axes."""

    argument: str
    sizes: tuple[Polynomial, ...]


@dataclass(frozen=True)
class Together:
    """Several equations that belong together, all at once."""

    equations: tuple[Equal | Multiple, ...]


Change = Equal | Rank | Become | Small | Multiple | Whole | Axes | Together


@dataclass(frozen=True)
class Proposal:
    """A change with its cost: how far it departs from what is likely."""

    cost: float
    change: Change

    def dearer(self, by: float) -> Proposal:
        """The same at a higher cost."""
        return Proposal(self.cost + by, self.change)


class Unfit(BaseException):
    """What met does not fit: proposals, and why. It is no Exception, so that no handler of theirs eats it."""

    def __init__(self, proposals: Iterable[Proposal], why: str) -> None:
        super().__init__(why)
        self.proposals, self.why = list(proposals), why


class StillUnknown(BaseException):
    """The result of a call is as unknown as its argument."""


class Enough(BaseException):
    """The run has made so many calls that what it has not met will not come."""

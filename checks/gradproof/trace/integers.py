"""Integers that remember what they are: sizes, loop variables, numbers of axes, and shapes made of them."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator
from typing import Any, SupportsIndex

import numpy as np

from gradproof.trace.changes import Unfit
from gradproof.trace.polynomials import Polynomial, dim, number
from gradproof.trace.run import TracedRun, UnequalRanks, UnequalSizes, current

_UNPACK = dis.opmap["UNPACK_SEQUENCE"]


class Dim(int):
    """A size that knows which polynomial it stands for."""

    stands_for: Polynomial

    def __new__(cls, size: int, stands_for: Polynomial | None = None) -> Dim:
        """A size; what it stands for is asked of the run where it is not known."""
        self = int.__new__(cls, size)
        run = current()
        if stands_for is None:
            stands_for = number(int(size)) if run is None else run.stands_for(int(size))
        self.stands_for = stands_for
        return self

    def __truediv__(self, other: Any) -> Any:
        return int(self) / other

    def __rtruediv__(self, other: Any) -> Any:
        return other / int(self)

    def __hash__(self) -> int:
        return int.__hash__(self)

    def __deepcopy__(self, memo: object) -> Dim:
        return self

    def __reduce__(self) -> Any:
        return int, (int(self),)


class Step(int):
    """A loop variable: it knows how far the loop goes, and what was added to it."""

    loop: Polynomial | None = None


class AxisCount(int):
    """The number of axes of an array: what it is compared with is evidence."""

    roots: frozenset[str] = frozenset()

    def __eq__(self, other: object) -> bool:
        run = current()
        if run is not None and isinstance(other, int) and int(other) != int(self):
            run.evidence.compared.append(UnequalRanks(self.roots, int(other) - int(self)))
        return int(self) == other

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return int.__hash__(self)


class Shape(tuple[Any, ...]):
    """The shape of a watched array, which is its ``owner``."""

    owner: Any = None

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Shape(tuple.__getitem__(self, index))
        run = current()
        if run is not None and self.owner is not None and not -len(self) <= index < len(self):
            wanted = index + 1 if index >= 0 else -index
            raise Unfit(run.rank(self.owner, wanted, least=True), f"shape[{index}] of {len(self)} axes")
        return tuple.__getitem__(self, index)

    def __iter__(self) -> Iterator[Any]:
        run = current()
        if run is not None and self.owner is not None:
            wanted = unpacked_into(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
            if wanted is not None and wanted != len(self):
                raise Unfit(run.rank(self.owner, wanted), f"a shape of {len(self)} axes is unpacked into {wanted}")
        return tuple.__iter__(self)

    def __eq__(self, other: object) -> bool:
        same = tuple.__eq__(self, other)
        run = current()
        if run is not None and isinstance(other, tuple) and not same:
            _note_unlike(run, self, other)
        return same

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __add__(self, other: Any) -> Any:
        return Shape(tuple.__add__(self, tuple(other)))

    def __hash__(self) -> int:
        return tuple.__hash__(self)


class SizesOwner:
    """What a tuple of sizes came from: the argument that it is."""

    def __init__(self, argument: str, count: int) -> None:
        self.roots, self.argument, self.ndim = frozenset([argument]), argument, count


def unpacked_into(frame: Any) -> int | None:
    """Into how many names a frame unpacks what it is just iterating over; None where it does something else."""
    code, at = frame.f_code.co_code, frame.f_lasti
    return int(code[at + 1]) if at >= 0 and code[at] == _UNPACK else None


def _note_unlike(run: TracedRun, one: tuple[Any, ...], two: tuple[Any, ...]) -> None:
    if len(one) == len(two):
        pairs = zip(tuple.__iter__(one), tuple.__iter__(two), strict=True)
        unlike = tuple((a, b) for a, b in pairs if _are_ints(a, b) and int(a) != int(b))
        run.evidence.compared.append(UnequalSizes(unlike))
        return
    for shape, wanted in ((one, len(two)), (two, len(one))):
        owner = getattr(shape, "owner", None)
        if owner is not None:
            run.evidence.compared.append(UnequalRanks(owner.roots, wanted - len(shape)))


def _are_ints(one: Any, two: Any) -> bool:
    return isinstance(one, (int, np.integer)) and isinstance(two, (int, np.integer))


def polynomial(size: Any) -> Polynomial:
    """What an int stands for."""
    return size.stands_for if isinstance(size, Dim) else number(int(size))


Work = Callable[[TracedRun, Any, Any, Any], Any]  # (run, left, right, the plain result) -> the result that remembers


def _result(run: TracedRun, size: int, stands_for: Polynomial) -> Dim:
    if stands_for.dims and size > 0:
        run.know(size, stands_for)
    if any(factor < 0 for _, factor in stands_for.terms):
        run.evidence.spans[stands_for] = None
        if size <= 0:
            run.evidence.below.append(stands_for)
    return Dim(size, stands_for)


def _sum(run: TracedRun, one: Any, two: Any, size: int) -> Dim:
    return _result(run, size, polynomial(one).plus(polynomial(two)))


def _difference(run: TracedRun, one: Any, two: Any, size: int) -> Dim:
    return _result(run, size, polynomial(one).plus(polynomial(two), -1))


def _product(run: TracedRun, one: Any, two: Any, size: int) -> Dim:
    return _result(run, size, polynomial(one).times(polynomial(two)))


def _quotient(run: TracedRun, one: Any, two: Any, size: int) -> Dim:
    whole, divisor = polynomial(one), polynomial(two)
    exact = whole.over(divisor)
    if exact is not None:
        return _result(run, size, exact)
    if int(two) and int(one) % int(two):
        run.evidence.inexact.append((whole, divisor))
        return Dim(size, run.know(size, dim(f"?{size}")))
    return Dim(size)


def _rest(run: TracedRun, one: Any, two: Any, rest: int) -> int:
    if rest:
        run.evidence.inexact.append((polynomial(one), polynomial(two)))
    return rest


def _equality(run: TracedRun, one: Any, two: Any, equal: bool) -> bool:
    if not equal:
        run.evidence.compared.append(UnequalSizes(((polynomial(one), polynomial(two)),)))
    return equal


def _inequality(run: TracedRun, one: Any, two: Any, unequal: bool) -> bool:
    _equality(run, one, two, not unequal)
    return unequal


def _is_less(run: TracedRun, one: Any, two: Any, holds: bool) -> bool:
    """What is larger may have to be small: a window, a number of groups."""
    if holds:
        run.evidence.larger.append(polynomial(two))
    return holds


def _reversed(work: Work) -> Work:
    return lambda run, one, two, plain: work(run, two, one, plain)


# operator -> what its result stands for
_OPERATORS: dict[str, Work] = {
    "__add__": _sum,
    "__radd__": _reversed(_sum),
    "__sub__": _difference,
    "__rsub__": _reversed(_difference),
    "__mul__": _product,
    "__rmul__": _reversed(_product),
    "__floordiv__": _quotient,
    "__rfloordiv__": _reversed(_quotient),
    "__mod__": _rest,
    "__rmod__": _reversed(_rest),
    "__eq__": _equality,
    "__ne__": _inequality,
    "__lt__": _is_less,
    "__le__": _is_less,
    "__gt__": _reversed(_is_less),
    "__ge__": _reversed(_is_less),
}
_PLACES = ("__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__")  # of a loop variable: still a place


def _watched_operator(name: str, work: Work) -> Callable[[Any, Any], Any]:
    plain = getattr(int, name)

    def method(self: Any, other: Any) -> Any:
        if not isinstance(other, (int, np.integer)) or isinstance(other, bool):
            return NotImplemented
        result = plain(int(self), int(other))
        if isinstance(other, Step):
            return Step(result) if name in _PLACES or "div" in name else result
        run = current()
        return result if run is None else work(run, self, other, result)

    return method


def _step_operator(name: str) -> Callable[[Any, Any], Any]:
    plain = getattr(int, name)

    def method(self: Any, other: Any) -> Any:
        return Step(plain(int(self), int(other))) if isinstance(other, (int, np.integer)) else NotImplemented

    return method


for _name, _work in _OPERATORS.items():
    setattr(Dim, _name, _watched_operator(_name, _work))
for _name in _PLACES:
    setattr(Step, _name, _step_operator(_name))


def steps(start: SupportsIndex, stop: SupportsIndex, step: SupportsIndex) -> list[Step]:
    """The values of a loop over sizes, each of which knows where the loop ends."""
    found: list[Step] = []
    for value in range(int(start), int(stop), int(step)):
        one = Step(value)
        one.loop = stop.stands_for if isinstance(stop, Dim) else None
        found.append(one)
    return found

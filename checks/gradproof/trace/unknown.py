"""Arguments of which nothing is known: the first use of one says what it may be; it knows no NumPy function."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

import numpy as np

from gradproof.trace import likely
from gradproof.trace.changes import SIZE, Kind, Unfit, What, array, labels, sizes, value
from gradproof.trace.integers import Dim, unpacked_into
from gradproof.trace.likely import Likely
from gradproof.trace.polynomials import dim
from gradproof.trace.run import Hint, TracedRun, current

_ORDER = (np.less, np.less_equal, np.greater, np.greater_equal)  # a rate is compared with random numbers
_DEEPEST = 3  # axes of which one place was taken, before an argument must be an array


class Unknown:
    """Stands for an argument until its first use. ``depth``: of how many of its axes one place was taken."""

    def __init__(self, hint: Hint, depth: int = 0) -> None:
        self.__dict__.update(hint=hint, depth=depth)

    hint: Hint
    depth: int

    def unfit(self, *kinds: tuple[float, Kind]) -> Unfit:
        """What is to be raised: its use says that it is one of these kinds."""
        found: Iterable[tuple[float, Kind]] = kinds
        if self.depth:
            found = likely.of_parts(self.depth, kinds[0][1], is_bias=self.hint.bias)
        name = self.hint.name
        return Unfit(_run().become(name, found), f"{name} is used as {kinds[0][1].what.name.lower()}")

    def unfit_array(self, other: Any = None) -> Unfit:
        """What is to be raised: it is an array of whatever rank, met by ``other``."""
        return self.unfit(*likely.only_arrays(likely.operand(self.hint, other, learned=self.is_learned())))

    def is_learned(self) -> bool:
        """Whether it is a parameter, as far as is known."""
        return self.hint.learned or self.hint.name in _run().evidence.arrays

    def operand(self, other: Any = None) -> Likely:
        """What it may be as an operand of arithmetic with ``other``."""
        return likely.operand(self.hint, other, learned=self.is_learned())

    def length(self) -> Dim:
        """How long it is, which decides nothing. Raises Unfit where it is a part of an array."""
        if self.depth:
            raise self.unfit((0.0, array(1)))
        run, name = _run(), f"{self.hint.name}.0"
        size = dim(name).put(run.candidate.bound)
        return Dim(size.at(run.sizes), size)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if ufunc is np.matmul:
            raise self.unfit(*likely.MATRIX)
        met = next((each for each in inputs if isinstance(each, np.ndarray)), None)
        if met is not None and met.dtype != bool and ufunc in (np.equal, np.not_equal):
            raise self.unfit((0.1, labels(1)), (0.3, array(np.ndim(met))), (0.3, value(1)))
        if ufunc in _ORDER and self.hint.scalar:
            raise self.unfit((0.0, value(self.hint.number)), *((cost + 0.3, kind) for cost, kind in self.operand(met)))
        raise self.unfit(*self.operand(met))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _run().call(function, args, kwargs, function.__name__)

    @property
    def __class__(self) -> Any:
        """What ``isinstance`` is told: the line that asks says what the author expects."""
        run, frame = current(), sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
        if run is not None and frame.f_globals.get("__name__") in run.modules:
            line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
            if "isinstance" in line:
                kinds = likely.of_type(self.hint, line)
                if kinds:
                    raise self.unfit(*kinds)
        return Unknown

    @__class__.setter
    def __class__(self, value: Any) -> None:  # the type of a property that is only read
        raise AttributeError("__class__")

    def __index__(self) -> int:
        raise self.unfit(*likely.INTEGER)

    def __int__(self) -> int:
        raise self.unfit((0.0, value(2)), (0.2, SIZE))

    def __float__(self) -> float:
        raise self.unfit((0.0, value(self.hint.number)), (0.3, SIZE))

    def __bool__(self) -> bool:
        raise self.unfit((0.0, value(True)), (0.2, value(False)), (0.3, SIZE))

    def __len__(self) -> int:
        if self.hint.built:
            raise self.unfit(*likely.sequence(self.hint, self.operand()))
        return int(self.length())

    def __iter__(self) -> Iterator[Any]:
        count = unpacked_into(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
        if count is not None:
            raise self.unfit((0.0, sizes(count)), (0.2, value((1,) * count)), (0.3, value((2,) * count)))
        raise self.unfit(*likely.sequence(self.hint, self.operand()))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """A function, or a layer that can be called; of sizes, one that makes an array of these."""
        layers = [(0.1 + 0.1 * place, layer) for place, layer in enumerate(self.hint.layers)]
        sizes_given = [1 if isinstance(each, Unknown) and each.hint.built else each for each in args]
        makers = [(0.1 * place, maker) for place, maker in enumerate(likely.makers(sizes_given))]
        raise self.unfit(*makers, (0.0 if not makers else 0.3, value(np.exp, "np.exp")), *layers)

    def __hash__(self) -> int:
        return id(self)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            raise self.unfit(*likely.dictionary(self.hint))
        parts = index if isinstance(index, tuple) else (index,)
        is_one_place = len(parts) == 1 and isinstance(index, int) and not self.hint.built
        if is_one_place and self.depth < _DEEPEST:
            return Unknown(self.hint, self.depth + 1)
        raise self.unfit(*likely.indexed(self.hint, parts, any(type(part) is Unknown for part in parts)))

    def __setitem__(self, index: Any, content: Any) -> None:
        parts = index if isinstance(index, tuple) else (index,)
        if index is Ellipsis or (type(index) is slice and index == slice(None)):
            return
        ranks = (max(len(parts), 2), len(parts) + 1)
        raise self.unfit(*((0.1 * place, array(rank)) for place, rank in enumerate(ranks)))

    def _not_of_an_array(self, name: str) -> BaseException:
        """What is raised where an attribute is read that no array has: a layer may be meant, where there are any."""
        if not self.hint.layers:
            return AttributeError(name)
        return self.unfit(*((0.1 * place, layer) for place, layer in enumerate(self.hint.layers)))

    def __getattr__(self, name: str) -> Any:
        if name in ("get", "items", "keys", "setdefault", "pop", "values"):
            raise self.unfit(*likely.dictionary(self.hint))
        if name in ("T", "dot"):
            raise self.unfit(*likely.MATRIX)
        if name == "copy":
            return self._as_it_is
        if name == "shape":
            return UnknownShape(self)
        if name.startswith("__"):
            raise AttributeError(name)
        if not hasattr(np.ndarray, name):
            raise self._not_of_an_array(name)
        if name == "astype" and not self.hint.built:
            raise self.unfit((0.0, labels(1)), (0.1, labels(2)), (0.2, array(2)))
        raise self.unfit_array()

    def __deepcopy__(self, memo: object) -> Unknown:
        return self

    def __copy__(self) -> Unknown:
        return self

    def _as_it_is(self, *_: Any) -> Unknown:
        """A copy is as unknown."""
        return self


class UnknownShape:
    """The shape of an unknown argument: its first size does not say how many there are."""

    def __init__(self, of: Unknown) -> None:
        self.of = of

    def unfit(self, ranks: Iterable[int]) -> Unfit:
        """What is to be raised: the argument has one of these numbers of axes."""
        hint, found = self.of.hint, list(ranks)
        arrays = likely.by_rank(What.ARRAY, found)
        far = 0.2 if hint.target or hint.index else 0.6
        return self.of.unfit(*arrays, *([] if hint.built else [(far, labels(found[0]))]))

    def __getitem__(self, index: Any) -> Any:
        if type(index) is int and index == 0 and not self.of.hint.built:
            return self.of.length()
        raise self.unfit(rank for rank in likely.RANKS if not isinstance(index, int) or -rank <= index < rank)

    def __iter__(self) -> Iterator[Any]:
        count = unpacked_into(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
        raise self.unfit(likely.RANKS if count is None else [count])

    def __eq__(self, other: object) -> bool:
        raise self.unfit([len(other)] if isinstance(other, tuple) else [2, 1])

    def __ne__(self, other: object) -> bool:
        raise self.unfit(likely.RANKS)

    def __len__(self) -> int:
        raise self.unfit(likely.RANKS)

    def __add__(self, other: Any) -> Any:
        raise self.unfit(likely.RANKS)

    def __hash__(self) -> int:
        return id(self)


def _run() -> TracedRun:
    run = current()
    if run is None:
        raise RuntimeError("an unknown argument was used outside of a traced run")
    return run


def _mixed(self: Unknown, other: Any) -> NoReturn:
    """Arithmetic with what is no array."""
    hint = self.hint
    if isinstance(other, Dim) and not hint.built and not self.depth:
        raise self.unfit((0.0, value(2)), (0.1, SIZE), (0.2, value(1)), *self.operand())
    if isinstance(other, int) and hint.built:
        raise self.unfit((0.0, SIZE), (0.1, value(hint.number)), (0.2, value(2)), (0.3, array(1)))
    raise self.unfit(*likely.cheapest_first(self.operand(other if isinstance(other, np.generic) else None)))


def _is_same(self: Unknown, other: Any) -> bool:
    """Compared with a string it is one; with None or a tuple it is something else."""
    if isinstance(other, str):
        raise self.unfit((0.0, value(other)))
    if other is None or isinstance(other, (tuple, list)):
        return False
    raise self.unfit(*likely.compared(self.hint, self.operand(0)))


def _divided(self: Unknown, other: Any) -> NoReturn:
    raise self.unfit((0.0, SIZE), (0.3, value(2)), (0.4, value(1)))


def _divisor(self: Unknown, other: Any) -> NoReturn:
    raise self.unfit((0.0, value(2)), (0.1, value(1)), (0.2, value(3)), (0.25, SIZE))


def _matrix(self: Unknown, other: Any) -> NoReturn:
    raise self.unfit(*likely.MATRIX)


# operators -> what such a use says
_OPERATORS: dict[str, Callable[[Unknown, Any], Any]] = {
    "add radd sub rsub mul rmul pow rpow truediv rtruediv neg pos abs lt le gt ge": _mixed,
    "floordiv mod": _divided,
    "rfloordiv rmod": _divisor,
    "matmul rmatmul": _matrix,
    "eq": _is_same,
    "ne": lambda self, other: not _is_same(self, other),
}


def _operator(use: Callable[[Unknown, Any], Any]) -> Callable[..., Any]:
    def method(self: Unknown, other: Any = None, *_: Any) -> Any:
        if isinstance(other, np.ndarray) and use is not _matrix:
            raise self.unfit(*self.operand(other))
        return use(self, other)

    return method


for _names, _use in _OPERATORS.items():
    for _name in _names.split():
        setattr(Unknown, f"__{_name}__", _operator(_use))

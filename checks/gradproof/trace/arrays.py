"""Arrays that know which arguments they came from; every operation on one goes through the run that is in progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradproof.trace.changes import Become, Proposal, Unfit, What, labels
from gradproof.trace.indexing import look_at
from gradproof.trace.integers import AxisCount, Dim, Shape
from gradproof.trace.run import TracedRun, current
from gradproof.trace.unknown import Unknown
from gradproof.trace.watching import call_plainly, plain

_METHODS = (
    "reshape transpose dot sum mean std var max min argmax argmin swapaxes squeeze repeat take ravel flatten cumsum "
    "prod any all astype"
)

_COMPARISONS = frozenset({np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal})


class Watched(np.ndarray[Any, Any]):
    """roots: the arguments that went into it; argument: the one that it is; labels: the one whose labels it holds."""

    roots: frozenset[str] = frozenset()
    argument: str | None = None
    labels: str | None = None

    def __array_finalize__(self, source: Any) -> None:
        self.roots = getattr(source, "roots", frozenset())
        self.labels = getattr(source, "labels", None)

    @property
    def shape(self) -> Any:
        """The shape, made of sizes that remember what they are."""
        sizes = np.ndarray.shape.__get__(self)
        run = current()
        if run is None:
            return sizes
        run.count()
        found = Shape(Dim(size) for size in sizes)
        found.owner = self
        return found

    @shape.setter
    def shape(self, value: Any) -> None:
        descriptor: Any = np.ndarray.shape
        descriptor.__set__(self, plain(value))

    @property
    def ndim(self) -> Any:
        """The number of axes."""
        found = AxisCount(rank_of(self))
        found.roots = self.roots
        return found

    @property
    def size(self) -> Any:
        """The number of entries."""
        number = np.ndarray.size.__get__(self)
        return number if current() is None else Dim(number)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        for each in inputs:
            if isinstance(each, Unknown):
                each.__array_ufunc__(ufunc, method, *inputs)
        if out is not None:
            kwargs["out"] = tuple(plain(array) for array in out)
        run = current()
        if run is None:
            found = call_plainly(getattr(ufunc, method), inputs, kwargs)
        else:
            found = _calculated(run, ufunc, method, inputs, kwargs)
        return out[0] if out is not None and len(out) == 1 else found

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        run = current()
        if run is None:
            return call_plainly(function, args, kwargs)
        return run.call(function, args, kwargs, function.__name__)

    def __getitem__(self, index: Any) -> Any:
        run = current()
        if run is None:
            return np.ndarray.__getitem__(self, plain(index))
        look_at(run, self, index)
        found = run.call(np.ndarray.__getitem__, (self, index), {}, "getitem")
        if isinstance(found, np.generic) and self.roots and (self.argument or self.labels):
            entry: Watched = np.asarray(found).view(Watched)
            entry.roots, entry.labels = self.roots, self.labels
            return entry
        return found

    def __setitem__(self, index: Any, value: Any) -> None:
        run = current()
        if run is None:
            np.ndarray.__setitem__(self, plain(index), plain(value))
            return
        look_at(run, self, index)
        if isinstance(value, Unknown):
            raise value.unfit(*value.operand(run.call(np.ndarray.__getitem__, (self, index), {}, "getitem")))
        run.call(np.ndarray.__setitem__, (self, index, value), {}, "setitem")
        if isinstance(value, Watched):
            self.roots |= value.roots

    def __len__(self) -> int:
        run = current()
        if run is not None and not rank_of(self):
            raise Unfit(run.rank(self, 1), "the length of a number")
        return np.ndarray.__len__(self)

    def __iter__(self) -> Iterator[Any]:  # not by running over the end, which is a clash here
        run = current()
        if run is not None:
            run.evidence.loops.append(run.stands_for(len(self)))
        return (self[place] for place in range(len(self)))

    def __deepcopy__(self, memo: Any) -> Watched:
        found: Watched = self.copy().view(Watched)
        found.roots, found.labels = self.roots, self.labels
        return found


def rank_of(array: Any) -> int:
    """The number of axes, as a plain int."""
    return int(np.ndarray.ndim.__get__(array)) if isinstance(array, np.ndarray) else int(np.ndim(array))


def watched(values: np.ndarray[Any, Any], argument: str, *, holds_labels: bool) -> Watched:
    """The array that an argument is."""
    found = np.asarray(values).view(Watched)
    found.roots, found.argument = frozenset([argument]), argument
    found.labels = argument if holds_labels else None
    return found


def like(result: Any, sources: list[Any]) -> Any:
    """The result of an operation, which came from the arguments of its sources."""
    if type(result) in (list, tuple):
        return type(result)(like(part, sources) for part in result)
    if not isinstance(result, np.ndarray) or isinstance(result, Watched):
        return result
    found = result.view(Watched)
    arrays = [source for source in sources if isinstance(source, Watched)]
    found.roots = frozenset[str]().union(*(array.roots for array in arrays))
    found.labels = _labels_kept(arrays) if result.dtype.kind in "iu" else None
    return found


def _labels_kept(arrays: list[Watched]) -> str | None:
    """The argument whose labels a result of whole numbers holds: the only one that holds some; None for no such."""
    held = [array.labels for array in arrays if array.labels]
    return held[0] if len(held) == 1 else None


def _calculated(run: TracedRun, ufunc: Any, method: str, inputs: Any, kwargs: Any) -> Any:
    """The result of a ufunc, with what it says of its operands noted."""
    if ufunc in (np.equal, np.not_equal) and any(isinstance(each, int) for each in inputs):
        _look_for_labels(run, inputs)
    _note_labels(run, ufunc, inputs)
    is_call = method == "__call__"
    name = ufunc.__name__ if is_call else f"{ufunc.__name__}.{method}"
    found = run.call(getattr(ufunc, method), inputs, kwargs, name)
    if is_call and ufunc.signature is None and len(inputs) == 2:
        _note_outer(run, inputs, found)
    return found


def _look_for_labels(run: TracedRun, inputs: Any) -> None:
    """A single entry of an array of floats is compared with a whole number: a label."""
    for each in inputs:
        if not isinstance(each, Watched) or rank_of(each) or len(each.roots) != 1 or each.dtype.kind != "f":
            continue
        (root,) = each.roots
        is_floats = run.kind(root).what in (What.ARRAY, What.CONSTANT)
        if is_floats and not run.hints[root].built:
            raise Unfit([Proposal(0.0, Become(root, labels(run.kind(root).rank)))], f"{root} holds labels")


def _note_labels(run: TracedRun, ufunc: Any, inputs: Any) -> None:
    """Whether labels are compared or calculated with; an offset that is added to them keeps them labels."""
    held = {each.labels for each in inputs if isinstance(each, Watched) and each.labels is not None}
    if ufunc in _COMPARISONS:
        run.evidence.picking |= held
    elif any(isinstance(each, np.ndarray) and each.dtype.kind == "f" for each in inputs):
        run.evidence.in_arithmetic |= held


def _note_outer(run: TracedRun, inputs: Any, result: Any) -> None:
    """An elementwise operation that gave the same free dim twice, which no operand had twice."""
    found = _longer_axes(result)
    if len(set(found)) == len(found):
        return
    if all(len(set(axes)) == len(axes) for axes in map(_longer_axes, inputs)):
        run.evidence.outer.append(frozenset[str]().union(*(getattr(each, "roots", frozenset()) for each in inputs)))


def _longer_axes(array: Any) -> list[int]:
    return [size for size in np.shape(plain(array)) if size > 1]


def _method(name: str) -> Callable[..., Any]:
    theirs = getattr(np.ndarray, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        run = current()
        if run is None:
            return theirs(self, *plain(args), **{key: plain(value) for key, value in kwargs.items()})
        return run.call(theirs, (self, *args), kwargs, name)

    return method


for _name in _METHODS.split():
    setattr(Watched, _name, _method(_name))

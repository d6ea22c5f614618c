"""Reads what forward and backward returned: flat outputs, and one gradient for each tensor. It calls nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradproof.values import Defect, Reason

Array = NDArray[Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Form:
    """The shapes and dtypes of a subject's outputs."""

    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[np.dtype[Any], ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of elements of each output."""
        return tuple(map(math.prod, self.shapes))

    def split(self, flat: Array) -> tuple[Array, ...]:
        """Cut a flat array into the outputs' shapes."""
        if len(self.shapes) == 1:  # by far the most frequent form
            return (flat.reshape(self.shapes[0]),)
        ends = np.cumsum(self.sizes)[:-1]
        return tuple(part.reshape(shape) for part, shape in zip(np.split(flat, ends), self.shapes, strict=True))


def form_of(returned: Sequence[Any]) -> Form | Defect:
    """Return the form of forward's outputs, or what is wrong with them."""
    if not returned:
        return Defect("GP207", "forward's result is an empty tuple, not an array of numbers")
    arrays: list[Array] = []
    for i, output in enumerate(returned):
        if not is_number(output):
            which = f"output {i} of forward" if len(returned) > 1 else "forward's result"
            advice = "return a NumPy array or a number, or a tuple of them; a pair of functions returns (out, cache)"
            headline = f"{which} is {kind(output)}, not an array of numbers"
            return Defect("GP207", headline, None, (("what to do", advice),))
        arrays.append(np.asarray(output))
    return Form(tuple(a.shape for a in arrays), tuple(a.dtype for a in arrays))


def flat(returned: Sequence[Any], form: Form) -> Array | None:
    """All outputs as one flat float64 array, or None where they are no longer of the form."""
    try:
        if len(returned) == 1:  # by far the most frequent form, on the hottest path
            only = np.asarray(returned[0])
            return np.asarray(only, dtype=np.float64).reshape(-1) if form.shapes == (only.shape,) else None
        arrays = [np.asarray(output) for output in returned]
        if tuple(array.shape for array in arrays) != form.shapes:
            return None
        return np.concatenate([np.asarray(array, dtype=np.float64).reshape(-1) for array in arrays])
    except (TypeError, ValueError):  # a dict this time, or a ragged list
        return None


def unjudgeable(form: Form) -> tuple[Reason, str] | None:
    """Why outputs of this form have no real gradient, with a sentence; None where they have one."""
    for dtype in form.dtypes:
        if dtype.kind == "c":
            return Reason.NOT_EXAMINED, f"the output is complex ({dtype}): gradproof checks real gradients only"
        if dtype.kind in "biu":
            return Reason.QUANTISED, f"the output has dtype {dtype}: it moves in steps and has no gradient"
    return None


def input_gradients(
    returned: Any, wanted: Sequence[str], arrays: Sequence[str], *, declared: bool
) -> tuple[Mapping[str, Any], tuple[Defect, ...]]:
    """Pair what backward returned with the inputs, by position.

    wanted: the differentiable inputs; arrays: all array inputs, both in forward's order. Where the inputs were not
    declared (``declared`` False) a backward may stop early: the inputs without a gradient are then left out. A dict is
    paired by name: what it does not name has no gradient to be checked.
    """
    if not wanted:
        return {}, ()
    if isinstance(returned, dict):
        named = _by_name(returned, wanted)
        if named or not returned:
            return named, ()
    parts = list(returned) if isinstance(returned, (tuple, list)) else [returned]
    names = _in_order(len(parts), wanted, arrays, declared=declared)
    if names is None:
        return {}, (_another_count(len(parts), wanted),)
    return {name: part for name, part in zip(names, parts, strict=True) if name in wanted}, ()


def _by_name(returned: Mapping[Any, Any], wanted: Sequence[str]) -> dict[str, Any]:
    return {name: returned[name] for name in wanted if name in returned}


def _in_order(count: int, wanted: Sequence[str], arrays: Sequence[str], *, declared: bool) -> Sequence[str] | None:
    """The inputs to which so many gradients belong, in this order; None where that is not known."""
    if count == len(wanted):
        return wanted
    if count == len(arrays):
        return arrays
    stops_early = not declared and count < len(wanted)
    return wanted[:count] if stops_early else None


def _another_count(count: int, wanted: Sequence[str]) -> Defect:
    came = "one value" if count == 1 else f"{count} values"
    headline = f"backward returned {came} for {len(wanted)} inputs ({', '.join(wanted)})"
    advice = "return one gradient for each input, in forward's order; declare one without gradient with constant(...)"
    return Defect("GP203", headline, None, (("what to do", advice),))


def is_number(value: Any) -> bool:
    """Whether it is a number, or an array of numbers."""
    if isinstance(value, (str, bytes)) or value is None:
        return False
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        return False
    return array.dtype.kind in "fiubc" and (isinstance(value, (np.ndarray, np.generic, int, float, complex)))


def kind(value: Any) -> str:
    """What it is, as a message calls it."""
    if isinstance(value, np.ndarray):
        return f"an array of dtype {value.dtype}"
    return "None" if value is None else f"a {type(value).__name__}"


def unreal_parameter(name: str, dtype: np.dtype[Any]) -> Defect:
    """What is wrong with a parameter of this dtype, which is not a float."""
    what = "an integer array" if dtype.kind in "iu" else f"an array of dtype {dtype}"
    advice = "make it float: an optimizer's update in place fails on other dtypes, and forward has no slope there"
    return Defect("GP208", f"the parameter {name} is {what}", name, (("what to do", advice),))


def own(flat: Floats | None) -> Floats | None:
    """A copy: a layer may write its next output, or its gradient, into the array that it returned."""
    return None if flat is None else flat.copy()


def same(first: Floats, second: Floats) -> bool:
    """Say whether two outputs are alike in every bit, NaN included."""
    return first.shape == second.shape and bool(np.array_equal(first, second, equal_nan=True))


def stirred(value: Array) -> Array:
    """Another input of the same shape, signs and domain."""
    return np.asarray(np.where(value == 0, 0.5, 1.25 * value))

"""The promise that only the values of an array count, not how they lie in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradproof.contract.change import beside
from gradproof.contract.promise import Promise
from gradproof.contract.promises.linearity import COARSE
from gradproof.contract.session import Array, Returned, Scene, within
from gradproof.guard import SubjectError
from gradproof.values import Defect


def fortran(array: Array) -> Array:
    """The same values, the first axis running fastest in memory."""
    return array.copy(order="F")


def strided(array: Array) -> Array:
    """The same values, backwards in memory and with gaps between them, as ``x[::-2]`` has them."""
    if not array.ndim:
        return array.copy()
    wide = np.zeros(tuple(2 * size for size in array.shape), array.dtype)
    view = wide[tuple(slice(None, None, -2) for _ in array.shape)]
    view[...] = array
    return view


_LAYOUTS: tuple[tuple[str, Callable[[Array], Array]], ...] = (
    ("in Fortran order, as x.T has them", fortran),
    ("in every second place and backwards, as x[::-2] has them", strided),
)


def layouts(scene: Scene) -> Iterator[Defect]:
    """Forward and backward give the same numbers for the same values that lie otherwise in memory."""
    reference = scene.session()
    output = reference.forward(scene.inputs)
    douts = scene.douts(output)
    right = reference.backward(douts)
    for words, arranged in _LAYOUTS:
        session = scene.session()
        try:
            found = session.forward(scene.inputs, own=_arranging(arranged))
            gradients = session.backward(douts, own=arranged)
        except SubjectError as raised:
            first = f"{raised.error.kind}: {raised.error.message}".splitlines()[0]
            lines = _lines(f"with values {words}, {raised.error.stage} raises {first}")
            yield Defect("GP504", f"{raised.error.stage} raises for another memory layout", None, lines, "warning")
            return
        for call, one, other in (("forward", output, found), ("backward", right, gradients)):
            both = [name for name in one.then if name in other.then]
            wrong = [name for name in both if not within(one.then[name], other.then[name], COARSE)]
            if wrong:
                yield _defect(call, wrong[0], words, one, other)
                return


def _arranging(arranged: Callable[[Array], Array]) -> Callable[[Any], Any]:
    return lambda value: arranged(value) if isinstance(value, np.ndarray) else value


def _defect(call: str, name: str, words: str, one: Returned, other: Returned) -> Defect:
    shown = name if call == "forward" else f"d{name}"
    seen = beside(shown, ("for values in C order", one.then[name]), (f"for the same values {words}", other.then[name]))
    return Defect("GP504", f"{call} depends on how its input lies in memory", None, _lines(seen))


def _lines(seen: str) -> tuple[tuple[str, str], ...]:
    return (
        ("seen", seen),
        ("why it matters", "a transpose, a slice or a reshape in the layer before changes the layout, not the values"),
        ("what to do", "keep to order C: no order='K', 'A' or 'F', no strides and no x.data; x.reshape(...) copies "
         "where it must, an assignment to x.shape cannot"),
    )  # fmt: skip


PROMISES = (Promise(layouts, 170, {"GP504": ()}),)

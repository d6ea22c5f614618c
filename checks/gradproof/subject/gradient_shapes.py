"""How the shape of a gradient stands to that of its tensor; it knows shapes only.

Whether each entry of the tensor can be found in the gradient, and what an update makes of it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradproof.subject.outputs import Floats

Shape = tuple[int, ...]


def is_taken_in_place(found: Shape, shape: Shape) -> bool:
    """Whether ``param -= rate * gradient`` works and means what is meant: only leading axes of one are missing."""
    lead = len(shape) - len(found)
    return lead >= 0 and shape[lead:] == found and all(size == 1 for size in shape[:lead])


def differs_in_ones(found: Shape, shape: Shape) -> bool:
    """Whether the shapes are equal but for axes of one, as (1, k) and (k,) are."""
    return _without_ones(found) == _without_ones(shape)


def is_readable(found: Shape, shape: Shape) -> bool:
    """Whether there is one way only to find each entry of the tensor in the gradient, in C order.

    So it is where the shapes are equal but for axes of one, and where one of them has neighbouring axes flattened.
    """
    mine, theirs = _without_ones(found), _without_ones(shape)
    if 0 in mine or 0 in theirs:
        return mine == theirs
    return _flattens(mine, theirs) or _flattens(theirs, mine)


def read(claim: Any, shape: Shape) -> Floats | None:
    """The gradient in the shape of its tensor; None where it is no array of reals, or cannot be read as one of it."""
    if not isinstance(claim, np.ndarray | np.generic | int | float) or np.asarray(claim).dtype.kind not in "fiub":
        return None
    array = np.array(claim, dtype=np.float64)
    if array.shape == shape:
        return array
    return array.reshape(shape) if is_readable(array.shape, shape) else None


def _without_ones(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)


def _flattens(coarse: Shape, fine: Shape) -> bool:
    """Whether each axis of ``coarse`` is the product of neighbouring axes of ``fine``. No axis is 0 or 1."""
    left = list(fine)
    for size in coarse:
        length = 1
        while left and length < size:
            length *= left.pop(0)
        if length != size:
            return False
    return not left


def consequence(name: str, found: Shape, shape: Shape) -> str | None:
    """What an update makes of a gradient of the right size and another shape; None where it works, or sizes differ."""
    if is_taken_in_place(found, shape) or math.prod(found) != math.prod(shape):
        return None
    raises = f"{name} -= lr * d{name} raises"
    try:
        made = np.broadcast_shapes(found, shape)
    except ValueError:
        return raises
    return f"{raises}, and {name} = {name} - lr * d{name} makes {made} of it"


def remedy(found: Shape, shape: Shape) -> str:
    """Which operation is missing or too many in backward."""
    if math.prod(found) == math.prod(shape):
        return _reordered(found, shape)
    if len(found) > len(shape):
        return "an axis is left over: sum over the axes that the tensor lacks (a broadcast bias: over the batch)"
    if len(found) < len(shape):
        return "an axis is missing: one was summed away that the tensor has (keepdims=True keeps it)"
    return "a gradient always has the shape of its tensor"


def _reordered(found: Shape, shape: Shape) -> str:
    if found == shape[::-1]:
        return "it has the shape of the transpose: look for a missing or superfluous .T"
    if differs_in_ones(found, shape) and len(found) > len(shape):
        return f"it has an axis of one too many: sum without keepdims, or reshape it to {shape}"
    if differs_in_ones(found, shape) and len(found) < len(shape):
        return f"an axis of one is lost: sum with keepdims=True, or reshape it to {shape}"
    return f"it has the right number of entries: reshape it to {shape}"

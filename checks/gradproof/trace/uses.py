"""The table of uses: what would have made a call of NumPy's fit, one row an operation; it searches nothing."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradproof.trace.changes import Multiple, Proposal, Rank, Small
from gradproof.trace.clash import Clash, Use, broadcast, ints, shape_of
from gradproof.trace.integers import polynomial
from gradproof.trace.polynomials import ONE, Polynomial, product_of
from gradproof.trace.run import TracedRun
from gradproof.trace.uses_of_indices import chosen, indexed
from gradproof.trace.views import fitting


def proposals(clash: Clash) -> list[Proposal]:
    """What would have made the call fit, the likeliest first."""
    if isinstance(clash.error, np.exceptions.AxisError) and clash.arrays:
        return _axis(clash)
    return USES.get(clash.name, _elementwise)(clash)


def _axis(clash: Clash) -> list[Proposal]:
    """An axis that is not there."""
    axis = clash.error.axis if isinstance(clash.error, np.exceptions.AxisError) else None
    if axis is None:
        found = re.search(r"axis (-?\d+)", clash.message)
        axis = int(found[1]) if found else 0
    return clash.run.rank(clash.arrays[0], axis + 1 if axis >= 0 else -axis, least=True)


def _product(clash: Clash) -> list[Proposal]:
    """``a @ b`` and ``a.dot(b)``: the inner sizes are equal; where they are, the axes before them."""
    run, arrays = clash.run, clash.arrays
    if len(clash.shapes) != 2 or not all(clash.shapes):
        return [each for array in arrays for each in run.rank(array, 2)]
    a, b = (list(shape) for shape in clash.shapes)
    inner = a[-1], b[-2] if len(b) > 1 else b[-1]
    met = [inner] if inner[0] != inner[1] else []
    if not met and clash.name == "matmul":
        met = broadcast(a[:-2], b[:-2])
    return [*run.equal(met), *_other_ranks(clash)]


def _other_ranks(clash: Clash) -> list[Proposal]:
    """That the two factors of a product are matrices, or the second a stack of what it is."""
    found: list[Proposal] = []
    for array, shape in zip(clash.arrays, clash.shapes, strict=True):
        if len(shape) != 2:
            found += clash.run.rank(array, 2, 0.3)
    more_axes = clash.run.rank(clash.arrays[1], len(clash.shapes[1]) + 1)
    return found + [Proposal(0.35, each.change) for each in more_axes]


def _einsum(clash: Clash) -> list[Proposal]:
    """Letters: as many as axes, and each of one size."""
    run, equation = clash.run, clash.args[0]
    if not isinstance(equation, str):
        return []
    found: list[Proposal] = []
    sizes: dict[str, int] = {}
    for term, array in zip(equation.replace(" ", "").split("->")[0].split(","), clash.args[1:], strict=False):
        shape = shape_of(array)
        if "." in term:
            found += _dotted(clash, term, array)
            continue
        if len(term) != len(shape):
            return run.rank(array, len(term))
        for letter, size in zip(term, shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                found += run.equal([(sizes[letter], size)])
    return found


def _dotted(clash: Clash, term: str, array: Any) -> list[Proposal]:
    """A term with an ellipsis: at least as many axes as it has letters."""
    letters = len(term.replace(".", ""))
    return clash.run.rank(array, letters, least=True) if len(shape_of(array)) < letters else []


def _tensordot(clash: Clash) -> list[Proposal]:
    """The axes that are summed over are of one size."""
    if len(clash.shapes) != 2:
        return []
    a, b = clash.shapes
    both = _summed_axes(clash.option("axes", 2, 2), len(a))
    for shape, summed, array in zip((a, b), both, clash.arrays, strict=True):
        needed = max((axis + 1 if axis >= 0 else -axis for axis in summed), default=0)
        if needed > len(shape):
            return clash.run.rank(array, needed, least=True)
    return clash.run.equal([(a[i], b[j]) for i, j in zip(*both, strict=False) if a[i] != b[j]])


def _summed_axes(axes: Any, rank: int) -> list[list[int]]:
    """Of the first array, which has this rank, and of the second, the axes that are summed over."""
    if isinstance(axes, int):
        return [list(range(rank - axes, rank)), list(range(axes))]
    return [[each] if isinstance(each, int) else list(each) for each in axes]


def _joined(clash: Clash) -> list[Proposal]:
    """Arrays side by side: as many axes, and all sizes equal but along the one."""
    found: list[Proposal] = []
    axis = _joined_axis(clash)
    for (a, one), (b, two) in itertools.pairwise(zip(clash.shapes, clash.arrays, strict=True)):
        if len(a) != len(b):
            found += clash.run.rank(two, len(a)) + clash.run.rank(one, len(b))
            continue
        along = None if axis is None else axis % max(len(a), 1)
        met = [(m, n) for i, (m, n) in enumerate(zip(a, b, strict=True)) if m != n and i != along]
        found += clash.run.equal(met)
    return found


def _joined_axis(clash: Clash) -> int | None:
    """The axis along which arrays are joined; None where it is a new one."""
    if clash.name not in ("concatenate", "hstack", "vstack", "append", "column_stack"):
        return None
    second = clash.args[1] if len(clash.args) > 1 else None
    usual = 1 if clash.name in ("hstack", "column_stack") else 0
    axis: Any = clash.kwargs.get("axis", second if isinstance(second, int) else usual)
    return axis or 0


def _reshape(clash: Clash) -> list[Proposal]:
    """As many entries as before; a factor of the new shape divides an axis of the old."""
    if not clash.arrays:
        return []
    run, array, shape = clash.run, clash.arrays[0], clash.shapes[0]
    wanted = ints(list(clash.args[1:]) or list(clash.kwargs.values()))
    have = product_of(run.stands_for(size) for size in shape)
    need = product_of(run.polynomial(size) for size in wanted if size != -1)
    found = [*_as_another(run, array, wanted), *_with_ones(run, array, wanted)]
    if -1 not in wanted:
        found += run.equal([(have, need)])
    return [*found, *_multiples(have, need), *run.rank(array, len(shape) + 1, 0.5)]


def _multiples(have: Polynomial, need: Polynomial) -> list[Proposal]:
    """That a dim of what there is is a multiple of the factors of what is needed that are not in it."""
    if len(need.terms) != 1:
        return []
    (factors, coefficient) = need.terms[0]
    rest = Polynomial(((tuple(name for name in factors if name not in have.dims), coefficient),))
    if rest == ONE:
        return []
    return [Proposal(0.15, Multiple(name, rest)) for name in have.dims if name not in factors]


def _as_another(run: TracedRun, array: Any, wanted: Sequence[Any]) -> list[Proposal]:
    """Where an argument takes the shape of another one, axis by axis: it has that shape as a rule."""
    own = getattr(array, "argument", None)
    sizes = tuple(run.polynomial(size) for size in wanted)
    others = [name for name in run.order if name != own and run.kind(name).is_array]
    if own is None or all(tuple(run.candidate.axes(name)) != sizes for name in others):
        return []
    if len(sizes) != run.kind(own).rank:
        return [Proposal(0.05, Rank(own, len(sizes)))]
    return run.equal(list(zip(run.candidate.axes(own), sizes, strict=True)), 0.05)[:1]


def _with_ones(run: TracedRun, array: Any, wanted: Sequence[Any]) -> list[Proposal]:
    """Where axes of 1 are put between those of an argument, or of a part of one: the others are its own."""
    own = getattr(array, "argument", None)
    axes: Sequence[Any] = shape_of(array) if own is None else run.candidate.axes(own)
    others = [size for size in wanted if size != 1]
    is_spread = len(others) < len(wanted) and -1 not in wanted
    if not is_spread or len(others) != len(axes):
        return []
    return run.equal(list(zip(axes, others, strict=True)), 0.02)[:1]


def _split(clash: Clash) -> list[Proposal]:
    """Into equal parts: the axis is a multiple of their number."""
    parts: Any = clash.option("indices_or_sections", 1)
    if not isinstance(parts, (int, np.integer)):
        return []
    axis = clash.option("axis", 2, 1 if clash.name == "hsplit" else 0)
    size = clash.run.stands_for(clash.shapes[0][axis])
    first = [m[0] for m, _ in size.terms if len(m) == 1]
    found = [Proposal(0.0, Multiple(name, polynomial(parts))) for name in first]
    return found + [Proposal(0.2, Multiple(name, polynomial(parts))) for name in size.dims]


def _turned(clash: Clash) -> list[Proposal]:
    """As many axes as are named, or at least the largest of them."""
    if not clash.arrays:
        return []
    axes = ints(list(clash.args[1:]) or list(clash.kwargs.values()))
    is_all = clash.name == "transpose" and bool(axes)
    wanted = len(axes) if is_all else max(axes, default=0) + 1
    return clash.run.rank(clash.arrays[0], wanted, least=clash.name != "transpose")


def _pad(clash: Clash) -> list[Proposal]:
    """One width for each axis."""
    width = clash.option("pad_width", 1)
    return clash.run.rank(clash.arrays[0], len(width)) if isinstance(width, (list, tuple)) else []


def _square(clash: Clash) -> list[Proposal]:
    """Square matrices, and what they are solved for."""
    if not clash.arrays:
        return []
    shape = clash.shapes[0]
    if len(shape) < 2:
        return clash.run.rank(clash.arrays[0], 2)
    found = clash.run.equal([(shape[-2], shape[-1])] if shape[-2] != shape[-1] else [])
    return found or (clash.run.equal([(shape[-1], clash.shapes[1][0])]) if len(clash.shapes) > 1 else [])


def _windows(clash: Clash) -> list[Proposal]:
    """A window is smaller than what it slides over; one for each axis named."""
    if "larger than" not in clash.message:
        return []
    window = ints(list(clash.args[1:2]) or [clash.kwargs.get("window_shape")])
    names = frozenset(name for size in window for name in clash.run.polynomial(size).dims)
    return [Proposal(0.0, Small(names))] if names else []


def _along(clash: Clash) -> list[Proposal]:
    """Indices with as many axes as the array."""
    return clash.run.rank(clash.arrays[1], len(clash.shapes[0])) if len(clash.arrays) > 1 else []


def _elementwise(clash: Clash) -> list[Proposal]:
    """Whatever broadcasts: sizes that meet are equal; or an array has more axes, or fewer."""
    found: list[Proposal] = []
    run = clash.run
    shaped = [(shape, array) for shape, array in zip(clash.shapes, clash.arrays, strict=True)]
    for (a, one), (b, two) in itertools.combinations(shaped, 2):
        found += run.equal(broadcast(a, b))
        if len(a) != len(b):
            shorter, longer = (one, two) if len(a) < len(b) else (two, one)
            found += run.rank(shorter, max(len(a), len(b)), 0.3) + run.rank(longer, min(len(a), len(b)), 0.35)
        elif len(a) > 1:
            own = [array for array in (one, two) if getattr(array, "argument", None)]
            found += [each for array in own for each in run.rank(array, len(a) - 1, 0.4)]
    return found


def _shapes(clash: Clash) -> list[Proposal]:
    """Shapes that are to broadcast: as their arrays."""
    owners = [owner for each in clash.args if (owner := getattr(each, "owner", None)) is not None]
    if len(owners) != len(clash.args):
        return []
    return _elementwise(Clash(clash.run, "add", owners, {}, clash.error))


# operations -> the row that reads their clash
_ROWS: Mapping[str, Use] = {
    "matmul dot inner vecmat matvec": _product,
    "einsum": _einsum,
    "tensordot": _tensordot,
    "concatenate stack vstack hstack column_stack dstack array asarray append": _joined,
    "reshape": _reshape,
    "split array_split hsplit vsplit": _split,
    "transpose moveaxis swapaxes": _turned,
    "pad": _pad,
    "getitem setitem add.at subtract.at": indexed,
    "choose": chosen,
    "inv det slogdet cholesky eigh eig solve eigvalsh matrix_power": _square,
    "sliding_window_view": _windows,
    "as_strided": fitting,
    "take_along_axis put_along_axis": _along,
    "broadcast_shapes": _shapes,
}
USES: Mapping[str, Use] = {name: use for names, use in _ROWS.items() for name in names.split()}

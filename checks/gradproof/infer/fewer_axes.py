"""A candidate without one of its sizes, where forward takes it as well; it judges nothing.

``y = x w + b`` runs with a matrix w and with a vector. Where the code itself says that an array is a vector, as
``np.outer(dout, w)`` does, that settles it; else both are declared, the one with more axes first.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from gradproof.infer.arguments import Undeclared
from gradproof.infer.attempt import Attempt
from gradproof.infer.search import Found, Search
from gradproof.infer.usage import Usage
from gradproof.source.source import function_of, helpers, own_nodes
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import Kind, What
from gradproof.trace.dims import argument_of
from gradproof.trace.polynomials import Polynomial, dim
from gradproof.trace.run import Hint

_STEPS = 8  # to how many classes labels are
_FLOATS = (What.ARRAY, What.CONSTANT)


def of_vectors(search: Search, found: Found, hints: Mapping[str, Hint], usage: Usage) -> tuple[Found, str | None]:
    """With vectors where backward's own code takes vectors, and what says so; as it was found where it fits."""
    if found.candidate is None or not found.runs or found.clean:
        return found, None
    for name, losing in _sizes_of_vectors(found.candidate, hints, usage):
        reading = _run_without(search, found.candidate, name)
        if reading is not None and all(map(_may_fit, reading.seen)):
            return reading, f"{losing} has one axis, as backward takes it"
    for name in _sizes_that_labels_multiply(found.candidate, hints):
        reading = _run_without(search, found.candidate, name, _STEPS)
        if reading is not None and reading.clean:
            return reading, f"{argument_of(name)} has one axis: the labels count classes of a single column"
    return found, None


def with_fewer_axes(search: Search, found: Found, hints: Mapping[str, Hint]) -> Iterator[Candidate]:
    """The candidates with a weight of one axis fewer, with which forward and backward do all that they should.

    What forward is about keeps its axes: fewer of them would hide bugs. A weight in capital letters is a matrix.
    """
    if found.candidate is None or not found.runs:
        return
    for name, losing in _sizes_of_weights(found.candidate, hints):
        reading = None if losing[0].isupper() else _run_without(search, found.candidate, name)
        if reading is not None and reading.clean and reading.candidate is not None:
            yield reading.candidate


def of_one_sample(search: Search, found: Found, target: Undeclared) -> Iterator[Candidate]:
    """A softmax of a single sample: forward sums over all that it is given, and names no axis."""
    candidate = found.candidate
    if candidate is None or not found.runs or not target.usage.softmax or _names_an_axis(target):
        return
    for first in _firsts(candidate, search.hints):
        batch = candidate.axes(first)[0].lone_dim if candidate.kinds[first].rank == 2 else None
        reading = None if batch is None else _run_without(search, candidate, batch)
        if reading is not None and reading.clean and reading.candidate is not None:
            yield reading.candidate


def _names_an_axis(target: Undeclared) -> bool:
    """Whether forward, or a helper of the author's that it calls, says along which axis it does something."""
    forward = function_of(target.forward_function, target.forward)
    functions = [] if forward is None else [forward, *helpers(forward)]
    words = [node.arg for function in functions for node in own_nodes(function.node) if isinstance(node, ast.keyword)]
    return not functions or not {"axis", "keepdims"}.isdisjoint(words)


def _sizes_that_labels_multiply(candidate: Candidate, hints: Mapping[str, Hint]) -> Iterator[str]:
    """The free dims of what forward is about of which labels count a multiple, as where 1 - y and y stand side by side.

    Of columns side by side each has two classes, and only of one column do the labels mean anything.
    """
    counted = [candidate.below(name) for name, kind in candidate.kinds.items() if kind.what is What.LABELS]
    multiples = {name for size in counted if size.lone_dim is None for name in size.dims}
    for first in _firsts(candidate, hints):
        for axis in candidate.axes(first)[1:]:
            name = axis.lone_dim
            if name is not None and name in multiples:
                yield name


def _sizes_of_vectors(candidate: Candidate, hints: Mapping[str, Hint], usage: Usage) -> Iterator[tuple[str, str]]:
    """The free dims that are not there if what the source takes for vectors are some, with the argument that loses."""
    for name, losing in _sizes_of_weights(candidate, hints):
        if losing in usage.vectors:
            yield name, losing
    for first in _firsts(candidate, hints):
        is_vector = usage.makes_jacobian or first in usage.vectors
        batch = candidate.axes(first)[0].lone_dim if candidate.kinds[first].rank == 2 else None
        if is_vector and batch is not None:
            yield batch, first


def _sizes_of_weights(candidate: Candidate, hints: Mapping[str, Hint]) -> Iterator[tuple[str, str]]:
    """The free dims of matrices that are weights which the first argument of forward does not have."""
    kept = {name for first in _firsts(candidate, hints) for axis in candidate.axes(first) for name in axis.dims}
    if not kept:
        return
    for argument in _weight_matrices(candidate, hints):
        for name in _lone_dims(candidate, argument):
            if name not in kept:
                yield name, argument


def _weight_matrices(candidate: Candidate, hints: Mapping[str, Hint]) -> Iterator[str]:
    """The arguments that are matrices, and weights."""
    for argument, kind in candidate.kinds.items():
        is_matrix = kind.what is What.ARRAY and kind.rank == 2
        if is_matrix and (hints[argument].built or hints[argument].weight):
            yield argument


def _lone_dims(candidate: Candidate, argument: str) -> list[str]:
    """The dims that are the whole of an axis of an argument."""
    lone = [axis.lone_dim for axis in candidate.axes(argument)]
    return [name for name in lone if name is not None]


def _firsts(candidate: Candidate, hints: Mapping[str, Hint]) -> list[str]:
    return [name for name, kind in candidate.kinds.items() if hints[name].first and kind.what is What.ARRAY]


def _run_without(search: Search, candidate: Candidate, name: str, most: int = 1) -> Found | None:
    """What the candidate shows without the axes of this size; None where forward does not run so.

    most: steps, more than one where it leaves something open.
    """
    without = without_size(candidate, name)
    found = None if without is None else search.find([without], most=most)
    return found if found is not None and found.runs and found.seen else None


def _may_fit(seen: Attempt) -> bool:
    """Whether backward came back with gradients of the right form, or with Jacobians, which have still to be used."""
    return seen.ran and all(_is_square(defect.shape) for defect in seen.defects)


def _is_square(shape: tuple[int, ...] | None) -> bool:
    return shape is not None and len(shape) == 2 and shape[0] == shape[1]


def _may_lose(kind: Kind, axes: int) -> bool:
    """Whether an argument may be without so many of its axes: only arrays of floats, and those one at most."""
    return axes == 0 or (axes == 1 and kind.what in _FLOATS)


def _counts(candidate: Candidate, argument: str) -> Polynomial | None:
    """What bounds the labels of an argument; None where it holds none."""
    return candidate.below(argument) if candidate.kinds[argument].what is What.LABELS else None


def _bound_sizes(candidate: Candidate, argument: str, kept: Sequence[Polynomial], name: str) -> dict[str, Polynomial]:
    """The equations of an argument that keeps these axes; what bounds its labels is left open where it has this dim."""
    sizes = {f"{argument}.{place}": axis for place, axis in enumerate(kept)}
    below = _counts(candidate, argument)
    if below is not None and name not in below.dims:
        sizes[f"{argument}.c"] = below
    return {own: size for own, size in sizes.items() if size != dim(own)}


def without_size(candidate: Candidate, name: str) -> Candidate | None:
    """The candidate without the axes that are this free dim; None where another size depends on it."""
    kinds: dict[str, Kind] = {}
    bound: dict[str, Polynomial] = {}
    for argument, kind in candidate.kinds.items():
        axes = candidate.axes(argument)
        kept = [axis for axis in axes if axis != dim(name)]
        loses = len(axes) - len(kept)
        depends = any(name in axis.dims for axis in kept) or _counts(candidate, argument) == dim(name)
        if depends or not _may_lose(kind, loses):
            return None
        kinds[argument] = replace(kind, rank=len(kept)) if loses else kind
        bound |= _bound_sizes(candidate, argument, kept, name)
    return replace(candidate, kinds=kinds, bound=bound, cost=0.0, steps=0)

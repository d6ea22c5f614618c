"""A candidate with three axes of what forward maps entry by entry, which takes any number; it judges nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradproof.case.case import Case
from gradproof.generate.arrays import Style
from gradproof.generate.examples import Plan, build, styled
from gradproof.guard import Randomness, SubjectError, quiet
from gradproof.infer.attempt import different
from gradproof.infer.confirm import SEED
from gradproof.infer.declare import Declaring
from gradproof.infer.search import Found, Search
from gradproof.subject.subject import subject_of
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import What
from gradproof.values import Example

RUNS = 2  # traced runs for it
_SHAPES = ((2, 3, 5), (6, 5), (5, 6))  # of as many entries


def _lone_matrix(candidate: Candidate) -> str | None:
    """The one array, of two axes, that is given beside values; None where there is none."""
    arrays = [name for name, kind in candidate.kinds.items() if kind.what not in (What.VALUE, What.DEFAULT)]
    kind = candidate.kinds[arrays[0]] if len(arrays) == 1 else None
    is_matrix = kind is not None and kind.what is What.ARRAY and kind.rank == 2
    return arrays[0] if is_matrix else None


def with_three_axes(search: Search, found: Found, declaring: Declaring) -> Candidate | None:
    """The candidate with a third axis, where its one array of two is mapped entry by entry; None where it is not.

    Only such a layer is meant for arrays of any number of axes: another one may go wrong there for good reasons.
    """
    candidate = found.candidate
    if candidate is None or not found.clean:
        return None
    name = _lone_matrix(candidate)
    if name is None or search.hints[name].built or not _maps_entries(declaring.case(candidate), name):
        return None
    kinds = {**candidate.kinds, name: replace(candidate.kinds[name], rank=3)}
    deeper = search.find([replace(candidate, kinds=kinds, cost=0.0, steps=0)], most=RUNS)
    is_deeper = deeper.clean and deeper.candidate is not None and deeper.candidate.kinds[name].rank == 3
    return deeper.candidate if is_deeper else None


def _maps_entries(case: Case, name: str) -> bool:
    """Whether the same values in other shapes give the same outputs, in the shape of the input."""
    plan = Plan(different(case.space, falling=False), dict.fromkeys(styled(case), Style.NORMAL), SEED)
    example = build(case, plan, {})
    values = np.random.default_rng(SEED).normal(size=_SHAPES[0])
    with contextlib.suppress(SubjectError):
        outputs = [_output(case, example, {name: values.reshape(shape)}) for shape in _SHAPES]
        is_kept = all(np.shape(output) == shape for output, shape in zip(outputs, _SHAPES, strict=True))
        return is_kept and all(np.array_equal(np.ravel(outputs[0]), np.ravel(other)) for other in outputs[1:])
    return False


def _output(case: Case, example: Example, inputs: Mapping[str, Any]) -> Any:
    """The first that forward returns, of a new subject with the same random numbers."""
    with quiet(), Randomness(SEED) as random:
        return subject_of(case, example, random).forward({**example.inputs, **inputs})[0]
